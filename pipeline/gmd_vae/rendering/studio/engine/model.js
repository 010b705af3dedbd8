/**
 * A model of the drum-label family, as ``model_data.py`` packs it.
 * @typedef {Object} PackedModel
 * @property {number} zSize Size of a latent vector.
 * @property {number} classes Number of drum classes.
 * @property {number} steps Steps of a window.
 * @property {boolean} roll True if the encoder reads a drum roll.
 * @property {number} encoderLayers Number of layers of the encoder.
 * @property {{levels: number[], layers: number, autoregressive: boolean}} decoder Shape of the decoder.
 * @property {[string, number[]][]} tensors Name and shape of each variable.
 * @property {string | null} density Windows of the density of z, fp16 in base64; null: N(0, I).
 * @property {string} weights Values of the variables, fp16 in base64.
 */

/**
 * A latent vector, a temperature, and the place of the draws.
 * @typedef {{z: Float32Array, temperature: number, seed?: number, file?: number, window?: number}} DecodeRequest
 */

/**
 * The place of a draw from the prior.
 * @typedef {{seed: number, file?: number}} PriorRequest
 */

/** A model that encodes and decodes: the port of ``models/forward/numpy_model.py``. */
class Model {
  /** @param {PackedModel} packed The model. */
  constructor(packed) {
    const variables = decodeVariables(packed.tensors, packed.weights);
    this.packed = packed;
    this.encoder = new Encoder(variables, packed.encoderLayers);
    this.decoder = new Decoder(variables, packed.decoder);
    this.density = packed.density && new Density(packed.density, packed.zSize);
  }

  /**
   * Returns mean and standard deviation of the posterior of a window.
   * @param {ArrayLike<number>} labels Labels of the window.
   */
  encode(labels) {
    return this.encoder.posterior(encoderInput(labels, this.packed.classes, this.packed.roll));
  }

  /**
   * Samples the labels of a latent vector.
   * @param {DecodeRequest} request Latent vector, temperature, and the place of the draws.
   */
  decode({ z, temperature, seed = 0, file = 0, window = 0 }) {
    const drawn = temperature < LOWEST_TEMPERATURE ? [] : randomFractions(seed, STEPS, file, window, this.decoder.steps);
    return this.decoder.decode(z, labelChoice(temperature, drawn));
  }

  /**
   * Draws the latent vector of a file from the prior, as ``gmd-vae generate --seed`` does.
   * @param {PriorRequest} request Place of the draw.
   */
  prior({ seed, file = 0 }) {
    return this.density ? this.density.draw(seed, file) : randomNormals(seed, LATENTS, file, 0, this.packed.zSize);
  }
}
