const CLOCKS_PER_QUARTER = 24;
const MIDI_CLOCK = 0xf8, MIDI_START = 0xfa, MIDI_STOP = 0xfc;
const NOTE_MILLISECONDS = 60;

/** Live MIDI output with a clock, where the browser has Web MIDI. */
class MidiOut {
  /**
   * @param {Drums} drums Drums of the model.
   * @param {Sound} sound Audio output, whose clock the times are on.
   */
  constructor(drums, sound) {
    Object.assign(this, { drums, sound });
    this.port = null;
  }

  /**
   * Returns the outputs; the browser asks the user for permission.
   * @returns {Promise<{id: string, name: string}[]>}
   */
  async outputs() {
    if (!navigator.requestMIDIAccess) throw new Error("this browser has no Web MIDI; Chrome and Edge have it");
    try {
      this.access = await navigator.requestMIDIAccess();
    } catch {
      throw new Error("the browser gave no permission for MIDI");
    }
    return [...this.access.outputs.values()];
  }

  /** Takes an output by its id; an empty one ends the sending. */
  choose(id) {
    if (this.port) this.port.send([MIDI_STOP]);
    this.port = id ? this.access.outputs.get(id) : null;
  }

  /** Returns a time of the audio clock as one of the page's clock, in milliseconds. */
  time(when) {
    return performance.now() + 1000 * (when - this.sound.audible);
  }

  hit(drum, velocity, when) {
    if (!this.port) return;
    this.port.send([NOTE_ON_DRUMS, this.drums.pitches[drum], velocity], this.time(when));
    this.port.send([NOTE_ON_DRUMS, this.drums.pitches[drum], 0], this.time(when) + NOTE_MILLISECONDS);
  }

  /** Sends the clock of a step; swing does not move it. */
  step(number, when, seconds) {
    if (!this.port) return;
    if (number === 0) this.port.send([MIDI_START], this.time(when));
    const clocks = CLOCKS_PER_QUARTER / this.drums.stepsPerQuarter;
    for (let clock = 0; clock < Math.floor(clocks); clock++) {
      this.port.send([MIDI_CLOCK], this.time(when + (clock * seconds) / clocks));
    }
  }

  stop() {
    if (this.port) this.port.send([MIDI_STOP]);
  }
}
