"""gmd-vae beside stock Magenta: how long each takes on this machine (``make bench``)."""
