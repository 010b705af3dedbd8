/**
 * A grid as it is played now: hits of each step, quarter notes per minute, and swing in percent.
 * @typedef {{byStep: Hit[][], tempo: number, swing: number}} PlayedGrid
 */

/**
 * A step that is audible, and the seconds by which swing delays it.
 * @typedef {{step: number, late: number}} StepMark
 */

/** A grid in a loop, step by step: what changes in it sounds from the next step on. */
class GridMusic {
  /**
   * @param {Drums} drums Drums of the model.
   * @param {MidiOut} midi Live MIDI output.
   * @param {(step: number) => PlayedGrid} current Function that returns the grid, for the step that comes next.
   * @param {() => void} looped Function that is called before the beat begins again.
   * @param {() => void} end Function that is called when the music has stopped.
   */
  constructor(drums, midi, current, looped, end) {
    this.drums = drums;
    this.midi = midi;
    this.current = current;
    this.looped = looped;
    this.ended = end;
    this.step = 0;
  }

  /** Returns the largest offset of a hit before its step, in seconds. */
  lead() {
    return MAX_OFFSET * this.seconds(this.current(this.step).tempo);
  }

  /**
   * Returns the length of a step, in seconds.
   * @param {number} tempo Quarter notes per minute.
   */
  seconds(tempo) {
    return 60 / tempo / this.drums.stepsPerQuarter;
  }

  /**
   * Returns the next step, and sends it to the MIDI output.
   * @param {number} when Time of the audio clock.
   * @returns {Passage<StepMark>}
   */
  next(when) {
    const { step, drums } = this, { byStep, tempo, swing } = this.current(step);
    const seconds = this.seconds(tempo), late = delayOf(swing, drums) * (step % 2);
    const strokes = byStep[step].map(({ drum, velocity, offset }) => {
      const after = (late + offset) * seconds;
      this.midi.hit(drum, velocity, when + after);
      return { after, voice: drums.voices[drum], velocity };
    });
    this.midi.step(step, when, seconds);
    this.step = (step + 1) % byStep.length;
    if (this.step === 0) this.looped();
    return { strokes, seconds, mark: { step, late: late * seconds } };
  }

  end() {
    this.midi.stop();
    this.ended();
  }
}
