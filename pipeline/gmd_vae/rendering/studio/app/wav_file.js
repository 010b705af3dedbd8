const WAV_RATE = 44_100;
/** Seconds that the last strokes may ring on after the end of the music, and that fade out. */
const TAIL = 2, FADE_OUT = 0.05;

/**
 * Renders beats that follow each other, by the kit and the limiter of the player.
 * @param {Hit[][]} beats Hits of each beat.
 * @param {Drums} drums Drums of the model.
 * @param {{tempo: number, swing: number, steps: number}} facts Quarter notes per minute, swing in percent, steps of a beat.
 * @param {KitVoice[]} voices The kit.
 * @param {number[]} loudness Gain of each eighth velocity.
 * @returns {Promise<Uint8Array<ArrayBuffer>>} A WAV file: 44.1 kHz, 16 bit, stereo.
 */
async function wavFile(beats, drums, { tempo, swing, steps }, voices, loudness) {
  const seconds = 60 / tempo / drums.stepsPerQuarter, delay = delayOf(swing, drums);
  const music = beats.length * steps * seconds;
  const context = new OfflineAudioContext(2, Math.round((music + TAIL) * WAV_RATE), WAV_RATE);
  const kit = new DrumKit(context, voices, loudness), target = kit.open();
  const strokes = beats.flatMap((hits, number) => hits.map(({ step, drum, velocity, offset }) =>
    ({ when: Math.max(0, (number * steps + placeOf(step, delay) + offset) * seconds), voice: drums.voices[drum], velocity })));
  strokes.sort((a, b) => a.when - b.when);
  for (const { when, voice, velocity } of strokes) kit.hit(target, voice, velocity, when);
  const rendered = await context.startRendering();
  return encodeWav([rendered.getChannelData(0), rendered.getChannelData(1)], Math.round(music * WAV_RATE));
}

/**
 * Encodes sound as a WAV file with 16 bits. Silence behind the music is cut off, and the end fades out.
 * @param {Float32Array[]} channels Samples of each channel.
 * @param {number} least Samples that are written at least.
 */
function encodeWav(channels, least) {
  let frames = channels[0].length;
  while (frames > least && channels.every((samples) => Math.abs(samples[frames - 1]) < 2 ** -15)) frames--;
  const bytes = new Uint8Array(44 + 4 * frames), view = new DataView(bytes.buffer);
  bytes.set(ascii("RIFF"), 0);
  view.setUint32(4, bytes.length - 8, true);
  bytes.set(ascii("WAVEfmt "), 8);
  [[16, 16], [24, WAV_RATE], [28, 4 * WAV_RATE]].forEach(([at, value]) => view.setUint32(at, value, true));
  [[20, 1], [22, 2], [32, 4], [34, 16]].forEach(([at, value]) => view.setUint16(at, value, true));
  bytes.set(ascii("data"), 36);
  view.setUint32(40, 4 * frames, true);
  const fade = Math.round(FADE_OUT * WAV_RATE);
  for (let frame = 0, at = 44; frame < frames; frame++) {
    const gain = 32767 * Math.min(1, (frames - frame) / fade);
    for (const samples of channels) {
      view.setInt16(at, Math.round(gain * samples[frame]), true);
      at += 2;
    }
  }
  return bytes;
}
