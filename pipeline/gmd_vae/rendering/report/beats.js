/**
 * A row of a beat: first and last quarter note, places of the lines between bars and between beats, and the first and the
 * last of its hits.
 * @typedef {{begin: number, end: number, bars: number[], beats: number[], hits: [number, number]}} BeatRow
 */

/**
 * A beat of the page, as ``beat_data.py`` describes it: its title, file name and folder; tempo, and place of the tempo's bytes
 * in the MIDI file; milliseconds and quarter note of each bar line; rows, length of the longest one and width of a hit; and
 * milliseconds, quarter note, voice and velocity of each hit. ``whole`` is true if no bar is left out.
 * @typedef {{title: string, name: string, folder: string, tempo: number, tempoAt: number | null, bars: [number, number][],
 *   rows: BeatRow[], length: number, hitWidth: number, times: number[], quarters: number[], voices: number[],
 *   velocities: number[], whole: boolean}} ReportBeat
 */

/**
 * A bar that is audible: its beat, its number, and its speed (1: as the MIDI file has it).
 * @typedef {{id: string, bar: number, speed: number}} BarMark
 */

/** Shortest length of a beat in seconds; MIDI files may hold any tempo. */
const SHORTEST_BEAT = 0.25;
/** Milliseconds that the label of a drum stays lit after a hit. */
const LIT = 120;

/**
 * Draws the rows of a beat into its card.
 * @param {string} id Id of the beat and of its card.
 * @param {ReportBeat} beat The beat.
 * @param {number} lanes Number of voices.
 */
function drawBeat(id, beat, lanes) {
  const { length, hitWidth } = beat;
  findAll(`#${id} .grid`, HTMLElement).forEach((grid, number) => {
    const { begin, bars, beats, hits: [first, end] } = beat.rows[number];
    /** @type {PictureHit[]} */ const hits = [];
    for (let hit = first; hit < end; hit++) {
      const voice = beat.voices[hit];
      hits.push({ at: beat.quarters[hit] - begin, lane: voice, voice, velocity: beat.velocities[hit] });
    }
    const from = (/** @type {number[]} */ places) => places.map((place) => place - begin);
    grid.prepend(pictureOf(hits, { length, lanes, hitWidth, bars: from(bars), beats: from(beats) }));
  });
}

/**
 * Returns a beat as strokes of the kit, and its length in seconds.
 * @param {ReportBeat} beat The beat.
 * @param {number} speed Speed; 1 is that of the MIDI file.
 */
function strokesOfBeat(beat, speed) {
  /** @type {Stroke[]} */ const strokes = beat.times.map((time, hit) =>
    ({ after: time / 1000 / speed, voice: beat.voices[hit], velocity: beat.velocities[hit] }));
  return { strokes, seconds: Math.max(beat.bars[beat.bars.length - 1][0] / 1000 / speed, SHORTEST_BEAT) };
}

/** Beats one after the other, bar by bar, again and again or once. */
class BeatList {
  /**
   * @param {Record<string, ReportBeat>} beats Beats by id.
   * @param {string[]} ids Ids of the beats to play.
   * @param {{loops: () => boolean, speed: (beat: ReportBeat) => number, end: () => void}} control Functions that return true
   *   if the beats begin again after the last one, and the speed of a beat; and one that is called when the music has stopped.
   */
  constructor(beats, ids, control) {
    this.beats = beats;
    this.ids = ids;
    this.control = control;
    this.bar = 0;
    this.number = 0;
  }

  lead() {
    return 0;
  }

  /**
   * Returns the next bar.
   * @returns {Passage<BarMark> | null}
   */
  next() {
    if (this.number === this.ids.length) {
      if (!this.control.loops()) return null;
      this.number = 0;
    }
    const id = this.ids[this.number], beat = this.beats[id], { bar } = this, last = bar === beat.bars.length - 2;
    const begin = beat.bars[bar][0], end = beat.bars[bar + 1][0], speed = this.control.speed(beat);
    const strokes = beat.times.flatMap((time, hit) =>
      (bar === 0 || time >= begin) && (last || time < end)
        ? [{ after: (time - begin) / 1000 / speed, voice: beat.voices[hit], velocity: beat.velocities[hit] }] : []);
    const seconds = (last ? Math.max(end, 1000 * SHORTEST_BEAT) - begin : end - begin) / 1000 / speed;
    this.bar = last ? 0 : bar + 1;
    if (last) this.number++;
    return { strokes, seconds, mark: { id, bar, speed } };
  }

  end() {
    this.control.end();
  }
}

/** The card of the beat that sounds: its cursor, and the labels of its drums. */
class PlayingCard {
  /**
   * @param {string} id Id of the beat and of its card.
   * @param {ReportBeat} beat The beat.
   * @param {boolean} still True if nothing may flash.
   */
  constructor(id, beat, still) {
    this.id = id;
    this.beat = beat;
    this.still = still;
    this.card = find(`#${id}`, HTMLElement);
    this.rows = findAll(".row", HTMLElement, this.card).map((row) => ({
      cursor: find(".cursor", HTMLElement, row), lanes: findAll(".lanes li", HTMLElement, row).reverse(),
    }));
    this.now = 0;
    this.hit = 0;
    /** Time of the last hit of each voice. */
    /** @type {number[]} */ this.lit = [];
    this.card.classList.add("playing");
    const strip = /** @type {HTMLElement | null} */ (this.card.closest(".walk .cards"));
    if (strip) strip.scrollTo({ left: this.card.offsetLeft - 24, behavior: still ? "auto" : "smooth" });
  }

  close() {
    for (const name of ["playing", "on", "lit"]) {
      for (const element of findAll(`.${name}`, HTMLElement, this.card)) element.classList.remove(name);
      this.card.classList.remove(name);
    }
  }

  /**
   * Moves the cursor.
   * @param {number} bar Number of the bar.
   * @param {number} since Milliseconds since it began, at the speed of the MIDI file.
   */
  moveTo(bar, since) {
    const { bars, rows } = this.beat;
    const [[fromTime, from], [toTime, to]] = [bars[bar], bars[bar + 1]];
    const quarter = from + (to - from) * Math.min(1, since / (toTime - fromTime || 1));
    const found = rows.findIndex(({ end }) => quarter < end), row = found < 0 ? rows.length - 1 : found;
    this.rows.forEach(({ cursor }, number) => cursor.classList.toggle("on", number === row));
    this.rows[row].cursor.style.left = `${(100 * (quarter - rows[row].begin) / this.beat.length).toFixed(2)}%`;
    if (!this.still) this.light(row, fromTime + since);
  }

  /**
   * Lights the labels of the drums that were just hit.
   * @param {number} row Number of the row.
   * @param {number} now Milliseconds since the beat began.
   */
  light(row, now) {
    const { times, voices } = this.beat;
    if (now < this.now) this.hit = 0; // the beat repeats
    this.now = now;
    for (; this.hit < times.length && times[this.hit] <= now; this.hit++) this.lit[voices[this.hit]] = times[this.hit];
    this.rows[row].lanes.forEach((lane, voice) => {
      const since = now - this.lit[voice];
      lane.classList.toggle("lit", since >= 0 && since < LIT);
    });
  }
}
