const FORGET_BIAS = 1; // the default of magenta.contrib.rnn.LSTMBlockCell

/** One LSTM layer with its state; the equations are those of ``magenta.contrib.rnn.LSTMBlockCell``. */
class LstmLayer {
  /**
   * @param {Variables} variables Variables of the model.
   * @param {string} scope Scope of the cell.
   */
  constructor(variables, scope) {
    const kernel = variableOf(variables, `${scope}/lstm_cell/kernel`);
    const bias = variableOf(variables, `${scope}/lstm_cell/bias`).values;
    this.units = bias.length / 4;
    /** Rows of the kernel that read the inputs. */
    this.inputs = rowsOf(kernel, 0, kernel.rows - this.units);
    this.own = rowsOf(kernel, kernel.rows - this.units, this.units);
    // columns: input gate, candidate, forget gate, output gate
    this.bias = Float64Array.from(bias, (value, at) => value + (Math.floor(at / this.units) === 2 ? FORGET_BIAS : 0));
    this.gates = new Float64Array(4 * this.units);
    this.c = new Float32Array(this.units);
    this.h = new Float32Array(this.units);
  }

  reset() {
    this.c.fill(0);
    this.h.fill(0);
  }

  /**
   * Computes one step.
   * @param {ArrayLike<number>} base Bias, and the parts of the gates that are already computed.
   * @param {(gates: Float64Array) => void} [addInputs] Function that adds the inputs' part.
   */
  step(base, addInputs) {
    const { gates, units, c, h } = this;
    gates.set(base);
    if (addInputs) addInputs(gates);
    addProduct(gates, h, this.own);
    for (let unit = 0; unit < units; unit++) {
      const cell = sigmoid(gates[2 * units + unit]) * c[unit] + sigmoid(gates[unit]) * Math.tanh(gates[units + unit]);
      c[unit] = cell;
      h[unit] = sigmoid(gates[3 * units + unit]) * Math.tanh(cell);
    }
  }
}

/**
 * Returns the logistic function of a number.
 * @param {number} x Number.
 */
function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

/** LSTM layers, one above the other, of a decoder or a conductor. */
class LstmStack {
  /**
   * @param {Variables} variables Variables of the model.
   * @param {string} scope Scope of the layers.
   * @param {number} layers Number of layers.
   */
  constructor(variables, scope, layers) {
    this.layers = Array.from({ length: layers }, (_, number) => new LstmLayer(variables, `${scope}/cell_${number}`));
    this.stateSize = this.layers.reduce((sum, layer) => sum + 2 * layer.units, 0);
  }

  /** Output of the last layer. */
  get output() {
    return this.layers[this.layers.length - 1].h;
  }

  /**
   * Sets the states of all layers.
   * @param {ArrayLike<number>} states States in the order ``c, h, c, h, ...``.
   */
  setStates(states) {
    let start = 0;
    for (const { c, h, units } of this.layers) {
      for (let unit = 0; unit < units; unit++) {
        c[unit] = states[start + unit];
        h[unit] = states[start + units + unit];
      }
      start += 2 * units;
    }
  }

  /**
   * Copies the states of all layers into an array.
   * @param {Float32Array} into Array that receives the states in the order ``c, h, c, h, ...``.
   */
  copyStates(into) {
    let start = 0;
    for (const { c, h, units } of this.layers) {
      into.set(c, start);
      into.set(h, start + units);
      start += 2 * units;
    }
  }

  /**
   * Computes one step of all layers; arguments as in `LstmLayer.step`, for the first layer.
   * @param {ArrayLike<number>} base Bias, and the parts of the gates that are already computed.
   * @param {(gates: Float64Array) => void} [addInputs] Function that adds the inputs' part.
   */
  step(base, addInputs) {
    this.layers[0].step(base, addInputs);
    for (let number = 1; number < this.layers.length; number++) {
      const layer = this.layers[number], below = this.layers[number - 1].h;
      layer.step(layer.bias, (gates) => addProduct(gates, below, layer.inputs));
    }
  }
}
