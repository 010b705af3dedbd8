"""Checkpoints are found from every spelling; incomplete ones are ignored."""

import io
import tarfile
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.models import checkpoints


def write(folder: Path, name: str, shards: int = 1, present: int | None = None, index: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if index:
        (folder / f"{name}.index").write_bytes(b"index")
    for shard in range(shards if present is None else present):
        (folder / f"{name}.data-{shard:05d}-of-{shards:05d}").write_bytes(b"data")
    return folder / name


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write(tmp_path / "run" / "train", "model.ckpt-90")
    write(tmp_path / "run" / "train", "model.ckpt-1500")
    return tmp_path / "run"


@pytest.mark.parametrize(
    "spelling",
    [
        ".",
        "train",
        "train/model.ckpt-1500",
        "train/model.ckpt-1500.index",
        "train/model.ckpt-1500.data-00000-of-00001",
        "train/model.ckpt-1500.meta",
    ],
)
def test_every_spelling_finds_the_checkpoint(run: Path, spelling: str) -> None:
    assert checkpoints.find(run / spelling) == run / "train" / "model.ckpt-1500"


def test_the_latest_has_the_highest_step_not_the_last_name(run: Path) -> None:
    assert checkpoints.find(run).name == "model.ckpt-1500"  # "90" sorts after "1500"
    assert checkpoints.step_of(checkpoints.find(run)) == 1500


def test_an_incomplete_checkpoint_is_never_selected(run: Path) -> None:
    train = run / "train"
    write(train, "model.ckpt-1600", shards=2, present=1)
    write(train, "model.ckpt-1700", present=0)
    write(train, "model.ckpt-1800", index=False)
    assert checkpoints.find(run).name == "model.ckpt-1500"
    with pytest.raises(GmdVaeError, match=r"No checkpoint at.*only some of its files"):
        checkpoints.find(train / "model.ckpt-1600")


def test_the_files_of_a_checkpoint_exclude_similar_names(run: Path) -> None:
    write(run / "train", "model.ckpt-150")
    names = [file.name for file in checkpoints.files_of(run / "train" / "model.ckpt-150")]
    assert names == ["model.ckpt-150.data-00000-of-00001", "model.ckpt-150.index"]


def test_complete_checkpoints_are_listed_by_step(run: Path) -> None:
    write(run / "train", "model.ckpt-200", shards=2)
    write(run / "train", "model.ckpt-1600", shards=2, present=1)
    assert [prefix.name for prefix in checkpoints.complete(run / "train")] == [
        "model.ckpt-90",
        "model.ckpt-200",
        "model.ckpt-1500",
    ]
    assert checkpoints.complete(run / "nowhere") == []


def test_a_temporary_file_of_tensorflow_is_no_data_file(run: Path) -> None:
    temporary = run / "train" / "model.ckpt-1500.data-00000-of-00001.tempstate123"
    temporary.write_bytes(b"half")
    prefix = checkpoints.find(run)
    assert prefix.name == "model.ckpt-1500"
    assert temporary not in checkpoints.files_of(prefix)
    prefix.with_name("model.ckpt-1500.data-00000-of-00001").unlink()
    assert not checkpoints.is_complete(prefix)


@pytest.fixture
def validated(run: Path) -> Path:
    """Returns a run whose best checkpoint is not its latest."""
    write(run / "best", "model.ckpt-1200")
    (run / "best" / "validation.json").write_text("{}")
    return run


@pytest.mark.parametrize(
    ("spelling", "found"),
    [
        (".", "best/model.ckpt-1200"),
        ("best", "best/model.ckpt-1200"),
        ("best/model.ckpt-1200.meta", "best/model.ckpt-1200"),
        ("latest", "train/model.ckpt-1500"),
        ("train", "train/model.ckpt-1500"),
        ("train/model.ckpt-90", "train/model.ckpt-90"),
    ],
)
def test_a_run_folder_stands_for_its_best_checkpoint(
    validated: Path, spelling: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checkpoints.find(validated / spelling) == validated / found
    monkeypatch.chdir(validated)
    assert checkpoints.find(Path(spelling)) == Path(found)


def test_an_incomplete_best_checkpoint_is_ignored(run: Path) -> None:
    write(run / "best", "model.ckpt-1200", present=0)
    assert checkpoints.find(run) == run / "train" / "model.ckpt-1500"
    with pytest.raises(GmdVaeError, match=r"No checkpoint in .*best', only files of incomplete ones"):
        checkpoints.find(run / "best")


def test_of_two_best_checkpoints_the_newer_one_is_selected(validated: Path) -> None:
    write(validated / "best", "model.ckpt-1400")  # killed before the old one was removed
    assert checkpoints.find(validated / "best").name == "model.ckpt-1400"


@pytest.mark.parametrize("folder", [True, False])
def test_a_missing_best_checkpoint_is_an_error_with_the_reason_and_alternatives(run: Path, folder: bool) -> None:
    if folder:
        (run / "best").mkdir()
    with pytest.raises(GmdVaeError) as caught:
        checkpoints.find(run / "best")
    assert str(caught.value) == (
        f"'{run / 'best'}' has no checkpoint: the run has no validation windows, or was not validated yet. "
        f"There is '{run / 'latest'}' (step 1500)."
    )


def test_a_missing_latest_checkpoint_is_an_error_with_alternatives(validated: Path) -> None:
    for file in (validated / "train").iterdir():
        file.unlink()
    assert checkpoints.find(validated).name == "model.ckpt-1200"
    with pytest.raises(GmdVaeError, match=r"No checkpoint in '.*/latest'. There is '.*/best' \(step 1200\)\."):
        checkpoints.find(validated / "latest")


def test_a_missing_step_is_an_error_with_the_existing_steps(run: Path) -> None:
    with pytest.raises(GmdVaeError, match=r"No checkpoint at .*-1000'. There is .*-90' and .*-1500'\."):
        checkpoints.find(run / "train" / "model.ckpt-1000")


@pytest.mark.parametrize("name", ["best", "latest"])
def test_a_run_folder_may_be_called_best_or_latest(tmp_path: Path, name: str) -> None:
    write(tmp_path / "runs" / name / "train", "model.ckpt-7")
    assert checkpoints.find(tmp_path / "runs" / name).name == "model.ckpt-7"
    assert checkpoints.find(tmp_path / "runs" / name / "latest").name == "model.ckpt-7"
    with pytest.raises(GmdVaeError, match=r"No checkpoint at .*Run 'gmd-vae train' first"):
        checkpoints.find(tmp_path / "elsewhere" / name)


def test_an_unfinished_run_has_no_checkpoint_yet(tmp_path: Path) -> None:
    write(tmp_path / "run" / "train", "model.ckpt-7", present=0)
    with pytest.raises(GmdVaeError, match=r"No checkpoint in '.*run', only files of incomplete ones"):
        checkpoints.find(tmp_path / "run")


@pytest.mark.parametrize("path", ["nowhere", "empty"])
def test_no_checkpoint_is_one_line_that_names_the_path(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(GmdVaeError, match=path):
        checkpoints.find(tmp_path / path)


def test_another_file_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("hello")
    with pytest.raises(GmdVaeError, match="is not a checkpoint"), checkpoints.open_checkpoint(file):
        pass


def add(tar: tarfile.TarFile, name: str, data: bytes = b"x", kind: bytes = tarfile.REGTYPE) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.linkname = len(data), kind, "/etc/passwd"
    tar.addfile(member, io.BytesIO(data))


def test_an_archive_of_magenta_is_unpacked_and_removed_again(tmp_path: Path) -> None:
    archive = tmp_path / "groovae_4bar.tar"
    with tarfile.open(archive, "w") as tar:
        add(tar, "groovae_4bar/model.ckpt-3061.index", b"index")
        add(tar, "groovae_4bar/model.ckpt-3061.data-00000-of-00001", b"data")
        add(tar, "groovae_4bar/model.ckpt-3061.meta", b"graph")
    with checkpoints.open_checkpoint(archive) as prefix:
        assert prefix.name == "model.ckpt-3061"
        assert [file.read_bytes() for file in checkpoints.files_of(prefix)] == [b"data", b"index"]
        assert not prefix.with_name("model.ckpt-3061.meta").exists()
    assert not prefix.parent.exists()


def test_a_malicious_archive_writes_nothing_outside(tmp_path: Path) -> None:
    archive = tmp_path / "deep" / "evil.tar"
    archive.parent.mkdir()
    with tarfile.open(archive, "w") as tar:
        add(tar, "../../evil.index", b"evil")
        add(tar, "/tmp/gmd-vae-evil.data-00000-of-00001", b"evil")
        add(tar, "link.index", b"", tarfile.SYMTYPE)
        add(tar, "hard.index", b"", tarfile.LNKTYPE)
    with pytest.raises(GmdVaeError), checkpoints.open_checkpoint(archive):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "evil.tar"]
    assert not Path("/tmp/gmd-vae-evil.data-00000-of-00001").exists()


def test_an_error_names_the_archive_and_not_the_place_where_it_was_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "mine.tar"
    with tarfile.open(archive, "w") as tar:
        add(tar, "deep/model.ckpt-1.index", b"index")
        add(tar, "deep/model.ckpt-1.data-00000-of-00001", b"data")
    with pytest.raises(GmdVaeError) as caught, checkpoints.open_checkpoint(archive) as prefix:
        raise GmdVaeError(f"Checkpoint '{prefix}' does not fit", f"Remove '{prefix}'.")
    named = f"{archive}/model.ckpt-1"
    assert str(caught.value) == f"Checkpoint '{named}' does not fit. Remove '{named}'."


def test_a_damaged_tar_is_one_line(tmp_path: Path) -> None:
    archive = tmp_path / "cut.tar"
    with tarfile.open(archive, "w") as tar:
        add(tar, "model.ckpt-1.index", b"index" * 5000)
    archive.write_bytes(archive.read_bytes()[:9000])
    with pytest.raises(GmdVaeError, match=r"cut\.tar"), checkpoints.open_checkpoint(archive):
        pass


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [
        ("MAX_ARCHIVE_BYTES", 1 << 19, "unpacks to more than 524,288 bytes"),
        ("_MAX_MEMBERS", 5, "unpacks to more than 5 files"),
    ],
)
def test_an_archive_beyond_the_limits_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, said: str
) -> None:
    archive = tmp_path / "bomb.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for number in range(6):  # no checkpoint files, but an archive is read to its end
            add(tar, f"{number}.txt", bytes(150_000))
    assert archive.stat().st_size < 10_000
    monkeypatch.setattr(checkpoints, limit, value)
    with pytest.raises(GmdVaeError, match=said), checkpoints.open_checkpoint(archive):
        pass


def test_fields_for_all_files_of_an_archive_are_limited(tmp_path: Path) -> None:
    """tarfile copies them for each file: 4 MB of them took 4 GB and 75 seconds."""
    archive = tmp_path / "fields.tar"
    fields = {f"field{number}": "x" * 20 for number in range(10_000)}
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT, pax_headers=fields) as tar:
        for number in range(3000):
            add(tar, f"{number}.txt")
    with pytest.raises(GmdVaeError, match="too many fields"), checkpoints.open_checkpoint(archive):
        pass


def test_an_archive_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "bomb.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        add(tar, "model.ckpt-1.data-00000-of-00001", bytes(8 << 20))
        add(tar, "model.ckpt-1.index", b"index")
    with pytest.raises(GmdVaeError, match="200 times its size"), checkpoints.open_checkpoint(archive):
        pass


def test_a_file_with_holes_is_not_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "sparse.tar"
    info = tarfile.TarInfo("model.ckpt-1.data-00000-of-00001")
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": str(3 << 30),
        "GNU.sparse.name": info.name,
        "GNU.sparse.numblocks": "1",
        "GNU.sparse.map": "0,8",
    }
    info.size = 8
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(b"weights!"))
        add(tar, "model.ckpt-1.index", b"index")
    with pytest.raises(GmdVaeError, match="incomplete"), checkpoints.open_checkpoint(archive):
        pass


def test_two_checkpoints_of_one_name_in_an_archive_are_an_error(tmp_path: Path) -> None:
    archive = tmp_path / "two.tar"
    with tarfile.open(archive, "w") as tar:
        add(tar, "one/model.ckpt-1.index", b"index")
        add(tar, "two/model.ckpt-1.index", b"other")
    with pytest.raises(GmdVaeError, match=r"two files 'model\.ckpt-1\.index'"), checkpoints.open_checkpoint(archive):
        pass


def test_a_damaged_compressed_tar_is_one_line(tmp_path: Path) -> None:
    import random

    archive = tmp_path / "cut.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        add(tar, "model.ckpt-1.index", random.Random(1).randbytes(200_000))
    whole = archive.read_bytes()
    for damaged in (whole[:100_000], whole[:90_000] + bytes(100) + whole[90_100:]):
        archive.write_bytes(damaged)
        with pytest.raises(GmdVaeError, match=r"cut\.tar"), checkpoints.open_checkpoint(archive):
            pass


@pytest.mark.parametrize(
    ("path", "config"),
    [
        ("downloads/groovae_4bar.tar", "groovae_4bar"),
        ("groovae_4bar.tar.gz", "groovae_4bar"),
        ("cat-drums_2bar_small.hikl.tar", "cat-drums_2bar_small"),
        ("cat-drums_2bar_small.lokl/cat-drums_2bar_small.lokl.ckpt", "cat-drums_2bar_small"),
        ("groovae_4bar/model.ckpt-3061", "groovae_4bar"),
        ("runs/mine/train/model.ckpt-3061", None),
        ("drums.tar", None),
    ],
)
def test_the_config_in_the_name_of_a_checkpoint(path: str, config: str | None) -> None:
    from gmd_vae.configuration.registry import all_configs

    assert checkpoints.config_from_name(Path(path), all_configs()) == config
