"""Output appears complete or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gmd_vae.common import files, manifest, process_lock, temporary_files
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.temporary_files import temporary_file


def entries(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    with files.whole_file(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert entries(tmp_path) == ["deep", "deep/file.txt"]
    (tmp_path / "plain").touch()  # as any program would make it, under the user's umask
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail_half_way() -> None:
        with files.whole_file(path) as temporary:
            temporary.write_text("ne")
            raise ValueError("half-way")

    with pytest.raises(ValueError, match="half"):
        fail_half_way()
    assert path.read_text() == "old"
    assert entries(tmp_path) == ["file.txt"]


def test_a_temporary_file_that_another_process_made_after_the_rename_stays(tmp_path: Path) -> None:
    with temporary_file(tmp_path / "beat.wav") as temporary:
        temporary.replace(tmp_path / "beat.wav")
        temporary.write_text("of another process")
    assert temporary.read_text() == "of another process"


def test_processes_that_write_one_file_at_once_all_succeed(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom gmd_vae.common.files import whole_file\n"
        "for _ in range(100):\n"
        "    with whole_file(Path('beat.wav')) as temporary:\n"
        "        temporary.write_text(sys.argv[1])\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(n)], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    assert [writer.communicate(timeout=60)[1] for writer in writers] == [""] * 4
    assert entries(tmp_path) == ["beat.wav"]


def test_a_temporary_file_of_a_killed_process_is_removed_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "beat.wav"
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom gmd_vae.common import files\n"
        "with files.whole_file(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half')\n    print(temporary.name, flush=True)\n    time.sleep(60)\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    names = [process.stdout.readline().strip() for process in processes if process.stdout]
    assert len(set(names)) == 3
    for process in processes[:2]:
        process.kill()
        process.wait(timeout=10)
    with files.whole_file(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert entries(tmp_path) == [names[2], "beat.wav"]
    processes[2].kill()
    processes[2].wait(timeout=10)
    with files.whole_file(path) as temporary:
        temporary.write_text("newer")
    assert entries(tmp_path) == ["beat.wav"]


@pytest.mark.parametrize("kind", ["link", "folder", "fifo"])
def test_something_else_in_the_place_of_a_temporary_file_stays(tmp_path: Path, kind: str) -> None:
    (tmp_path / "mine").write_text("mine")
    place = tmp_path / ".beat.wav.00000000.partial"
    {"link": lambda: place.symlink_to("mine"), "folder": place.mkdir, "fifo": lambda: os.mkfifo(place)}[kind]()
    with files.whole_file(tmp_path / "beat.wav") as temporary:
        temporary.write_text("new")
    assert entries(tmp_path) == [place.name, "beat.wav", "mine"]
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("number", [0, 1])  # the one that would be written, and one that would be removed
def test_a_hard_link_in_the_place_of_a_temporary_file_stays(tmp_path: Path, number: int) -> None:
    (tmp_path / "mine").write_text("mine")
    place = tmp_path / f".beat.wav.0000000{number}.partial"
    place.hardlink_to(tmp_path / "mine")
    with files.whole_file(tmp_path / "beat.wav") as temporary:
        temporary.write_text("new")
    assert entries(tmp_path) == [place.name, "beat.wav", "mine"]
    assert ((tmp_path / "mine").read_text(), (tmp_path / "beat.wav").read_text()) == ("mine", "new")


def test_a_file_may_have_the_longest_name_that_the_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 125 + ".wav")
    with files.whole_file(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that exists and takes no files")
def test_a_folder_that_takes_no_files_is_an_error_and_not_a_loop() -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom gmd_vae.common import files, temporary_files\n"
        "def attempt(make):\n"
        "    try:\n        make()\n"
        "    except OSError as error:\n        print(error.filename)\n"
        "attempt(lambda: files.whole_file(Path('/proc/x.mid')).__enter__())\n"
        "attempt(lambda: files.new_folder(Path('/proc/x')).__enter__())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["/proc/x.mid", "/proc/x"]


def test_a_lock_whose_file_is_always_another_one_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_lock, "is_at", lambda descriptor, path: False)
    monkeypatch.setattr(temporary_files, "is_at", lambda descriptor, path: False)
    with pytest.raises(process_lock.LockHeldError, match="all the time"):
        process_lock.process_lock(tmp_path / "lock").__enter__()
    with pytest.raises(FileExistsError, match="too many temporary files"):
        temporary_file(tmp_path / "beat.mid").__enter__()


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert files.sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    manifest.write(folder, "convert", {"dataset": "groove"})
    return folder


def test_a_manifest_is_read_back_by_its_stage_only(made: Path) -> None:
    assert manifest.read(made, "convert", "")["dataset"] == "groove"
    with pytest.raises(GmdVaeError, match=r"made by 'convert', not by 'preprocess'. Do this."):
        manifest.read(made, "preprocess", "Do this.")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"stage": "convert"}', '{"stage": "convert", "format": 99}']
)
def test_a_damaged_manifest_is_one_line(made: Path, content: str) -> None:
    (made / "manifest.json").write_text(content)
    with pytest.raises(GmdVaeError, match="made") as caught:
        manifest.read(made, "convert", "Do this.")
    assert "\n" not in str(caught.value)


def test_the_same_content_has_the_same_digest(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    manifest.write(other, "convert", {"dataset": "groove"})
    assert manifest.digest(made) == manifest.digest(other)
    manifest.write(other, "convert", {"dataset": "starter"})
    assert manifest.digest(made) != manifest.digest(other)


def test_only_an_earlier_output_of_the_same_stage_may_be_replaced(made: Path, tmp_path: Path) -> None:
    manifest.check_replaceable(made, "convert", dataset="groove")
    manifest.check_replaceable(tmp_path / "new", "convert")
    (tmp_path / "empty").mkdir()
    manifest.check_replaceable(tmp_path / "empty", "convert")
    with pytest.raises(GmdVaeError, match=r"holds 'manifest.json', which 'gmd-vae preprocess' did not write"):
        manifest.check_replaceable(made, "preprocess")
    with pytest.raises(GmdVaeError, match="holds the data set 'groove', not 'starter'"):
        manifest.check_replaceable(made, "convert", dataset="starter")
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "song.mid").touch()
    with pytest.raises(GmdVaeError, match="did not write"):
        manifest.check_replaceable(tmp_path / "music", "convert")
    with pytest.raises(GmdVaeError, match="not a folder"):
        manifest.check_replaceable(tmp_path / "music" / "song.mid", "convert")
    with pytest.raises(UsageError, match="lies in the output folder"):
        manifest.check_replaceable(tmp_path / "empty", "convert", inputs=[tmp_path / "empty" / "raw"])


def test_versions_are_those_of_the_installed_packages() -> None:
    found = manifest.versions("numpy", "no-such-package")
    import numpy

    assert found["numpy"] == numpy.__version__
    assert found["no-such-package"] == "not installed"
