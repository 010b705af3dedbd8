"""What ``gmd-vae doctor`` runs in a process of its own: opens the door to Magenta, prints what is behind it.

A process of its own, because TensorFlow can take that process with it (a processor without AVX, a
broken GPU driver), can hang, and takes seconds to start.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def probe() -> dict[str, Any]:
    """TensorFlow's devices and the number of Magenta's configs, or why they cannot be had."""
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
    except Exception as error:  # whatever goes wrong in there is the answer
        return {"error": " ".join(str(getattr(error, "problem", None) or f"{type(error).__name__}: {error}").split())}
    return {
        "magenta_configs": sum(stock.name in configs.CONFIG_MAP for stock in MAGENTA_CONFIGS),
        "built_with_cuda": tf.test.is_built_with_cuda(),
        "devices": devices,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe()) + "\n")
