"""``python -m gmd_vae`` is ``gmd-vae``."""


def main() -> None:
    """Runs the command, see ``gmd_vae.cli.main``."""
    from gmd_vae.cli import main as run  # not above: each process of a pool imports its parent's script first

    run()


if __name__ == "__main__":
    main()
