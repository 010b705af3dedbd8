/**
 * A voice of the drum kit, as ``kit_samples.py`` encodes it.
 * @typedef {{name: string, rate: number, samples: string, gain: number, pan: number}} KitVoice
 */

/** Hi-hats: the closed one stops the open one. Skins stop at once when they are hit again, cymbals ring on. */
const CLOSED_HAT = 2, OPEN_HAT = 3, LAST_TOM = 6;
/** Soft limiter: linear below the knee, never above the ceiling, as in ``sound.py``. */
const KNEE = 0.7, CEILING = 0.98;
/** Largest input of the limiter; beyond it the curve is flat. */
const LIMITER_RANGE = 8;
/** Seconds that are scheduled ahead; timers of a hidden page run once per second. */
const AHEAD = 0.15, AHEAD_HIDDEN = 2.5;

/**
 * One playback: the bus of its strokes, and the loudness of the stroke that rings on each voice.
 * @typedef {{bus: GainNode, ringing: (GainNode | null)[]}} Playback
 */

/** The drum kit in an audio context, live or offline. */
class DrumKit {
  /**
   * @param {BaseAudioContext} context Audio context.
   * @param {KitVoice[]} voices Encoded voices.
   * @param {number[]} loudness Gain of each eighth velocity, 16 numbers.
   */
  constructor(context, voices, loudness) {
    this.context = context;
    this.voices = voices;
    this.loudness = loudness;
    this.buffers = voices.map((voice) => decodedVoice(context, voice));
    this.master = new GainNode(context, { gain: 1 });
    // a compressor node would add make-up gain, and lets peaks through
    const into = new GainNode(context, { gain: 1 / LIMITER_RANGE });
    this.limiter = new WaveShaperNode(context, { curve: limiterCurve() });
    this.master.connect(into).connect(this.limiter).connect(context.destination);
  }

  /**
   * Begins a playback.
   * @returns {Playback}
   */
  open() {
    const bus = new GainNode(this.context);
    bus.connect(this.master);
    return { bus, ringing: [] };
  }

  /**
   * Starts a stroke.
   * @param {Playback} target Playback, from `open`.
   * @param {number} voice Index of the voice.
   * @param {number} velocity MIDI velocity.
   * @param {number} when Time of the context, seconds.
   */
  hit(target, voice, velocity, when) {
    const { gain, pan } = this.voices[voice];
    const loudness = new GainNode(this.context, { gain: gain * this.loudness[velocity >> 3] });
    const panner = new StereoPannerNode(this.context, { pan });
    const source = new AudioBufferSourceNode(this.context, { buffer: this.buffers[voice] });
    source.connect(loudness).connect(panner).connect(target.bus);
    for (const cut of voice === CLOSED_HAT ? [CLOSED_HAT, OPEN_HAT] : [voice]) {
      const before = target.ringing[cut];
      if (before) before.gain.setTargetAtTime(0, when, cut <= LAST_TOM ? 0.006 : 0.1);
      target.ringing[cut] = null;
    }
    target.ringing[voice] = loudness;
    source.start(when);
  }

  /**
   * Sets the volume.
   * @param {number} share Volume, 0 to 1.
   */
  setVolume(share) {
    this.master.gain.setTargetAtTime(1.4 * share ** 2, this.context.currentTime, 0.02);
  }

  /**
   * Fades a playback out and removes it.
   * @param {Playback} target Playback, from `open`.
   */
  close(target) {
    target.bus.gain.setTargetAtTime(0, this.context.currentTime, 0.015);
    setTimeout(() => target.bus.disconnect(), 200);
  }
}

/**
 * Returns the samples of a voice: 8-bit µ-law in base64.
 * @param {BaseAudioContext} context Audio context.
 * @param {KitVoice} voice Encoded voice.
 */
function decodedVoice(context, voice) {
  const bytes = atob(voice.samples);
  const buffer = context.createBuffer(1, bytes.length, voice.rate);
  const samples = buffer.getChannelData(0);
  for (let at = 0; at < bytes.length; at++) {
    const coded = (bytes.charCodeAt(at) - 128) / 127;
    samples[at] = Math.sign(coded) * (256 ** Math.abs(coded) - 1) / 255;
  }
  return buffer;
}

/** Returns the curve of the limiter over -`LIMITER_RANGE` to `LIMITER_RANGE`. */
function limiterCurve() {
  const half = 4096, curve = new Float32Array(2 * half + 1), room = CEILING - KNEE;
  for (let at = 0; at <= half; at++) {
    const size = (LIMITER_RANGE * at) / half;
    const bent = size <= KNEE ? size : KNEE + room * Math.tanh((size - KNEE) / room);
    curve[half + at] = bent;
    curve[half - at] = -bent;
  }
  return curve;
}

/** The live audio output of a page, opened by the first click. */
class Sound {
  /**
   * @param {KitVoice[]} voices Encoded voices.
   * @param {number[]} loudness Gain of each eighth velocity.
   */
  constructor(voices, loudness) {
    this.voices = voices;
    this.loudness = loudness;
    this.volume = 0.8;
    /** @type {{context: AudioContext, kit: DrumKit} | null} */ this.output = null;
  }

  /** The output that `start` opened. */
  get opened() {
    if (!this.output) throw new Error("the audio output is not open");
    return this.output;
  }

  /** The audio clock. */
  get context() {
    return this.opened.context;
  }

  /** The kit at the audio output. */
  get kit() {
    return this.opened.kit;
  }

  /** Starts the audio clock. To be called in the handler of a click or key. */
  async start() {
    // iOS: sound also while the ring switch is off
    if (navigator.audioSession) navigator.audioSession.type = "playback";
    const stopped = this.output && this.context.state !== "running";
    if (!this.output || this.context.state === "closed") this.open();
    await this.context.resume();
    if (stopped && !(await this.advances())) { // iOS after a phone call: the state is right, and the clock stands still
      await this.context.close();
      this.open();
      await this.context.resume();
    }
  }

  open() {
    const context = new AudioContext({ latencyHint: "interactive" });
    this.output = { context, kit: new DrumKit(context, this.voices, this.loudness) };
    this.kit.master.gain.value = 0;
    this.setVolume(this.volume);
  }

  async advances() {
    const before = this.context.currentTime;
    await new Promise((resolve) => setTimeout(resolve, 120));
    return this.context.currentTime > before;
  }

  /**
   * Sets the volume.
   * @param {number} share Volume, 0 to 1.
   */
  setVolume(share) {
    this.volume = share;
    if (this.output) this.kit.setVolume(share);
  }

  /** The time that is audible now. */
  get audible() {
    return this.context.currentTime - (this.context.outputLatency || 0);
  }

  /**
   * Calls a function again and again with the time up to which it has to schedule.
   * @param {(horizon: number) => void} fill Function that schedules strokes.
   * @returns {() => void} Function that ends the calls.
   */
  lookAhead(fill) {
    const run = () => fill(this.context.currentTime + (document.hidden ? AHEAD_HIDDEN : AHEAD));
    const timer = setInterval(run, 40);
    document.addEventListener("visibilitychange", run);
    run();
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", run);
    };
  }
}
