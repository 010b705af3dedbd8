const WAV_RATE = 44_100;
/** Seconds that a stroke of the kit rings on at most. */
const RINGS = 3;

/**
 * Renders music as a loop, by the kit and the limiter of the player: strokes that ring on behind the end sound at the
 * beginning.
 * @param {Stroke[]} strokes Strokes; their times are seconds after the beginning of the music.
 * @param {number} seconds Length of the music.
 * @param {KitVoice[]} voices The kit.
 * @param {number[]} loudness Gain of each eighth velocity.
 * @returns {Promise<Uint8Array<ArrayBuffer>>} A WAV file: 44.1 kHz, 16 bit, stereo.
 */
async function wavLoop(strokes, seconds, voices, loudness) {
  const frames = Math.round(seconds * WAV_RATE), period = frames / WAV_RATE, before = RINGS * WAV_RATE;
  const context = new OfflineAudioContext(2, before + frames, WAV_RATE);
  const kit = new DrumKit(context, voices, loudness), target = kit.open();
  // the last seconds of the rounds before are rendered, too, and cut off
  for (let round = -Math.ceil(RINGS / period); round <= 0; round++) {
    for (const { after, voice, velocity } of [...strokes].sort((a, b) => a.after - b.after)) {
      const when = RINGS + round * period + Math.max(0, after);
      if (when >= 0) kit.hit(target, voice, velocity, when);
    }
  }
  const rendered = await context.startRendering();
  return encodeWav([0, 1].map((side) => rendered.getChannelData(side).subarray(before)));
}

/**
 * Encodes sound as a WAV file with 16 bits.
 * @param {Float32Array[]} channels Samples of each channel.
 */
function encodeWav(channels) {
  const frames = channels[0].length;
  const bytes = new Uint8Array(44 + 4 * frames), view = new DataView(bytes.buffer);
  bytes.set(ascii("RIFF"), 0);
  view.setUint32(4, bytes.length - 8, true);
  bytes.set(ascii("WAVEfmt "), 8);
  [[16, 16], [24, WAV_RATE], [28, 4 * WAV_RATE]].forEach(([at, value]) => view.setUint32(at, value, true));
  [[20, 1], [22, 2], [32, 4], [34, 16]].forEach(([at, value]) => view.setUint16(at, value, true));
  bytes.set(ascii("data"), 36);
  view.setUint32(40, 4 * frames, true);
  for (let frame = 0, at = 44; frame < frames; frame++) {
    for (const samples of channels) {
      view.setInt16(at, Math.round(32767 * samples[frame]), true);
      at += 2;
    }
  }
  return bytes;
}
