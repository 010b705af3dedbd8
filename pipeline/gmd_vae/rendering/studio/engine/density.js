const NEIGHBOURS = 4;
const NEAREST_SHARE = 10;
const LEAST_NEAREST = 20;
const NORMALS_PER_WEIGHT = 4;

/** The density of z between neighbouring training windows; draws and numbers are those of ``models/latent_density.py``. */
class Density {
  /**
   * @param {string} packed Posterior means of the windows, fp16 in base64.
   * @param {number} zSize Size of a latent vector.
   */
  constructor(packed, zSize) {
    this.windows = decodeHalves(packed);
    this.zSize = zSize;
    this.count = this.windows.length / zSize;
    this.centre = new Float64Array(zSize);
    for (let at = 0; at < this.windows.length; at++) this.centre[at % zSize] += this.windows[at] / this.count;
  }

  /**
   * Draws the latent vector of a file.
   * @param {number} seed Seed.
   * @param {number} file Number of the file.
   */
  draw(seed, file) {
    const numbers = Array.from(randomIntegers(seed, COMPONENTS, file, 0, 1 + NEIGHBOURS));
    const normal = randomNormals(seed, LATENTS, file, 0, NORMALS_PER_WEIGHT * (1 + NEIGHBOURS));
    const window = below(numbers[0], this.count);
    const nearest = this.nearest(window).slice(0, Math.max(LEAST_NEAREST, Math.floor(this.count / NEAREST_SHARE)));
    return this.between([window, ...choose(nearest, numbers.slice(1))], normal);
  }

  /**
   * Returns the numbers of the other windows, the nearest first.
   * @param {number} window Number of a window.
   */
  nearest(window) {
    const { windows, zSize, count } = this;
    const distances = new Float64Array(count);
    for (let other = 0; other < count; other++) {
      let sum = 0;
      for (let place = 0, a = window * zSize, b = other * zSize; place < zSize; place++, a++, b++) {
        sum += (windows[b] - windows[a]) ** 2;
      }
      distances[other] = sum;
    }
    const others = Array.from(distances.keys()).filter((other) => other !== window);
    return others.sort((one, other) => distances[one] - distances[other]);
  }

  /**
   * Returns a point between windows, as far from the centre as they are.
   * @param {number[]} corners Numbers of the windows.
   * @param {ArrayLike<number>} normal Normal numbers for their weights.
   */
  between(corners, normal) {
    const { windows, zSize, centre } = this;
    const gammas = corners.map((_, corner) => {
      let sum = 0;
      for (let at = 0; at < NORMALS_PER_WEIGHT; at++) sum += normal[corner * NORMALS_PER_WEIGHT + at] ** 2;
      return sum;
    });
    const total = gammas.reduce((sum, gamma) => sum + gamma, 0);
    const mean = new Float64Array(zSize);
    let radius = 0;
    corners.forEach((window, corner) => {
      const weight = gammas[corner] / total;
      let squares = 0;
      for (let place = 0, at = window * zSize; place < zSize; place++, at++) {
        const spoke = windows[at] - centre[place];
        mean[place] += weight * spoke;
        squares += spoke * spoke;
      }
      radius += weight * Math.sqrt(squares);
    });
    const length = Math.sqrt(mean.reduce((sum, part) => sum + part * part, 0));
    const scale = length > 0 ? radius / length : 1;
    return Float32Array.from(mean, (part, place) => centre[place] + part * scale);
  }
}

/**
 * Chooses items without repetition, by the first steps of a Fisher-Yates shuffle.
 * @param {number[]} items The items.
 * @param {bigint[]} numbers Random numbers of 64 bits, one for each item to choose.
 */
function choose(items, numbers) {
  const left = [...items];
  /** @type {number[]} */
  const chosen = [];
  for (const number of numbers.slice(0, left.length)) {
    const place = below(number, left.length);
    const last = left.length - 1;
    [left[place], left[last]] = [left[last], left[place]];
    chosen.push(/** @type {number} */ (left.pop()));
  }
  return chosen;
}

/**
 * Returns a random number of 64 bits as a number below a count.
 * @param {bigint} number The random number.
 * @param {number} count The count.
 */
function below(number, count) {
  return Math.floor(Number(number >> 11n) * 2 ** -53 * count);
}
