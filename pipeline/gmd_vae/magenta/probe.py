"""Prints TensorFlow's devices as JSON. ``gmd-vae doctor`` runs it in a child process.

In a child process, because TensorFlow takes seconds to start, can hang, and can crash the process (a processor
without AVX, a broken GPU driver).
"""

from __future__ import annotations

import json
import sys
from typing import Any


def probe() -> dict[str, Any]:
    """Returns TensorFlow's devices and the number of Magenta's configs, or ``{"error": reason}``."""
    try:
        from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS
        from gmd_vae.magenta.api import configs, tf

        devices = []
        for device in tf.config.list_physical_devices():
            details = tf.config.experimental.get_device_details(device) if device.device_type == "GPU" else {}
            capability = details.get("compute_capability")
            devices.append(
                {
                    "name": device.name.removeprefix("/physical_device:"),
                    "kind": device.device_type,
                    "model": details.get("device_name"),
                    "compute_capability": ".".join(map(str, capability)) if capability else None,
                }
            )
    except Exception as error:  # any failure is the answer
        return {"error": " ".join(str(getattr(error, "problem", None) or f"{type(error).__name__}: {error}").split())}
    return {
        "magenta_configs": sum(config.name in configs.CONFIG_MAP for config in MAGENTA_CONFIGS),
        "built_with_cuda": tf.test.is_built_with_cuda(),
        "devices": devices,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe()) + "\n")
