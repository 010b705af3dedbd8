"""The ``gmd-vae`` command. Imports a command's module only when that command runs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from gmd_vae.commands.help_text import HelpGroup
from gmd_vae.common import stop_signals
from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.common.line_breaks import terminal_columns, wrap_text
from gmd_vae.common.system_errors import system_error

# In the order of the work. The texts are here so that `gmd-vae --help` imports no command; a test compares
# them with the first line of each command's own help.
COMMANDS = {
    "fetch": "Get a dataset: the Groove MIDI Dataset or the built-in starter set.",
    "convert": "Turn MIDI files into NoteSequence TFRecords, one file per split.",
    "preprocess": "Cut NoteSequences into training windows for a config.",
    "inspect": "Show the contents of music, and the training windows in it.",
    "train": "Train a MusicVAE on prepared windows, or resume a run.",
    "evaluate": "Evaluate trained models on music they were not trained on.",
    "generate": "Generate beats as MIDI files, new ones or versions of yours.",
    "models": "List the trained models of the package, or show the card of one.",
    "render": "Render the drums of MIDI files as sound and pictures.",
    "report": "Write a page with the beats, the training curves and the evaluations of a run.",
    "studio": "Write a page with a model inside, to play with in a browser.",
    "export": "Write a trained model as one file, or for other programs.",
    "configs": "List the model configs, or show one.",
    "doctor": "Check this machine: versions, devices, memory, disk.",
}


class LazyGroup(HelpGroup):
    """A click group that lists its commands by name and imports them on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns every command, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command's module."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"gmd_vae.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list in ``--help`` without an import of any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolves a command; raises ``UsageError`` with the nearest names for an unknown one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from gmd_vae.common.errors import nearest

            raise click.UsageError(f"No such command '{args[0]}'. {nearest(args[0], list(COMMANDS))}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="gmd-vae", prog_name="gmd-vae")
def cli() -> None:
    """Train Magenta's MusicVAE on drum beats and make new ones.

    \b
    Beats at once (model of the package):
      gmd-vae generate --wav

    \b
    Your own model (Groove MIDI Dataset):
      gmd-vae fetch groove
      gmd-vae convert data/raw/groove
      gmd-vae preprocess data/notes/groove
      gmd-vae train
      gmd-vae generate

    data/ and runs/ are in the current folder; the environment variable GMD_VAE_HOME names another.
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command and exits: 0 success, 1 failure, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM or SIGHUP.

    Prints every expected failure as one line on stderr (a terminal gets it in lines that fit). A traceback is a bug.

    Args:
        argv: Arguments without the program's name; None takes those of the process.
    """
    stop_signals.forget()
    try:
        result = cli.main(args=list(argv) if argv is not None else None, prog_name="gmd-vae", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except Interrupted as error:
        code = _fail(str(error), stop_signals.exit_status())
    except GmdVaeError as error:
        code = _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:  # `gmd-vae` alone: show the help
        sys.stderr.write(error.format_message() + "\n")
        code = 2
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "gmd-vae"
        code = _fail(f"{error.format_message()} See '{command} --help'.", 2)
    except click.ClickException as error:
        code = _fail(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        code = _interrupted()
    except MemoryError:
        code = _fail("Out of memory. Close other programs, or use a smaller config or batch size.", 1)
    except OSError as error:
        code = _interrupted() if stop_signals.is_requested() else _fail(str(system_error(error)), 1)
    except Exception:
        if not stop_signals.is_requested():
            raise
        code = _interrupted()  # a library that was interrupted in its C code raises an error of its own
    sys.exit(code)


def _interrupted() -> int:
    text = "Interrupted. Nothing half-written was left behind; run the command again."
    return _fail(text, stop_signals.exit_status())


def _fail(message: str, code: int) -> int:
    """Prints an error as one line, on a terminal broken between words, and returns the exit status."""
    text = " ".join(message.split())
    if not (text.isascii() and text.isprintable()):  # saves the import
        from gmd_vae.common.printable import printable

        text = printable(text, limit=None)
    text, columns = f"Error: {text}", terminal_columns(sys.stderr)
    sys.stderr.write("\n".join(wrap_text(text, columns) if columns else [text]) + "\n")
    return code
