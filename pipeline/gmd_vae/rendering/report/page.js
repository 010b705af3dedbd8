/**
 * A beat of the page, as ``grid_svg.py`` describes it: its title; milliseconds and quarter note of each bar line; first and
 * last quarter note of each row; and milliseconds, voice and velocity of each hit.
 * @typedef {{title: string, bars: [number, number][], rows: [number, number][], times: number[], voices: number[],
 *   velocities: number[]}} ReportBeat
 */

/**
 * The data of the page, as ``page.py`` embeds them.
 * @typedef {{kit: KitVoice[], loudness: number[], beats: Record<string, ReportBeat>}} ReportData
 */

/**
 * A bar that is audible: its beat and its number.
 * @typedef {{id: string, bar: number}} BarMark
 */

/** Shortest length of a beat in seconds; MIDI files may hold any tempo. */
const SHORTEST_BEAT = 0.25;
/** Milliseconds that the label of a drum stays lit after a hit. */
const LIT = 120;

/** Beats one after the other, bar by bar, again and again or once. */
class BeatList {
  /**
   * @param {Record<string, ReportBeat>} beats Beats by id.
   * @param {string[]} ids Ids of the beats to play.
   * @param {() => boolean} loops Function that returns true if the beats begin again after the last one.
   * @param {() => void} end Function that is called when the music has stopped.
   */
  constructor(beats, ids, loops, end) {
    this.beats = beats;
    this.ids = ids;
    this.loops = loops;
    this.end = end;
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
      if (!this.loops()) return null;
      this.number = 0;
    }
    const id = this.ids[this.number], beat = this.beats[id], { bar } = this, last = bar === beat.bars.length - 2;
    const begin = beat.bars[bar][0], end = beat.bars[bar + 1][0];
    const strokes = beat.times.flatMap((time, hit) =>
      (bar === 0 || time >= begin) && (last || time < end)
        ? [{ after: (time - begin) / 1000, voice: beat.voices[hit], velocity: beat.velocities[hit] }] : []);
    const seconds = (last ? Math.max(end, 1000 * SHORTEST_BEAT) - begin : end - begin) / 1000;
    this.bar = last ? 0 : bar + 1;
    if (last) this.number++;
    return { strokes, seconds, mark: { id, bar } };
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
    /** Quarter notes of the longest row; all rows have the same scale. */
    this.widest = Math.max(...beat.rows.map(([begin, end]) => end - begin));
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
   * @param {number} since Milliseconds since it began.
   */
  moveTo(bar, since) {
    const { bars, rows } = this.beat;
    const [[fromTime, from], [toTime, to]] = [bars[bar], bars[bar + 1]];
    const quarter = from + (to - from) * Math.min(1, since / (toTime - fromTime || 1));
    const found = rows.findIndex(([, end]) => quarter < end), row = found < 0 ? rows.length - 1 : found;
    this.rows.forEach(({ cursor }, number) => cursor.classList.toggle("on", number === row));
    this.rows[row].cursor.style.left = `${(100 * (quarter - rows[row][0]) / this.widest).toFixed(2)}%`;
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

/** Brings the page to life. */
function openReport() {
  /** @type {ReportData} */ const data = JSON.parse(find("#data", HTMLElement).textContent);
  const buttons = findAll("[data-play], [data-walk]", HTMLButtonElement);
  if (!buttons.length) return; // the page has no beats
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  const stopButton = find(".stop", HTMLButtonElement), loopButton = find(".loop", HTMLButtonElement);
  const status = find(".transport output", HTMLElement), volume = find(".volume input", HTMLInputElement);
  const sound = new Sound(data.kit, data.loudness);
  const setVolume = () => sound.setVolume(volume.valueAsNumber / 100);
  const loops = () => loopButton.getAttribute("aria-pressed") === "true";
  /** @type {HTMLButtonElement | null} */ let pressed = null; // the button of what plays
  /** @type {PlayingCard | null} */ let card = null; // the beat that is audible
  setVolume();

  /** @type {Player<BarMark>} */
  const player = new Player(sound, ({ id, bar }, since) => {
    if (card?.id !== id) {
      card?.close();
      card = new PlayingCard(id, data.beats[id], reducedMotion.matches);
      status.textContent = `Playing: ${data.beats[id].title}`;
    }
    card.moveTo(bar, 1000 * since);
  });

  function stopped() {
    pressed?.setAttribute("aria-pressed", "false");
    pressed = null;
    card?.close();
    card = null;
    stopButton.disabled = true;
    status.textContent = "Stopped";
  }

  /**
   * Plays the beats of a button, or stops them.
   * @param {HTMLButtonElement} button The button.
   */
  function press(button) {
    const stops = pressed === button;
    player.stop();
    if (stops) return;
    pressed = button;
    button.setAttribute("aria-pressed", "true");
    stopButton.disabled = false;
    const ids = (button.dataset.walk || button.dataset.play || "").split(" ");
    player.start(new BeatList(data.beats, ids, loops, stopped)).catch((error) => {
      status.textContent = `That failed: ${messageOf(error)}`;
    });
  }

  /**
   * Returns the button next to another one in the direction of an arrow key.
   * @param {HTMLButtonElement} button The button.
   * @param {string} key Name of the key.
   */
  function neighbour(button, key) {
    const index = buttons.indexOf(button);
    if (key === "ArrowLeft") return buttons[index - 1];
    if (key === "ArrowRight") return buttons[index + 1];
    const at = button.getBoundingClientRect(), direction = key === "ArrowDown" ? 1 : -1;
    const distance = (/** @type {Element} */ other) => {
      const to = other.getBoundingClientRect();
      return direction * (to.top - at.top) > 20 ? Math.abs(to.top - at.top) + 0.3 * Math.abs(to.left - at.left) : Infinity;
    };
    const best = buttons.reduce((one, other) => (distance(other) < distance(one) ? other : one), button);
    return distance(best) < Infinity ? best : undefined;
  }

  for (const button of buttons) {
    button.addEventListener("click", () => press(button));
    button.addEventListener("keydown", (event) => {
      if (!event.key.startsWith("Arrow") || event.ctrlKey || event.altKey || event.metaKey) return;
      const next = neighbour(button, event.key);
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
  }
  const toggleLoop = () => loopButton.setAttribute("aria-pressed", String(!loops()));
  stopButton.addEventListener("click", () => player.stop());
  loopButton.addEventListener("click", toggleLoop);
  volume.addEventListener("input", setVolume);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.key === "Escape") player.stop();
    if (event.key === "l" || event.key === "L") toggleLoop();
  });
}

openReport();
