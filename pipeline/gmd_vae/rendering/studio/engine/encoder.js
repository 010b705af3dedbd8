/** The bidirectional encoder: Magenta's ``BidirectionalLstmEncoder``, and the posterior. */
class Encoder {
  /**
   * @param {Variables} variables Variables of the model.
   * @param {number} layers Number of layers.
   */
  constructor(variables, layers) {
    this.layers = Array.from({ length: layers }, (_, number) =>
      ["fw", "bw"].map((direction) =>
        new LstmLayer(variables, `encoder/cell_${number}/bidirectional_rnn/${direction}/multi_rnn_cell/cell_0`)));
    accelerate(this.layers.flat().flatMap(({ inputs, own }) => [inputs, own]));
    this.mean = new Dense(variables, "encoder/mu");
    this.scale = new Dense(variables, "encoder/sigma");
  }

  /**
   * Computes the posterior of a window, a diagonal Gaussian.
   * @param {Float32Array[]} sequence Input of each step.
   * @returns {{mean: Float32Array, scale: Float32Array}}
   */
  posterior(sequence) {
    let inputs = sequence, last = new Float32Array(0);
    for (const layer of this.layers) {
      const outputs = inputs.map(() => new Float32Array(layer[0].units + layer[1].units));
      layer.forEach((cell, direction) => {
        const gates = inputs.map(() => Float64Array.from(cell.bias));
        if (inputs === sequence && !cell.inputs.fast) { // mostly zeros
          inputs.forEach((input, step) => addProduct(gates[step], input, cell.inputs));
        }
        else addProducts(gates, inputs, cell.inputs);
        cell.reset();
        for (let number = 0; number < inputs.length; number++) {
          const step = direction ? inputs.length - 1 - number : number;
          cell.step(gates[step]);
          outputs[step].set(cell.h, direction * layer[0].units);
        }
      });
      last = Float32Array.from([...layer[0].h, ...layer[1].h]);
      inputs = outputs;
    }
    const scale = Float32Array.from(this.scale.apply(last), (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
    return { mean: Float32Array.from(this.mean.apply(last)), scale };
  }
}

/**
 * Returns the encoder's input of drum labels, one vector for each step.
 * @param {ArrayLike<number>} labels Drum labels; bit ``k`` is set where a drum of class ``k`` begins.
 * @param {number} classes Number of drum classes.
 * @param {boolean} roll One column for each class and one for silence; false: one-hot vectors of the label.
 */
function encoderInput(labels, classes, roll) {
  return Array.from(labels, (label) => {
    if (!roll) {
      const vector = new Float32Array(1 << classes);
      vector[label] = 1;
      return vector;
    }
    return Float32Array.from({ length: classes + 1 }, (_, number) =>
      number < classes ? (label >> number) & 1 : Number(label === 0));
  });
}
