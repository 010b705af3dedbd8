/** The part of a stack that depends on an embedding: its first states, and a part of the first layer's gates. */
class Embedding {
  /**
   * @param {LstmStack} stack The stack.
   * @param {Dense} states Layer that computes the first states.
   * @param {Tensor | null} gates Rows of the first layer's kernel that read the embedding.
   */
  constructor(stack, states, gates) {
    this.stack = stack;
    this.states = states;
    this.gates = gates;
    this.base = new Float64Array(stack.layers[0].bias.length);
  }

  /**
   * Sets the first states of the stack, and returns the first layer's bias with the embedding's part of the gates.
   * @param {Float32Array} embedding Output of the level above, or the latent vector.
   */
  start(embedding) {
    this.stack.setStates(Float64Array.from(this.states.apply(embedding), Math.tanh));
    this.base.set(this.stack.layers[0].bias);
    if (this.gates) addProduct(this.base, embedding, this.gates);
    return this.base;
  }
}

/** A level above the core decoder; it writes an embedding for each segment. */
class Conductor {
  /**
   * @param {Variables} variables Variables of the model.
   * @param {number} level Number of the level; 0 is the top.
   * @param {number} layers Number of layers.
   * @param {LstmStack | null} below Stack whose last states it reads; null: it reads none.
   */
  constructor(variables, level, layers, below) {
    const scope = `decoder/hierarchical_level_${level}`;
    this.stack = new LstmStack(variables, scope, layers);
    const { inputs } = this.stack.layers[0];
    const size = below ? below.stateSize : 0;
    this.slot = below ? rowsOf(inputs, 0, size) : null;
    this.states = new Float32Array(size);
    const gates = below ? rowsOf(inputs, size, inputs.rows - size) : null; // without autoregression the only input is 0
    this.embedding = new Embedding(this.stack, new Dense(variables, `${scope}/initial_state`), gates);
  }
}

/** Flat and hierarchical decoders of drum labels: Magenta's ``CategoricalLstmDecoder``, ``HierarchicalLstmDecoder``. */
class Decoder {
  /**
   * @param {Variables} variables Variables of the model.
   * @param {{levels: number[], layers: number, autoregressive: boolean}} shape Steps of each level, the conductors first;
   *   number of layers; true if conductors read the last states of the level below.
   */
  constructor(variables, { levels, layers, autoregressive }) {
    const scope = levels.length > 1 ? "core_decoder/decoder" : "decoder";
    this.levels = levels;
    this.autoregressive = autoregressive;
    this.steps = levels.reduce((product, steps) => product * steps, 1);
    this.core = new LstmStack(variables, `${scope}/multi_rnn_cell`, layers);
    this.projection = new Dense(variables, `${scope}/output_projection`);
    const { inputs } = this.core.layers[0], labels = this.projection.bias.length;
    this.labelGates = rowsOf(inputs, 0, labels);
    const states = new Dense(variables, `${scope}/z_to_initial_state`);
    this.embedding = new Embedding(this.core, states, rowsOf(inputs, labels, inputs.rows - labels));
    /** @type {Conductor[]} */ this.conductors = [];
    let below = this.core;
    for (let level = levels.length - 2; level >= 0; level--) {
      this.conductors.unshift(new Conductor(variables, level, layers, autoregressive ? below : null));
      below = this.conductors[0].stack;
    }
    const stacks = [this.core, ...this.conductors.map(({ stack }) => stack)];
    const upper = stacks.flatMap(({ layers: [, ...above] }) => above.map(({ inputs: rows }) => rows));
    const starts = [this.embedding, ...this.conductors.map(({ embedding }) => embedding)];
    const others = [...starts.map(({ gates }) => gates), ...this.conductors.map(({ slot }) => slot)];
    accelerate([
      ...stacks.flatMap((stack) => stack.layers.map(({ own }) => own)), ...upper, this.projection.kernel,
      ...starts.map(({ states: { kernel } }) => kernel), ...others.filter((matrix) => matrix !== null),
    ]);
  }

  /**
   * Decodes a latent vector.
   * @param {Float32Array} z Latent vector.
   * @param {(step: number, logits: Float64Array) => number} choose Function that returns the label of a step.
   * @returns {Int32Array} Labels.
   */
  decode(z, choose) {
    const labels = new Int32Array(this.steps);
    let step = 0, before = -1;
    /** @type {(level: number, embedding: Float32Array) => LstmStack} */
    const decodeLevel = (level, embedding) => {
      if (level === this.conductors.length) {
        const base = this.embedding.start(embedding);
        for (let number = 0; number < this.levels[level]; number++) {
          this.core.step(base, (gates) => {
            if (before >= 0) addRow(gates, this.labelGates, before, 1);
          });
          before = labels[step] = choose(step, this.projection.apply(this.core.output));
          step++;
        }
        return this.core;
      }
      const conductor = this.conductors[level];
      const base = conductor.embedding.start(embedding);
      conductor.states.fill(0);
      for (let number = 0; number < this.levels[level]; number++) {
        conductor.stack.step(base, (gates) => {
          if (conductor.slot) addProduct(gates, conductor.states, conductor.slot);
        });
        const below = decodeLevel(level + 1, conductor.stack.output);
        if (this.autoregressive) below.copyStates(conductor.states);
      }
      return conductor.stack;
    };
    decodeLevel(0, z);
    return labels;
  }
}
