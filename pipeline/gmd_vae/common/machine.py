"""What this machine has: processor, memory, disk, GPUs; in containers, what is left of them by their limits."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CPU_FLAGS = ("avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16")  # what TensorFlow is faster with
GB = 10**9


@dataclass(frozen=True)
class Problem:
    """Something that stops the work (an error) or spoils it (a warning), and what to do about it."""

    level: str
    what: str
    next_action: str


def cpu(problems: list[Problem]) -> dict[str, Any]:
    """The processor: its model, the cores this process may use, instructions that matter to TensorFlow."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        usable = os.cpu_count() or 1
    model, flags = cpu_model(Path("/proc/cpuinfo"))
    if flags is not None and platform.machine() == "x86_64" and "avx" not in flags:
        what = "This processor has no AVX instructions, and TensorFlow needs them"
        problems.append(Problem("error", what, "Use another machine, or a virtual machine that passes AVX on."))
    quota = _cgroup_cpus()
    return {
        "model": model or platform.processor() or platform.machine(),
        "usable_cores": usable,
        "limited_to_cores": quota if quota is not None and quota < usable else None,
        "flags": [flag for flag in CPU_FLAGS if flag in (flags or ())],
    }


def cpu_model(cpuinfo: Path) -> tuple[str | None, set[str] | None]:
    """The processor's name and its flags from ``/proc/cpuinfo``; ``None`` for what is not there."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None, None
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.+)$", text, re.MULTILINE)
    return (name[1].strip() if name else None), (set(flags[1].split()) if flags else None)


def best_precision() -> str:
    """The fastest precision of matrix products on the device that training will use: ``bf16`` or ``fp32``."""
    if gpus():
        # tensor cores multiply bf16 since compute capability 8.0
        capabilities = _ask_gpus("compute_cap")
        return "bf16" if capabilities and min(map(float, capabilities)) >= 8 else "fp32"
    _, flags = cpu_model(Path("/proc/cpuinfo"))
    return "bf16" if flags and flags & {"amx_bf16", "avx512_bf16"} else "fp32"


def memory(problems: list[Problem]) -> dict[str, int | None]:
    """Total and available memory, and the container's limit where there is one."""
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
    """This process's control groups, innermost first (version 2, and version 1's memory hierarchy)."""
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
    """The tightest memory limit over these control groups, and what is free below it.

    Page cache that the kernel would give back at once counts as free.
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
        here = max(0, limit - used + cache)
        if tightest is None or here < free:
            free = here
        tightest = limit if tightest is None else min(tightest, limit)
    return tightest, free


def _cgroup_cpus() -> float | None:
    for folder in _cgroup_folders():
        try:
            quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            continue
        if quota != "max":
            return int(quota) / int(period)
    return None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there, or "max"
        return None


def disk(folder: Path, problems: list[Problem]) -> dict[str, Any]:
    """The size and the free space of the disk that holds ``folder``."""
    usage = shutil.disk_usage(folder)
    if usage.free < 2 * GB:
        level = "error" if usage.free < GB / 5 else "warning"
        what = f"Only {usage.free / GB:.1f} GB is free on the disk of '{folder}'; data and a few runs take about 2"
        problems.append(Problem(level, what, "Free some space, or work in a folder on another disk."))
    return {"folder": str(folder), "total_bytes": usage.total, "free_bytes": usage.free}


def gpus() -> list[dict[str, Any]]:
    """The NVIDIA GPUs that the driver knows, whether TensorFlow sees them or not."""
    found = []
    for line in _ask_gpus("name,memory.total,memory.free,driver_version"):
        name, total, free, driver = (field.strip() for field in line.rsplit(",", 3))
        mib = [int(size) << 20 if size.isdigit() else None for size in (total, free)]
        found.append({"name": name, "memory_bytes": mib[0], "free_bytes": mib[1], "driver": driver})
    return found


def _ask_gpus(fields: str) -> list[str]:
    """What ``nvidia-smi`` says of each GPU; empty without it, or where it does not know the fields."""
    query = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return answer.stdout.splitlines()
