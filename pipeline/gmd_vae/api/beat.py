"""``Beat``: a decoded window as a grid, and as MIDI."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gmd_vae.api.arguments import boolean, path_text, real, whole
from gmd_vae.api.errors import in_python
from gmd_vae.common import extras
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.files import whole_file
from gmd_vae.common.printable import counted
from gmd_vae.configuration.config import Config
from gmd_vae.families import family_of
from gmd_vae.generation.decoded.midi_files import FilePlan
from gmd_vae.generation.performance.feel import fitting_feel, load_feel
from gmd_vae.generation.performance.playing import Playing

if TYPE_CHECKING:
    from gmd_vae.api.model import Model
    from gmd_vae.generation.model import OpenedModel


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Beat:
    """A decoded window. Models make beats; there is no need to make one by hand.

    Attributes:
        config: Config of the model (docs/reference/configs.md).
        tempo: Quarter notes per minute that ``save`` uses by default: those of the input, or 120.
        seed: Seed of the call, also of the RNG of a human feel.
    """

    config: Config
    tempo: float
    seed: int
    # internal: the decoded windows that follow each other, labels ``[steps]`` each, or for GrooVAE hits, velocities and
    # offsets ``[steps, 27]``; name, number and bars of the beat among the others of one call
    _windows: tuple[npt.NDArray[Any], ...]
    _plan: FilePlan
    _model: OpenedModel

    def __repr__(self) -> str:
        family = family_of(self.config)
        count, hits = len(self._windows) * family.output(self.config).bars, ""
        if (grid := family.drum_grid(self.config)) is not None:
            labels = self.labels
            count = len(labels) * grid.slice_bars // grid.steps
            hits = f", {counted(sum(int(label).bit_count() for label in labels), 'hit')}"
        return f"<gmd_vae.Beat of {self.config.name}: {counted(count, 'bar')}{hits}, {self.tempo:g} bpm>"

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Drum labels, int64 ``[steps]``: bit ``k`` is 1 where a drum of class ``k`` begins."""
        music = family_of(self.config).decoded_music(self.config)
        return self._plan.arrange(0, [music.steps(window) for window in self._windows], music.output.steps_per_bar)

    @property
    def grid(self) -> npt.NDArray[np.bool_]:
        """Hits, bool ``[steps, drums]``; ``voices`` names the columns.

        Raises:
            GmdVaeError: The model does not play drum grids.
        """
        count = len(self.voices)
        return np.asarray((self.labels[:, None] >> np.arange(count)) & 1, bool)

    @property
    def voices(self) -> tuple[str, ...]:
        """Names of the drums, as ``grid`` has them."""
        grid = family_of(self.config).drum_grid(self.config)
        if grid is None:
            raise GmdVaeError(f"'{self.config.name}' does not play drum grids", "Use its MIDI: beat.to_midi().")
        return tuple(grid.voice_names)

    @in_python
    def to_midi(
        self,
        *,
        tempo: float | None = None,
        velocity: int | None = None,
        swing: float | None = None,
        humanize: bool | Model | None = None,
        quantize: bool = False,
    ) -> bytes:
        """Returns the beat as the bytes of a MIDI file, those that ``gmd-vae generate`` writes.

        Args:
            tempo: Quarter notes per minute; ``None``: ``self.tempo``.
            velocity: Velocity of every hit; ``None``: that of the music that the beat is a version of, and for hits
                that it does not have that of drummers.
            swing: Place of every second sixteenth, in percent: 50 is straight, 66 triplets; ``None``: the timing of
                that music, and else straight.
            humanize: True: velocity and timing of drummers, measured on the Groove MIDI Dataset; a GrooVAE: those of
                that model; False: velocity 80, on the grid; ``None``: True for the drums and metres that were measured.
            quantize: Puts every hit on the grid.

        Raises:
            UsageError: A number is out of range, or the music cannot be played so.
        """
        family = family_of(self.config)
        playing = self._playing(tempo, velocity, swing, humanize, boolean("quantize", quantize))
        plan = dataclasses.replace(self._plan, windows=[self._windows], tempos=(), playing=playing)
        performer = None
        if humanize is not None and not isinstance(humanize, bool):
            if not hasattr(humanize, "_humanizer"):
                raise UsageError("humanize is neither True, False nor a model", "Give a model of gmd_vae.load.")
            performer = humanize._humanizer()
        (output,) = family.decoded_music(self.config).midi_files(plan, self._model, performer)
        return output.data

    @in_python
    def save(
        self,
        path: str | Path,
        *,
        tempo: float | None = None,
        velocity: int | None = None,
        swing: float | None = None,
        humanize: bool | Model | None = None,
        quantize: bool = False,
    ) -> Path:
        """Writes the beat as a MIDI file, whole or not at all; a file of this name is replaced.

        Args:
            path: The file.
            tempo: As in ``to_midi``, and so are the others.
            velocity: Velocity of every hit.
            swing: Place of every second sixteenth, in percent.
            humanize: True, False or a GrooVAE.
            quantize: Puts every hit on the grid.

        Returns:
            The path.

        Raises:
            GmdVaeError: The file cannot be written, or as in ``to_midi``.
        """
        path = Path(path_text("path", path))
        data = self.to_midi(tempo=tempo, velocity=velocity, swing=swing, humanize=humanize, quantize=quantize)
        with whole_file(path) as temporary:
            temporary.write_bytes(data)
        return path

    def to_pretty_midi(self, **options: Any) -> Any:
        """Returns the beat as a ``pretty_midi.PrettyMIDI``. Options are those of ``to_midi``.

        Raises:
            GmdVaeError: pretty_midi is not installed.
        """
        try:
            import pretty_midi
        except ImportError:
            raise GmdVaeError("pretty_midi is not installed", f"Run '{extras.install('pretty-midi')}'.") from None
        return pretty_midi.PrettyMIDI(io.BytesIO(self.to_midi(**options)))

    def to_note_sequence(self, **options: Any) -> Any:
        """Returns the beat as a NoteSequence message. Options are those of ``to_midi``."""
        from gmd_vae.midi.midi_io import midi_to_note_sequence

        return midi_to_note_sequence(self.to_midi(**options), "gmd-vae", self._plan.stem(0))

    def _playing(
        self,
        tempo: float | None,
        velocity: int | None,
        swing: float | None,
        humanize: bool | Model | None,
        quantize: bool,
    ) -> Playing:
        family = family_of(self.config)
        grid = family.drum_grid(self.config)
        share = Playing.swing if swing is None else real("swing", swing)
        asked = {"velocity": velocity is not None, "swing": share != Playing.swing, "humanize": humanize is True}
        asked["quantize"] = quantize
        for option, is_asked in asked.items():
            if is_asked and option not in family.playing_options:
                raise UsageError(f"'{self.config.name}' takes no {option}", f"Leave {option} out.")
        feel = load_feel() if humanize is True else None
        if humanize is None and "humanize" in family.playing_options:
            feel = fitting_feel(grid)
        try:
            playing = Playing(
                tempo=self.tempo if tempo is None else real("tempo", tempo),
                velocity=None if velocity is None else whole("velocity", velocity, 1, 127),
                swing=share,
                quantize=quantize,
                feel=feel,
                seed=self.seed,
                keeps_velocities=velocity is None,
                keeps_timing=swing is None and not quantize,
            )
        except ValueError as error:
            raise UsageError(str(error), "Choose another value.") from None
        if grid is not None and (obstacle := playing.obstacle(grid)):
            raise UsageError(f"'{self.config.name}' cannot be played so: {obstacle}", "Leave humanize and swing out.")
        return playing
