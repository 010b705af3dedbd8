const MOST_MIDI_BYTES = 4 << 20;
const MOST_WINDOWS = 24;
const DRUM_CHANNEL = 9; // channel 10, counted from 0
/** Lowest velocities of a medium and of a loud hit. */
const MEDIUM_FROM = 57, ACCENT_FROM = 100;

/** Fewest notes that look like drums, and the share of them that are on pitches of drums, at least. */
const FEWEST_DRUMS = 8, MOSTLY_DRUMS = 0.95;

/**
 * The drums of a MIDI file; of other notes, their pitches by channel from 0.
 * @typedef {{ticksPerQuarter: number, hits: {tick: number, pitch: number, velocity: number}[],
 *   others: Map<number, number[]>, signatures: string[]}} MidiDrums
 */

/** Bytes of a chunk, read one after the other. */
class MidiBytes {
  /** @param {Uint8Array} bytes The bytes. */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get left() {
    return this.bytes.length - this.at;
  }

  /**
   * Reads bytes.
   * @param {number} count Number of bytes.
   */
  take(count) {
    if (count > this.left) throw new Error("it is cut short");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /**
   * Reads a number, the highest byte first.
   * @param {number} count Number of bytes.
   */
  number(count) {
    return this.take(count).reduce((value, byte) => 256 * value + byte, 0);
  }

  /**
   * Reads a text.
   * @param {number} count Number of bytes.
   */
  text(count) {
    return String.fromCharCode(...this.take(count));
  }

  /** Reads a variable-length quantity. */
  variable() {
    for (let value = 0, count = 0; count < 4; count++) {
      const byte = this.number(1);
      value = 128 * value + (byte & 127);
      if (byte < 128) return value;
    }
    throw new Error("it has a damaged number");
  }
}

/**
 * Reads the drums of a Standard MIDI File.
 * @param {Uint8Array} bytes The file.
 * @param {number} [channel] Channel of the drums, from 0.
 * @returns {MidiDrums}
 * @throws {Error} The reason why it cannot be read, after the name of the file.
 */
function readMidi(bytes, channel = DRUM_CHANNEL) {
  if (bytes.length > MOST_MIDI_BYTES) throw new Error("it has more than 4 MB");
  const file = new MidiBytes(bytes);
  if (file.left < 14 || file.text(4) !== "MThd") throw new Error("it is no MIDI file");
  const head = new MidiBytes(file.take(file.number(4)));
  const [, tracks, ticksPerQuarter] = [head.number(2), head.number(2), head.number(2)];
  if (ticksPerQuarter === 0 || ticksPerQuarter >= 0x8000) throw new Error("its time is not in quarter notes");
  /** @type {MidiDrums} */ const music = { ticksPerQuarter, hits: [], others: new Map(), signatures: [] };
  for (let read = 0; read < tracks && file.left >= 8;) {
    const name = file.text(4), chunk = file.take(Math.min(file.number(4), file.left));
    if (name !== "MTrk") continue;
    readTrack(new MidiBytes(chunk), music, channel);
    read++;
  }
  return music;
}

/**
 * Reads the events of a track.
 * @param {MidiBytes} track Bytes of the track.
 * @param {MidiDrums} music Drums of the file, which receive those of the track.
 * @param {number} drumChannel Channel of the drums, from 0.
 */
function readTrack(track, music, drumChannel) {
  let tick = 0, status = 0;
  while (track.left) {
    tick += track.variable();
    if (track.bytes[track.at] >= 128) status = track.number(1);
    if (status === 0xff) {
      const kind = track.number(1), data = track.take(track.variable());
      if (kind === 0x58 && data.length >= 2) music.signatures.push(`${data[0]}/${2 ** data[1]}`);
      if (kind === 0x2f) return;
    } else if (status === 0xf0 || status === 0xf7) track.take(track.variable());
    else if (status < 128) throw new Error("it has data without an event");
    else {
      const kind = status >> 4, data = track.take(kind === 12 || kind === 13 ? 1 : 2);
      if (kind !== 9 || data[1] === 0) continue;
      const channel = status & 15;
      if (channel === drumChannel) music.hits.push({ tick, pitch: data[0], velocity: data[1] });
      else {
        const pitches = music.others.get(channel) || [];
        pitches.push(data[0]);
        music.others.set(channel, pitches);
      }
    }
  }
}

/**
 * Returns the channel, from 0, with the most notes that look like drums; -1: there is none.
 * @param {MidiDrums} music Music of a file.
 * @param {Drums} drums Drums of the model.
 */
function drumLikeChannel(music, drums) {
  const known = new Set(drums.classes.flat());
  const like = [...music.others].filter(([, pitches]) =>
    pitches.length >= FEWEST_DRUMS && pitches.filter((pitch) => known.has(pitch)).length >= MOSTLY_DRUMS * pitches.length);
  like.sort(([, a], [, b]) => b.length - a.length);
  return like.length ? like[0][0] : -1;
}

/**
 * Cuts the drums of a MIDI file into windows: one after the other, from the bar with the first hit on.
 *
 * A loop that is shorter than a window is repeated to one, as ``gmd-vae generate`` does (``repeated_loop.py``).
 * @param {MidiDrums} music Drums of the file.
 * @param {Drums} drums Drums of the model.
 * @returns {{windows: Uint8Array[], notes: string[], loopBars: number}} Levels of each window that has a hit and is not
 *   there yet; what was left out, as texts; and the bars of a loop that was repeated, or 0.
 */
function windowsOf(music, drums) {
  const count = drums.names.length, steps = drums.bars * drums.stepsPerBar;
  /** @type {string[]} */ const notes = [];
  /** @type {Map<number, number>} */ const classOf = new Map();
  drums.classes.forEach((pitches, drum) => pitches.forEach((pitch) => classOf.set(pitch, drum)));
  const known = music.hits.flatMap(({ tick, pitch, velocity }) => {
    const drum = classOf.get(pitch), place = (tick / music.ticksPerQuarter) * drums.stepsPerQuarter;
    return drum === undefined ? [] : [{ place, step: Math.round(place), drum, velocity }];
  });
  const left = music.hits.length - known.length;
  if (left) notes.push(`${left} ${left === 1 ? "hit" : "hits"} on pitches that are none of the drums`);
  const notDrums = [...music.others.values()].reduce((sum, pitches) => sum + pitches.length, 0);
  if (notDrums) notes.push(`${notDrums} ${notDrums === 1 ? "note" : "notes"} of other instruments`);
  const signature = drums.signature.join("/"), others = [...new Set(music.signatures)].filter((one) => one !== signature);
  if (others.length) notes.push(`the time signature ${others.join(", ")}: bars are read as ${signature}`);
  const first = known.reduce((least, { step }) => Math.min(least, step), Infinity);
  const start = Math.floor(first / drums.stepsPerBar) * drums.stepsPerBar;
  const last = known.reduce((most, { place }) => Math.max(most, place), start);
  const bars = Math.floor((last - start) / drums.stepsPerBar) + 1; // a hit before a bar line belongs to the bar before it
  const repeats = known.length && !others.length && bars < drums.bars && drums.bars % bars === 0;
  const loop = repeats ? bars * drums.stepsPerBar : Infinity; // steps
  /** @type {Map<number, Uint8Array>} */ const grids = new Map(); // by number of the window
  for (const { step, drum, velocity } of known) {
    const place = repeats ? (step - start) % loop : step - start, number = Math.floor(place / steps);
    const grid = grids.get(number) || new Uint8Array(steps * count);
    grids.set(number, grid);
    const level = velocity >= ACCENT_FROM ? 3 : velocity >= MEDIUM_FROM ? 2 : 1;
    for (let repeat = place % steps; repeat < steps; repeat += loop) {
      const at = repeat * count + drum;
      grid[at] = Math.max(grid[at], level);
    }
  }
  /** @type {Map<string, Uint8Array>} */ const different = new Map();
  for (const [, grid] of [...grids].sort(([a], [b]) => a - b)) {
    if (!different.has(grid.join(""))) different.set(grid.join(""), grid);
  }
  const windows = [...different.values()];
  if (windows.length > MOST_WINDOWS) notes.push(`${windows.length - MOST_WINDOWS} more windows`);
  return { windows: windows.slice(0, MOST_WINDOWS), notes, loopBars: repeats ? bars : 0 };
}
