"""Filters what TensorFlow's C++ code writes to stderr while it starts."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_HAS_GPU_DRIVER = any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/dxg"))


@contextlib.contextmanager
def filtered_stderr() -> Iterator[None]:
    """Redirects stderr (file descriptor 2) to a file, and at the end prints the lines that matter.

    TensorFlow's first messages (oneDNN, "Could not find cuda drivers") ignore ``TF_CPP_MIN_LOG_LEVEL``. On a machine
    without an NVIDIA driver, TensorFlow reports the missing driver as an error. You cannot act on any of them, and
    ``gmd-vae doctor`` shows the devices. ``TF_CPP_MIN_LOG_LEVEL=0`` turns the filter off.
    """
    if os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0":
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as captured:
        original = os.dup(2)
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            captured.seek(0)
            for line in captured.read().decode(errors="replace").splitlines(keepends=True):
                if not _is_noise(line):
                    sys.stderr.write(line)


def _is_noise(line: str) -> bool:
    if re.match(r"[IW]\d{4} |WARNING: All log messages before absl", line):  # absl's notes and warnings
        return True
    if "failed call to cuInit" in line and not _HAS_GPU_DRIVER:
        return True
    return "oneDNN supports DT_INT64 only" in line
