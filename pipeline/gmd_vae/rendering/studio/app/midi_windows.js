// The windows of a MIDI file, as the Python package cuts them: drum_windows.py, beat_time.py, repeated_loop.py and
// fullest_window.py.

/** Lowest velocities of a medium and of a loud hit. */
const MEDIUM_FROM = 57, ACCENT_FROM = 100;
/** A change of time signature up to a 32nd note behind a bar line belongs to the line; quarter notes. */
const LATE_SIGNATURE = 1 / 8;
const DEFAULT_TEMPO = 120;
/** Distance from a bar line that counts as the line, in steps. */
const ON_THE_LINE = 1e-3;

/** Windows of a file that are shown at once. */
const MOST_WINDOWS = 48;

/**
 * A hit in the drums of the model: its time, drum class and velocity. Times are seconds at one tempo, since the package
 * counts so: a hit half-way between two steps goes to the same one.
 * @typedef {{time: number, drum: number, velocity: number}} TimedHit
 */

/**
 * Tempos as changes, in ticks and quarter notes per minute; seconds of a tick and of a bar, and steps of a second, at one
 * tempo.
 * @typedef {{changes: {tick: number, qpm: number}[], tick: number, bar: number, rate: number}} Clock
 */

/**
 * A part of the music with one time signature; its beginning in seconds.
 * @typedef {{begin: number, numerator: number, denominator: number}} Section
 */

/** Music that gives no window: time signatures, and numbers of stretches that are too short or cut off. */
/** @typedef {{signatures: Set<string>, tooShort: number, cutOff: number}} LeftOut */

/** A window: levels of its cells, and its beginning in seconds. */
/** @typedef {{levels: Uint8Array, begin: number}} FileWindow */

/**
 * Returns the clock of a file: of several tempos, the music is counted at 120.
 * @param {MidiDrums} music Music of the file.
 * @param {Drums} drums Drums of the model.
 * @returns {Clock}
 */
function clockOf({ ticksPerQuarter, tempos, end }, { stepsPerQuarter, stepsPerBar }) {
  const usual = 60 / (DEFAULT_TEMPO * ticksPerQuarter), changes = [{ tick: 0, qpm: DEFAULT_TEMPO, scale: usual }];
  for (const { tick, microseconds } of tempos.slice().sort((a, b) => a.tick - b.tick)) {
    const last = changes[changes.length - 1], scale = 60 / (6e7 / microseconds * ticksPerQuarter);
    const qpm = 60 / (scale * ticksPerQuarter); // with the rounding of the package
    if (tick >= end || qpm === last.qpm) continue;
    if (tick > last.tick) changes.push({ tick, qpm, scale });
    else Object.assign(last, { qpm, scale });
  }
  const { qpm, scale } = changes.length === 1 ? changes[0] : { qpm: DEFAULT_TEMPO, scale: usual };
  const bar = 60 * stepsPerBar / (qpm * stepsPerQuarter);
  return { changes, tick: scale, bar, rate: stepsPerQuarter * qpm / 60 };
}

/**
 * Returns the sections of a file.
 * @param {MidiDrums} music Music of the file.
 * @param {Clock} clock Its clock.
 */
function sectionsOf({ ticksPerQuarter, signatures, end }, clock) {
  /** @type {Section[]} */ const sections = [{ begin: 0, numerator: 4, denominator: 4 }];
  let line = 0; // tick at which the last section begins
  for (const { tick, numerator, denominator } of signatures.slice().sort((a, b) => a.tick - b.tick)) {
    const last = sections[sections.length - 1];
    if (tick >= end || (numerator === last.numerator && denominator === last.denominator)) continue;
    const behind = (tick - line) % (ticksPerQuarter * 4 * last.numerator / last.denominator);
    const begin = behind <= LATE_SIGNATURE * ticksPerQuarter ? tick - behind : tick;
    if (begin > line) sections.push({ begin: clock.tick * begin, numerator, denominator });
    else Object.assign(last, { numerator, denominator });
    line = begin;
  }
  return sections;
}

/**
 * Returns true if the bars of a section are as long as those of the model.
 * @param {Section} section Section.
 * @param {Drums} drums Drums of the model.
 */
function fits({ numerator, denominator }, { stepsPerQuarter, stepsPerBar }) {
  return stepsPerQuarter * 4 * numerator / denominator === stepsPerBar;
}

/**
 * Cuts hits into windows, one at each bar; equal ones of a section count once.
 * @param {TimedHit[]} hits Hits.
 * @param {Section[]} sections Sections of the file.
 * @param {Clock} clock Its clock.
 * @param {Drums} drums Drums of the model.
 * @returns {{windows: FileWindow[], left: LeftOut}} In the order of time.
 */
function cutWindows(hits, sections, clock, drums) {
  /** @type {LeftOut} */ const left = { signatures: new Set(), tooShort: 0, cutOff: 0 };
  /** @type {FileWindow[]} */ const windows = [];
  sections.forEach((section, number) => {
    const next = sections[number + 1], end = next ? next.begin : Infinity;
    const members = hits.filter(({ time }) => time >= section.begin && time < end);
    if (members.length && !fits(section, drums)) left.signatures.add(`${section.numerator}/${section.denominator}`);
    else windows.push(...windowsOfSection(members, section.begin, clock, drums, left));
  });
  return { windows, left };
}

/**
 * Cuts the hits of a section into windows.
 * @param {TimedHit[]} hits Hits of the section.
 * @param {number} begin Beginning of the section in seconds.
 * @param {Clock} clock Clock of the file.
 * @param {Drums} drums Drums of the model.
 * @param {LeftOut} left Receives what gives no window.
 */
function windowsOfSection(hits, begin, clock, drums, left) {
  const count = drums.names.length, bar = drums.stepsPerBar, size = drums.bars * bar * count;
  /** @type {Map<number, Uint8Array>} */ const columns = new Map(); // levels of the drums, by step of the section
  for (const { time, drum, velocity } of hits) {
    const step = Math.floor((time - begin) * clock.rate + 0.5), column = columns.get(step) || new Uint8Array(count);
    column[drum] = Math.max(column[drum], velocity >= ACCENT_FROM ? 3 : velocity >= MEDIUM_FROM ? 2 : 1);
    columns.set(step, column);
  }
  const steps = [...columns.keys()].sort((a, b) => a - b);
  /** @type {Map<string, FileWindow>} */ const different = new Map();
  for (let first = 0; first < steps.length;) {
    let last = first; // of the stretch: a pause ends it
    while (last + 1 < steps.length && steps[last + 1] - steps[last] - 1 < drums.gapSteps) last++;
    const origin = Math.floor(steps[first] / bar) * bar, all = Math.floor((steps[last] - origin) / bar) + 1;
    const bars = Math.min(all, drums.mostBars || all), behind = origin + all * bar;
    if (bars < all) left.cutOff++;
    if (bars < drums.bars) left.tooShort++;
    const grid = new Uint8Array(bars * bar * count);
    for (; first < steps.length && steps[first] < behind; first++) {
      const place = (steps[first] - origin) * count;
      if (first <= last && place < grid.length) grid.set(columns.get(steps[first]) || [], place);
    }
    for (let at = 0; at + size <= grid.length; at += bar * count) {
      const levels = grid.slice(at, at + size), hitsOnly = levels.map(Math.sign).join("");
      if (!different.has(hitsOnly)) different.set(hitsOnly, { levels, begin: begin + (origin + at / count) / clock.rate });
    }
  }
  return [...different.values()];
}

/**
 * Returns the first bar, from 0, and the number of bars of music that is shorter than a window; null for other music.
 * @param {TimedHit[]} hits Hits.
 * @param {Section[]} sections Sections of the file.
 * @param {Clock} clock Its clock.
 * @param {Drums} drums Drums of the model.
 */
function findLoop(hits, sections, clock, drums) {
  if (sections.length !== 1 || !fits(sections[0], drums) || !hits.length) return null;
  const places = hits.map(({ time }) => time * clock.rate), bar = drums.stepsPerBar;
  const first = Math.floor(Math.floor(places.reduce((a, b) => Math.min(a, b)) + 0.5) / bar);
  const last = Math.floor((places.reduce((a, b) => Math.max(a, b)) + ON_THE_LINE) / bar); // an early hit stays in its bar
  const bars = Math.max(last - first, 0) + 1;
  return bars < drums.bars ? { first, bars } : null;
}

/**
 * Returns the hits of a loop, repeated to the end of a window. A hit early for the bar behind the loop comes first, too.
 * @param {TimedHit[]} hits Hits of the loop.
 * @param {{first: number, bars: number}} loop Its bars; a window is a whole number of them.
 * @param {Clock} clock Clock of the file.
 * @param {Drums} drums Drums of the model.
 */
function repeatLoop(hits, { first, bars }, clock, drums) {
  const length = bars * clock.bar, end = (first + bars) * drums.stepsPerBar;
  return Array.from({ length: drums.bars / bars }, (_, repeat) => hits.map((hit) => {
    const wraps = Math.floor(hit.time / (clock.bar / drums.stepsPerBar) + 0.5) >= end;
    return { ...hit, time: Math.max(0, hit.time + (repeat - Number(wraps)) * length) };
  })).flat();
}

/**
 * Returns the median tempo of a part of the music, weighted by its ticks.
 * @param {Clock} clock Clock of the file.
 * @param {number} begin Beginning of the part in ticks.
 * @param {number} end Its end.
 */
function tempoOf({ changes }, begin, end) {
  const parts = changes.map(({ tick, qpm }, number) => {
    const next = changes[number + 1];
    return { qpm, weight: Math.max(0, Math.min(next ? next.tick : Infinity, end) - Math.max(tick, begin)) };
  }).sort((a, b) => a.qpm - b.qpm);
  let below = 0;
  for (const { qpm, weight } of parts) {
    below += weight;
    if (weight && below >= (end - begin) / 2) return qpm;
  }
  return changes[0].qpm;
}

/**
 * Returns the index of the window with the most hits that recur in a bar beside theirs; of equal ones, the first.
 * @param {FileWindow[]} windows Windows.
 * @param {Drums} drums Drums of the model.
 */
function fullestRegular(windows, drums) {
  const bar = drums.stepsPerBar * drums.names.length;
  const counts = windows.map(({ levels }, number) => levels.reduce((sum, level, at) => {
    const beside = drums.bars > 1
      ? [levels[at - bar], levels[at + bar]]
      : [number - 1, number + 1].map((other) => windows[other] && windows[other].levels[at]);
    return sum + Number(level > 0 && beside.some(Boolean));
  }, 0));
  return counts.indexOf(Math.max(...counts));
}

/**
 * The windows of a file: levels of each; the index of the one that ``gmd-vae generate`` takes (-1: there is none), and its
 * tempo; what was left out, or why there is no window, as texts; and the bars of a loop that was repeated, or 0.
 * @typedef {{windows: Uint8Array[], taken: number, tempo: number, notes: string[], loopBars: number}} FileWindows
 */

/**
 * Cuts the drums of a MIDI file into windows. A loop that is shorter than a window is repeated to one.
 * @param {MidiDrums} music Drums of the file.
 * @param {Drums} drums Drums of the model.
 * @returns {FileWindows}
 */
function windowsOf(music, drums) {
  /** @type {string[]} */ const notes = [];
  /** @type {Map<number, number>} */ const classOf = new Map();
  drums.classes.forEach((pitches, drum) => pitches.forEach((pitch) => classOf.set(pitch, drum)));
  const clock = clockOf(music, drums);
  /** @type {TimedHit[]} */
  const hits = music.hits.flatMap(({ tick, pitch, velocity }) => {
    const drum = classOf.get(pitch);
    return drum === undefined ? [] : [{ time: clock.tick * tick, drum, velocity }];
  });
  const unknown = music.hits.length - hits.length;
  if (unknown) notes.push(`${counted(unknown, "hit")} on pitches that are none of the drums`);
  const notDrums = [...music.others.values()].reduce((sum, pitches) => sum + pitches.length, 0);
  if (notDrums) notes.push(`${counted(notDrums, "note")} of other instruments`);

  const sections = sectionsOf(music, clock), { windows: cut, left } = cutWindows(hits, sections, clock, drums);
  const loop = cut.length ? null : findLoop(hits, sections, clock, drums), repeats = loop && drums.bars % loop.bars === 0;
  const repeated = loop && repeats ? repeatLoop(hits, loop, clock, drums) : [];
  const windows = repeated.length ? cutWindows(repeated, sections, clock, drums).windows : cut;
  const quarters = drums.stepsPerBar / drums.stepsPerQuarter;
  if (left.signatures.size) {
    notes.push(`music in ${[...left.signatures].join(", ")}: the model takes bars of ${quarters} quarter notes`);
  }
  if (loop && !repeats) notes.push(`${counted(loop.bars, "bar")}, which cannot be repeated to ${drums.bars} without a cut`);
  else if (left.tooShort && !(loop && windows.length)) {
    notes.push(`${counted(left.tooShort, "stretch", "stretches")} of drums shorter than ${counted(drums.bars, "bar")}`);
  }
  if (left.cutOff) notes.push(`what follows the first ${drums.mostBars} bars of a stretch`);
  const taken = fullestRegular(windows, drums), begin = windows.length ? windows[taken].begin / clock.tick : 0;
  return {
    windows: windows.map(({ levels }) => levels),
    taken,
    tempo: tempoOf(clock, begin, begin + drums.bars * quarters * music.ticksPerQuarter),
    notes,
    loopBars: loop && repeats && windows.length ? loop.bars : 0,
  };
}

/**
 * Returns the index of the first window that is shown: that of ``gmd-vae generate`` is among them.
 * @param {FileWindows} found Windows of a file.
 */
function firstShown({ windows, taken }) {
  return taken < MOST_WINDOWS ? 0 : Math.min(taken, windows.length - MOST_WINDOWS);
}

/**
 * Returns sentences about the windows of a file.
 * @param {string} name Name of the file.
 * @param {MidiDrums} music Its music.
 * @param {FileWindows} found Its windows.
 * @param {Drums} drums Drums of the model.
 */
function describeWindows(name, music, found, drums) {
  const { windows, taken, loopBars, notes } = found, first = firstShown(found), none = music.hits.length ? "windows" : "drums";
  const count = `${counted(windows.length, "window")} of ${counted(drums.bars, "bar")}`;
  const texts = [`${name}: ${windows.length ? `${count}: press to take ${windows.length > 1 ? "one" : "it"}` : `no ${none}`}.`];
  if (windows.length > MOST_WINDOWS) texts.push(`Here are ${first + 1} to ${first + MOST_WINDOWS}.`);
  if (windows.length > 1) texts.push(`The fullest regular one is window ${taken + 1}.`);
  if (loopBars) texts.push(`It has ${counted(loopBars, "bar")}: repeated to ${drums.bars}.`);
  if (notes.length) texts.push(`Left out: ${notes.join("; ")}.`);
  return texts;
}

/**
 * Returns a count in words: ``1 bar``, ``2 bars``.
 * @param {number} count Count.
 * @param {string} one Word for one.
 * @param {string} [many] Word for several.
 */
function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
