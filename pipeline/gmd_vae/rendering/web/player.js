/** Seconds from the start of the audio clock to the first stroke. */
const START_AFTER = 0.06;

/**
 * A stroke of a passage: seconds after the beginning of the passage, index of the voice, and MIDI velocity.
 * @typedef {{after: number, voice: number, velocity: number}} Stroke
 */

/**
 * A short part of the music, scheduled as a whole: its strokes, its length, and what the page shows while it sounds.
 * @template Mark
 * @typedef {{strokes: Stroke[], seconds: number, mark: Mark}} Passage
 */

/**
 * Music for the player. ``next`` returns the passage that begins at a time of the audio clock; null while there is none,
 * and when the last one has sounded the player stops. ``lead`` returns the seconds by which a stroke of the next passage
 * can come before it. ``end`` is called when the music has stopped.
 * @template Mark
 * @typedef {{next: (when: number) => Passage<Mark> | null, lead: () => number, end: () => void}} Music
 */

/**
 * Plays passages one after the other. They are scheduled by the audio clock, a moment before they sound.
 * @template Mark
 */
class Player {
  /**
   * @param {Sound} sound Audio output.
   * @param {(mark: Mark, since: number) => void} show Function that shows the passage that is audible, and the seconds since
   *   it began; it is called for each frame.
   */
  constructor(sound, show) {
    this.sound = sound;
    this.show = show;
    /**
     * What plays now: music, its playback, the time of the next passage, true after the last one, and the scheduled ones.
     * @type {{music: Music<Mark>, target: Playback | null, at: number, last: boolean, marks: {mark: Mark, at: number}[],
     *   endTimer: () => void} | null}
     */
    this.session = null;
  }

  get plays() {
    return this.session !== null;
  }

  /**
   * Plays music from its beginning. To be called in the handler of a click or key.
   * @param {Music<Mark>} music Music.
   */
  async start(music) {
    this.stop();
    const session = { music, target: null, at: 0, last: false, marks: [], endTimer: () => {} };
    this.session = session;
    await this.sound.start();
    if (this.session !== session) return; // stopped before the audio had started
    this.session.target = this.sound.kit.open();
    this.session.at = this.sound.context.currentTime + START_AFTER;
    this.session.endTimer = this.sound.lookAhead((horizon) => this.schedule(horizon));
    requestAnimationFrame(() => this.draw(music));
  }

  /**
   * Stops.
   * @param {boolean} [rings] True if the last strokes ring on.
   */
  stop(rings = false) {
    const { session } = this;
    if (!session) return;
    this.session = null;
    session.endTimer();
    if (session.target && !rings) this.sound.kit.close(session.target);
    session.music.end();
  }

  /**
   * Schedules the passages that have strokes before a time.
   * @param {number} horizon Time of the audio clock, seconds.
   */
  schedule(horizon) {
    const { session } = this;
    while (session?.target && session.at - session.music.lead() < horizon) {
      const passage = session.music.next(session.at);
      session.last = passage === null;
      if (!passage) return;
      for (const { after, voice, velocity } of passage.strokes) {
        const when = Math.max(session.at + after, this.sound.context.currentTime);
        this.sound.kit.hit(session.target, voice, velocity, when);
      }
      session.marks.push({ mark: passage.mark, at: session.at });
      session.at += passage.seconds;
    }
  }

  /**
   * Shows what is audible, frame by frame, until the music stops.
   * @param {Music<Mark>} music Music that was started.
   */
  draw(music) {
    const { session } = this;
    if (!session || session.music !== music) return;
    const now = this.sound.audible, { marks } = session;
    if (session.last && now >= session.at) {
      this.stop(true);
      return;
    }
    while (marks.length > 1 && marks[1].at <= now) marks.shift();
    if (marks.length && marks[0].at <= now) this.show(marks[0].mark, now - marks[0].at);
    requestAnimationFrame(() => this.draw(music));
  }
}
