"""``python -m pipeline`` is ``gmd-vae``."""


def main() -> None:
    """Runs the command, see ``pipeline.cli.main``."""
    from pipeline.cli import main as run  # not above: each process of a pool imports its parent's script first

    run()


if __name__ == "__main__":
    main()
