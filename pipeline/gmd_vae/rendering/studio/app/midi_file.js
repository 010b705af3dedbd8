/** Lowest number of ticks in a quarter note; every step is a whole number of ticks. */
const TICKS_PER_QUARTER = 480;
const NOTE_ON_DRUMS = 0x99; // channel 10

/**
 * Returns a Standard MIDI File (format 0) of beats that follow each other, with whole bars, as ``drum_notes.py`` writes it.
 *
 * A note lasts one step, or until the same pitch begins again.
 * @param {Hit[][]} beats Hits of each beat.
 * @param {Drums} drums Drums of the model.
 * @param {{tempo: number, swing: number, steps: number, name: string}} facts Quarter notes per minute, swing in percent,
 *   steps of a beat, and name of the track.
 * @returns {Uint8Array<ArrayBuffer>}
 */
function midiFile(beats, drums, { tempo, swing, steps, name }) {
  const stepTicks = Math.ceil(TICKS_PER_QUARTER / drums.stepsPerQuarter);
  const late = Math.round(delayOf(swing, drums) * stepTicks);
  const beatTicks = steps * stepTicks;
  /** @type {[number, number, number][]} tick, pitch, velocity (0: the note ends) */ const events = [];
  /** @type {Map<number, number>} */ const lastStarts = new Map(); // by pitch
  /** @type {Map<number, number>} */ const sounding = new Map(); // loudest hit by tick and pitch; classes may share a pitch
  beats.forEach((hits, number) => {
    for (const { step, drum, velocity, offset } of hits) {
      const tick = number * beatTicks + step * stepTicks + late * (step % 2) + Math.round(offset * stepTicks);
      const key = 128 * Math.max(0, tick) + drums.pitches[drum];
      sounding.set(key, Math.max(velocity, sounding.get(key) || 0));
    }
  });
  for (const [key, velocity] of [...sounding].sort(([a], [b]) => a - b)) {
    const tick = Math.floor(key / 128), pitch = key % 128, before = lastStarts.get(pitch);
    if (before !== undefined) events.push([Math.min(before + stepTicks, tick), pitch, 0]);
    events.push([tick, pitch, velocity]);
    lastStarts.set(pitch, tick);
  }
  const end = beats.length * beatTicks;
  for (const [pitch, start] of lastStarts) events.push([Math.min(start + stepTicks, end), pitch, 0]);
  events.sort((a, b) => a[0] - b[0] || Math.sign(a[2]) - Math.sign(b[2]) || a[1] - b[1]); // note-offs first
  const microseconds = Math.round(60_000_000 / tempo);
  const [numerator, denominator] = drums.signature;
  const compound = denominator >= 8 && numerator > 3 && numerator % 3 === 0; // the metronome clicks dotted quarters
  const title = [...name].map((letter) => (letter.charCodeAt(0) < 256 && letter.length === 1 ? letter.charCodeAt(0) : 63));
  const track = [0, 0xff, 0x03, ...variableLength(title.length), ...title];
  track.push(0, 0xff, 0x51, 3, microseconds >> 16, (microseconds >> 8) & 255, microseconds & 255);
  track.push(0, 0xff, 0x58, 4, numerator, Math.log2(denominator), compound ? 36 : 24, 8);
  let last = 0;
  for (const [tick, pitch, velocity] of events) {
    track.push(...variableLength(tick - last), NOTE_ON_DRUMS, pitch, velocity);
    last = tick;
  }
  track.push(...variableLength(end - last), 0xff, 0x2f, 0);
  const head = [...ascii("MThd"), ...bigEndian(6, 4), 0, 0, 0, 1, ...bigEndian(stepTicks * drums.stepsPerQuarter, 2)];
  return Uint8Array.from([...head, ...ascii("MTrk"), ...bigEndian(track.length, 4), ...track]);
}

/**
 * Returns a variable-length quantity: 7 bits a byte, the highest first, the top bit set on all but the last.
 * @param {number} number Number.
 */
function variableLength(number) {
  const digits = [number & 127];
  for (let rest = number >> 7; rest; rest >>= 7) digits.unshift(128 | (rest & 127));
  return digits;
}

/**
 * Returns the bytes of a number, the highest first.
 * @param {number} number Number.
 * @param {number} bytes Number of bytes.
 */
function bigEndian(number, bytes) {
  return Array.from({ length: bytes }, (_, at) => Math.floor(number / 256 ** (bytes - 1 - at)) & 255);
}
