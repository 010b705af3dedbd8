/** Streams of random numbers, so that no two draws of one seed share their numbers (``common/counter_random.py``). */
const STEPS = 0, LATENTS = 1, VARIATIONS = 3, COMPONENTS = 4;
/** Below it the likeliest label is taken. */
const LOWEST_TEMPERATURE = 1e-9;
const WORD = (1n << 64n) - 1n;
const PHILOX_FACTORS = [0xd2e7470ee14c6c93n, 0xca5a826395121157n];
const PHILOX_KEY_STEPS = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn];
const PHILOX_ROUNDS = 10;

/**
 * Returns a block of four random numbers of 64 bits: Philox 4x64 with ten rounds (Salmon et al. 2011).
 * @param {[bigint, bigint, bigint, bigint]} counter Four words.
 * @param {[bigint, bigint]} key Two words.
 */
function philox(counter, key) {
  let [a, b, c, d] = counter, [first, second] = key;
  for (let round = 0; round < PHILOX_ROUNDS; round++) {
    const low = PHILOX_FACTORS[0] * a, high = PHILOX_FACTORS[1] * c;
    [a, b, c, d] = [(high >> 64n) ^ b ^ first, high & WORD, (low >> 64n) ^ d ^ second, low & WORD];
    first = (first + PHILOX_KEY_STEPS[0]) & WORD;
    second = (second + PHILOX_KEY_STEPS[1]) & WORD;
  }
  return [a, b, c, d];
}

/**
 * Returns random numbers by their place; the first ones do not depend on the count.
 * @param {number | bigint} seed Any integer.
 * @param {number} stream One of the streams.
 * @param {number} file Number of the file.
 * @param {number} window Number of the window.
 * @param {number} count Count of numbers.
 * @returns {bigint[]} Numbers of 64 bits.
 */
function randomIntegers(seed, stream, file, window, count) {
  const whole = BigInt(seed);
  /** @type {bigint[]} */ const drawn = [];
  for (let block = 1n; drawn.length < count; block++) {
    drawn.push(...philox([block, BigInt(window), BigInt(file), BigInt(stream)], [whole & WORD, (whole >> 64n) & WORD]));
  }
  return drawn.slice(0, count);
}

/**
 * Returns random fractions, at least 0 and less than 1, multiples of 2 ** -24; arguments as in `randomIntegers`.
 * @param {number | bigint} seed Any integer.
 * @param {number} stream One of the streams.
 * @param {number} file Number of the file.
 * @param {number} window Number of the window.
 * @param {number} count Count of numbers.
 */
function randomFractions(seed, stream, file, window, count) {
  return randomIntegers(seed, stream, file, window, count).map((drawn) => Number(drawn >> 40n) * 2 ** -24);
}

/**
 * Returns draws from the standard normal distribution, by the Box-Muller transform; arguments as in `randomIntegers`.
 * @param {number | bigint} seed Any integer.
 * @param {number} stream One of the streams.
 * @param {number} file Number of the file.
 * @param {number} window Number of the window.
 * @param {number} count Count of numbers.
 */
function randomNormals(seed, stream, file, window, count) {
  const pairs = Math.ceil(count / 2);
  const uniform = randomIntegers(seed, stream, file, window, 2 * pairs).map((drawn) => Number((drawn >> 11n) + 1n) * 2 ** -53);
  const normals = new Float32Array(2 * pairs);
  for (let pair = 0; pair < pairs; pair++) {
    const radius = Math.sqrt(-2 * Math.log(uniform[pair])), angle = 2 * Math.PI * uniform[pairs + pair];
    normals[pair] = radius * Math.cos(angle);
    normals[pairs + pair] = radius * Math.sin(angle);
  }
  return normals.slice(0, count);
}

/**
 * Returns the function that chooses the labels of a window from its logits.
 *
 * A label is drawn by the inverse of the cumulative distribution, in float32 as ``models/forward/draws.py`` does.
 * @param {number} temperature Temperature of the softmax.
 * @param {number[]} fractions Random fraction of each step; not read where the likeliest label is taken.
 * @returns {(step: number, logits: Float64Array) => number}
 */
function labelChoice(temperature, fractions) {
  const factor = Math.fround(1 / Math.max(temperature, LOWEST_TEMPERATURE));
  let sums = new Float32Array(0);
  return (step, logits) => {
    let best = 0;
    for (let label = 1; label < logits.length; label++) if (logits[label] > logits[best]) best = label;
    if (!Number.isFinite(logits[best])) throw new Error("the output of the decoder is not finite");
    if (temperature < LOWEST_TEMPERATURE) return best;
    if (sums.length !== logits.length) sums = new Float32Array(logits.length);
    let sum = 0;
    for (let label = 0; label < logits.length; label++) {
      const weight = Math.exp(Math.fround(Math.fround(logits[label] - logits[best]) * factor));
      sum = sums[label] = Math.fround(sum + Math.fround(weight));
    }
    const limit = Math.fround(fractions[step] * sum);
    return sums.findIndex((reached) => reached > limit);
  };
}
