/** Plays a grid in a loop, step by step: what changes in the grid sounds from the next step on. */
class Player {
  /**
   * @param {Sound} sound Audio output.
   * @param {Drums} drums Drums of the model.
   * @param {MidiOut} midi Live MIDI output.
   * @param {(step: number) => {byStep: Hit[][], tempo: number, swing: number}} current Function that returns the hits of
   *   each step and how they are played, for the step that comes next.
   * @param {(step: number) => void} show Function that shows the audible step; -1 for none.
   * @param {() => void} looped Function that is called before the beat begins again.
   */
  constructor(sound, drums, midi, current, show, looped) {
    Object.assign(this, { sound, drums, midi, current, show, looped });
    this.session = null;
  }

  get plays() {
    return this.session !== null;
  }

  /** Starts from the beginning. To be called in the handler of a click or key. */
  async start() {
    this.stop();
    const session = { target: null, step: 0, at: 0, marks: [], end: () => {} };
    this.session = session;
    await this.sound.start();
    if (this.session !== session) return; // stopped before the audio had started
    session.target = this.sound.kit.open();
    session.at = this.sound.context.currentTime + 0.06;
    session.end = this.sound.lookAhead((horizon) => this.schedule(session, horizon));
    requestAnimationFrame(() => this.draw(session));
  }

  stop() {
    const session = this.session;
    if (!session) return;
    this.session = null;
    session.end();
    if (session.target) this.sound.kit.close(session.target);
    this.midi.stop();
    this.show(-1);
  }

  schedule(session, horizon) {
    if (this.session !== session) return;
    for (;;) {
      const { byStep, tempo, swing } = this.current(session.step);
      const seconds = 60 / tempo / this.drums.stepsPerQuarter, delay = delayOf(swing, this.drums);
      const earliest = session.at - MAX_OFFSET * seconds; // a hit may come before its place of the grid
      if (earliest >= horizon) return;
      for (const { drum, velocity, offset } of byStep[session.step]) {
        const when = session.at + (delay * (session.step % 2) + offset) * seconds;
        this.sound.kit.hit(session.target, this.drums.voices[drum], velocity, Math.max(when, this.sound.context.currentTime));
        this.midi.hit(drum, velocity, when);
      }
      this.midi.step(session.step, session.at, seconds);
      session.marks.push({ step: session.step, at: session.at + delay * (session.step % 2) * seconds });
      session.at += seconds;
      session.step = (session.step + 1) % byStep.length;
      if (session.step === 0) this.looped();
    }
  }

  draw(session) {
    if (this.session !== session) return;
    const now = this.sound.audible;
    while (session.marks.length > 1 && session.marks[1].at <= now) session.marks.shift();
    if (session.marks.length && session.marks[0].at <= now) this.show(session.marks[0].step);
    requestAnimationFrame(() => this.draw(session));
  }
}
