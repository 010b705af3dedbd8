"""``python -m gmd_vae`` is ``gmd-vae``."""

import _signal  # type: ignore[import-not-found]  # built in; `signal` takes longer, and a Ctrl-C may arrive in it
import os


def main() -> None:
    """Runs the command as the whole work of this process, see ``gmd_vae.cli.main``."""
    # until the work begins, a signal ends the process without a traceback
    _signal.signal(_signal.SIGINT, lambda *_: os._exit(130))
    _signal.signal(_signal.SIGTERM, lambda *_: os._exit(143))
    if _signal.getsignal(_signal.SIGHUP) != _signal.SIG_IGN:  # nohup
        _signal.signal(_signal.SIGHUP, lambda *_: os._exit(143))
    # not above: each process of a pool imports its parent's script first
    from gmd_vae.cli import main as run
    from gmd_vae.common import stop_signals
    from gmd_vae.common.streams import prepare_streams

    prepare_streams()
    stop_signals.interrupt()
    try:
        run()
    except SystemExit as end:
        stop_signals.leave_at_once()
        if stop_signals.is_requested():
            stop_signals.end_process(end.code if isinstance(end.code, int) else 1)
        raise


if __name__ == "__main__":
    main()
