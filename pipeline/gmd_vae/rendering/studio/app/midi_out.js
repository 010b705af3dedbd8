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
    this.drums = drums;
    this.sound = sound;
    /** @type {Map<string, MIDIOutput>} */ this.ports = new Map();
    /** @type {MIDIOutput | null} */ this.port = null;
  }

  /**
   * Returns the outputs; the browser asks the user for permission.
   * @returns {Promise<MIDIOutput[]>}
   */
  async outputs() {
    if (!navigator.requestMIDIAccess) throw new Error("this browser has no Web MIDI; Chrome and Edge have it");
    try {
      const { outputs } = await navigator.requestMIDIAccess();
      this.ports = new Map(outputs);
    } catch {
      throw new Error("the browser gave no permission for MIDI");
    }
    return [...this.ports.values()];
  }

  /**
   * Takes an output.
   * @param {string} id Its id; an empty one ends the sending.
   */
  choose(id) {
    if (this.port) this.port.send([MIDI_STOP]);
    this.port = this.ports.get(id) || null;
  }

  /**
   * Returns a time of the audio clock as one of the page's clock.
   * @param {number} when Time of the audio clock, seconds.
   * @returns {number} Milliseconds.
   */
  time(when) {
    return performance.now() + 1000 * (when - this.sound.audible);
  }

  /**
   * Sends a hit.
   * @param {number} drum Number of the drum class.
   * @param {number} velocity MIDI velocity.
   * @param {number} when Time of the audio clock, seconds.
   */
  hit(drum, velocity, when) {
    if (!this.port) return;
    this.port.send([NOTE_ON_DRUMS, this.drums.pitches[drum], velocity], this.time(when));
    this.port.send([NOTE_ON_DRUMS, this.drums.pitches[drum], 0], this.time(when) + NOTE_MILLISECONDS);
  }

  /**
   * Sends the clock of a step; swing does not move it.
   * @param {number} number Number of the step.
   * @param {number} when Its time of the audio clock, seconds.
   * @param {number} seconds Its length.
   */
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
