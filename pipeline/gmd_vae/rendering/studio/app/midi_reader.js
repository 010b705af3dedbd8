const MOST_MIDI_BYTES = 4 << 20;
const DRUM_CHANNEL = 9; // channel 10, counted from 0
/** Length of a hit without an end in quarter notes, as in ``note_pairs.py``. */
const SHORTEST = 1 / 16;
/** Fewest notes that look like drums, and the share of them that are on pitches of drums, at least. */
const FEWEST_DRUMS = 8, MOSTLY_DRUMS = 0.95;

/**
 * The drums of a MIDI file; of other notes, their pitches by channel from 0; the changes of time signature and tempo
 * (microseconds of a quarter note); and the end of the last note, in ticks.
 * @typedef {{ticksPerQuarter: number, hits: {tick: number, pitch: number, velocity: number}[], others: Map<number, number[]>,
 *   signatures: {tick: number, numerator: number, denominator: number}[], tempos: {tick: number, microseconds: number}[],
 *   end: number}} MidiDrums
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
  const [format, tracks, ticksPerQuarter] = [head.number(2), head.number(2), head.number(2)];
  if (format === 2) throw new Error("it has separate patterns (format 2): save each as a file of its own, or as format 1");
  if (ticksPerQuarter === 0 || ticksPerQuarter >= 0x8000) {
    throw new Error("its time is not in quarter notes: export it with ticks per quarter note (PPQ), for example 480");
  }
  /** @type {MidiDrums} */ const music = { ticksPerQuarter, hits: [], others: new Map(), signatures: [], tempos: [], end: 0 };
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
      if (kind === 0x58 && data.length >= 2) music.signatures.push({ tick, numerator: data[0], denominator: 2 ** data[1] });
      if (kind === 0x51 && data.length >= 3) {
        const microseconds = new MidiBytes(data).number(3);
        if (microseconds) music.tempos.push({ tick, microseconds });
      }
      if (kind === 0x2f) return;
    } else if (status === 0xf0 || status === 0xf7) track.take(track.variable());
    else if (status < 128) throw new Error("it has data without an event");
    else {
      const kind = status >> 4, data = track.take(kind === 12 || kind === 13 ? 1 : 2);
      const channel = status & 15, begins = kind === 9 && data[1] > 0;
      if (kind === 8 || kind === 9) music.end = Math.max(music.end, tick + (begins ? music.ticksPerQuarter * SHORTEST : 0));
      if (!begins) continue;
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
