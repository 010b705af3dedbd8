"""Processor, memory, disk and GPUs of this machine, within the limits of its container."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CPU_FLAGS = ("avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16")  # instructions that make TensorFlow faster
GB = 10**9


@dataclass(frozen=True)
class Problem:
    """A fault of the machine or the installation.

    Attributes:
        level: ``error``: it stops the work; ``warning``: it does not.
        what: The problem, without a final full stop.
        next_action: The user's next action, as a sentence.
    """

    level: str
    what: str
    next_action: str


def usable_cores() -> int:
    """Returns the number of cores that this process may use. A container's CPU quota does not count."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS


def describe() -> dict[str, str]:
    """Returns ``python`` (its version), ``platform`` (operating system and C library) and ``processor`` (its model)."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": cpu_model(Path("/proc/cpuinfo"))[0] or platform.processor() or platform.machine(),
    }


def cpu(problems: list[Problem]) -> dict[str, Any]:
    """Describes the processor: model, cores that this process may use, instructions that TensorFlow uses.

    Args:
        problems: Faults found so far; this function appends its own.

    Returns:
        JSON values: ``model``, ``usable_cores``, ``limited_to_cores`` (the container's CPU quota, or None), ``flags``.
    """
    usable = usable_cores()
    _, flags = cpu_model(Path("/proc/cpuinfo"))
    if flags is not None and platform.machine() == "x86_64" and "avx" not in flags:
        what = "This processor has no AVX instructions, and TensorFlow needs them"
        problems.append(Problem("error", what, "Use another machine, or a virtual machine that passes AVX on."))
    quota = _cgroup_cpus()
    return {
        "model": describe()["processor"],
        "usable_cores": usable,
        "limited_to_cores": quota if quota is not None and quota < usable else None,
        "flags": [flag for flag in CPU_FLAGS if flag in (flags or ())],
    }


def cpu_model(cpuinfo: Path) -> tuple[str | None, set[str] | None]:
    """Returns the processor's name and its flags from ``/proc/cpuinfo``; None for what is missing."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None, None
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.+)$", text, re.MULTILINE)
    return (name[1].strip() if name else None), (set(flags[1].split()) if flags else None)


def best_precision() -> str:
    """Returns the fastest precision of matrix products on the training device: ``bf16`` or ``fp32``."""
    if gpus():
        # tensor cores multiply bf16 since compute capability 8.0
        capabilities = _query_gpus("compute_cap")
        return "bf16" if capabilities and min(map(float, capabilities)) >= 8 else "fp32"
    _, flags = cpu_model(Path("/proc/cpuinfo"))
    return "bf16" if flags and flags & {"amx_bf16", "avx512_bf16"} else "fp32"


def memory(problems: list[Problem]) -> dict[str, int | None]:
    """Describes the memory: total, available, and the container's limit if it has one.

    Args:
        problems: Faults found so far; this function appends its own.

    Returns:
        ``total_bytes``, ``available_bytes`` and ``limit_bytes``; None where psutil is missing or there is no limit.
    """
    try:
        import psutil
    except ImportError:  # reported with the packages
        return {"total_bytes": None, "available_bytes": None, "limit_bytes": None}
    now = psutil.virtual_memory()
    total, available = int(now.total), int(now.available)
    limit, free = cgroup_memory(_cgroup_folders())
    if limit is not None and limit < total:
        available = min(available, free)
    else:
        limit = None
    if available < 2 * GB:
        what = f"Only {available / GB:.1f} GB of memory is free, and training a small config takes about 2"
        problems.append(Problem("warning", what, "Close other programs, or raise the container's memory limit."))
    return {"total_bytes": total, "available_bytes": available, "limit_bytes": limit}


def _cgroup_folders() -> list[Path]:
    """Returns the folders of this process's cgroups, innermost first (v2, and the memory hierarchy of v1)."""
    folders = []
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top = Path("/sys/fs/cgroup") / controllers
        inner = top / path.lstrip("/")
        folders += [folder for folder in (inner, *inner.parents) if folder == top or top in folder.parents]
    return folders


def cgroup_memory(folders: list[Path]) -> tuple[int | None, int]:
    """Returns the tightest memory limit of these cgroups and the free memory below it, in bytes.

    Inactive page cache counts as free, since the kernel reclaims it at once.

    Args:
        folders: Folders of the cgroups.

    Returns:
        The limit, or None if no cgroup has one; and the free memory, 0 without a limit.
    """
    tightest: int | None = None
    free = 0
    for folder in folders:
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
        if limit is None or limit > 1 << 60:  # version 1 writes "no limit" as a huge number
            continue
        cache = 0
        if (folder / "memory.stat").is_file():
            stat = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="utf-8").splitlines())
            cache = int(stat.get("inactive_file", stat.get("total_inactive_file", 0)))
        free_in_folder = max(0, limit - used + cache)
        if tightest is None or free_in_folder < free:
            free = free_in_folder
        tightest = limit if tightest is None else min(tightest, limit)
    return tightest, free


def _cgroup_cpus() -> float | None:
    """Returns the CPU quota of the innermost cgroup that has one, in cores."""
    for folder in _cgroup_folders():
        try:
            quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            continue
        if quota != "max":
            return int(quota) / int(period)
    return None


def _number(path: Path) -> int | None:
    """Returns the number in a file; None for a missing file or ``max``."""
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def disk(folder: Path, problems: list[Problem]) -> dict[str, Any]:
    """Describes the disk that holds ``folder``: size and free space in bytes.

    Args:
        folder: A folder on the disk.
        problems: Faults found so far; this function appends its own.
    """
    usage = shutil.disk_usage(folder)
    if usage.free < 2 * GB:
        level = "error" if usage.free < GB / 5 else "warning"
        what = f"Only {usage.free / GB:.1f} GB is free on the disk of '{folder}'; data and a few runs take about 2"
        problems.append(Problem(level, what, "Free some space, or work in a folder on another disk."))
    return {"folder": str(folder), "total_bytes": usage.total, "free_bytes": usage.free}


def gpus() -> list[dict[str, Any]]:
    """Describes the NVIDIA GPUs that the driver lists, visible to TensorFlow or not.

    Returns:
        For each GPU ``name``, ``driver``, ``memory_bytes`` and ``free_bytes`` (None if unknown).
    """
    listing = []
    for line in _query_gpus("name,memory.total,memory.free,driver_version"):
        name, total, free, driver = (field.strip() for field in line.rsplit(",", 3))
        mib = [int(size) << 20 if size.isdigit() else None for size in (total, free)]
        listing.append({"name": name, "memory_bytes": mib[0], "free_bytes": mib[1], "driver": driver})
    return listing


def _query_gpus(fields: str) -> list[str]:
    """Returns one line of ``nvidia-smi`` per GPU; empty without the program, or with unsupported fields."""
    query = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return answer.stdout.splitlines()
