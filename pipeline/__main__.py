"""``python -m pipeline`` is ``gmd-vae``."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
