/**
 * A mixture of Gaussians, as ``model_data.py`` packs it.
 * @typedef {{weights: number[], means: string, scales: string}} PackedDensity
 */

/** The density of z that was fitted to the training windows; the draws are those of ``models/latent_density.py``. */
class Density {
  /**
   * @param {PackedDensity} packed Probabilities of the Gaussians; means and standard deviations, fp16 in base64.
   * @param {number} zSize Size of a latent vector.
   */
  constructor(packed, zSize) {
    this.weights = packed.weights;
    this.means = decodeHalves(packed.means);
    this.scales = decodeHalves(packed.scales);
    this.zSize = zSize;
  }

  /**
   * Draws the latent vector of a file.
   * @param {number} seed Seed.
   * @param {number} file Number of the file.
   */
  draw(seed, file) {
    const { zSize, weights, means, scales } = this;
    const normal = randomNormals(seed, LATENTS, file, 0, zSize);
    const fraction = Number(randomIntegers(seed, COMPONENTS, file, 0, 1)[0] >> 11n) * 2 ** -53;
    let chosen = 0;
    for (let sum = weights[0]; chosen < weights.length - 1 && sum <= fraction; sum += weights[chosen]) chosen++;
    const z = new Float32Array(zSize);
    for (let place = 0, at = chosen * zSize; place < zSize; place++, at++) {
      z[place] = means[at] + scales[at] * normal[place];
    }
    return z;
  }
}
