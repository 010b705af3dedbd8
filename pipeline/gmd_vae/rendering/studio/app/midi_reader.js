const MOST_MIDI_BYTES = 4 << 20;
const MOST_WINDOWS = 24;
const DRUM_CHANNEL = 9; // channel 10, counted from 0
/** Lowest velocities of a medium and of a loud hit. */
const MEDIUM_FROM = 57, ACCENT_FROM = 100;

/**
 * The drums of a MIDI file.
 * @typedef {{ticksPerQuarter: number, hits: {tick: number, pitch: number, velocity: number}[], others: number,
 *   signatures: string[]}} MidiDrums
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
 * @returns {MidiDrums}
 * @throws {Error} The reason why it cannot be read, after the name of the file.
 */
function readMidi(bytes) {
  if (bytes.length > MOST_MIDI_BYTES) throw new Error("it has more than 4 MB");
  const file = new MidiBytes(bytes);
  if (file.left < 14 || file.text(4) !== "MThd") throw new Error("it is no MIDI file");
  const head = new MidiBytes(file.take(file.number(4)));
  const [, tracks, ticksPerQuarter] = [head.number(2), head.number(2), head.number(2)];
  if (ticksPerQuarter === 0 || ticksPerQuarter >= 0x8000) throw new Error("its time is not in quarter notes");
  /** @type {MidiDrums} */ const music = { ticksPerQuarter, hits: [], others: 0, signatures: [] };
  for (let read = 0; read < tracks && file.left >= 8;) {
    const name = file.text(4), chunk = file.take(Math.min(file.number(4), file.left));
    if (name !== "MTrk") continue;
    readTrack(new MidiBytes(chunk), music);
    read++;
  }
  return music;
}

/**
 * Reads the events of a track.
 * @param {MidiBytes} track Bytes of the track.
 * @param {MidiDrums} music Drums of the file, which receive those of the track.
 */
function readTrack(track, music) {
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
      if ((status & 15) === DRUM_CHANNEL) music.hits.push({ tick, pitch: data[0], velocity: data[1] });
      else music.others++;
    }
  }
}

/**
 * Cuts the drums of a MIDI file into windows: one after the other, from the bar with the first hit on.
 * @param {MidiDrums} music Drums of the file.
 * @param {Drums} drums Drums of the model.
 * @returns {{windows: Uint8Array[], notes: string[]}} Levels of each window that has a hit and is not there yet; and what
 *   was left out, as texts.
 */
function windowsOf(music, drums) {
  const count = drums.names.length, steps = drums.bars * drums.stepsPerBar;
  /** @type {string[]} */ const notes = [];
  /** @type {Map<number, number>} */ const classOf = new Map();
  drums.classes.forEach((pitches, drum) => pitches.forEach((pitch) => classOf.set(pitch, drum)));
  const known = music.hits.flatMap(({ tick, pitch, velocity }) => {
    const drum = classOf.get(pitch), step = Math.round((tick / music.ticksPerQuarter) * drums.stepsPerQuarter);
    return drum === undefined ? [] : [{ step, drum, velocity }];
  });
  const left = music.hits.length - known.length;
  if (left) notes.push(`${left} ${left === 1 ? "hit" : "hits"} on pitches that are none of the drums`);
  if (music.others) notes.push(`${music.others} ${music.others === 1 ? "note" : "notes"} of other instruments`);
  const signature = drums.signature.join("/"), others = [...new Set(music.signatures)].filter((one) => one !== signature);
  if (others.length) notes.push(`the time signature ${others.join(", ")}: bars are read as ${signature}`);
  const first = known.reduce((least, { step }) => Math.min(least, step), Infinity);
  const start = Math.floor(first / drums.stepsPerBar) * drums.stepsPerBar;
  /** @type {Map<number, Uint8Array>} */ const grids = new Map(); // by number of the window
  for (const { step, drum, velocity } of known) {
    const number = Math.floor((step - start) / steps), grid = grids.get(number) || new Uint8Array(steps * count);
    grids.set(number, grid);
    const level = velocity >= ACCENT_FROM ? 3 : velocity >= MEDIUM_FROM ? 2 : 1;
    const at = ((step - start) % steps) * count + drum;
    grid[at] = Math.max(grid[at], level);
  }
  /** @type {Map<string, Uint8Array>} */ const different = new Map();
  for (const [, grid] of [...grids].sort(([a], [b]) => a - b)) {
    if (!different.has(grid.join(""))) different.set(grid.join(""), grid);
  }
  const windows = [...different.values()];
  if (windows.length > MOST_WINDOWS) notes.push(`${windows.length - MOST_WINDOWS} more windows`);
  return { windows: windows.slice(0, MOST_WINDOWS), notes };
}
