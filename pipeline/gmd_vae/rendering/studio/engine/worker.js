/**
 * ModelMethods of the model: the argument and the result of each.
 * @typedef {{
 *   load: {argument: PackedModel, result: true},
 *   decode: {argument: DecodeRequest, result: Int32Array},
 *   encode: {argument: ArrayLike<number>, result: {mean: Float32Array, scale: Float32Array}},
 *   prior: {argument: PriorRequest, result: Float32Array},
 * }} ModelMethods
 */

/** @typedef {keyof ModelMethods} ModelMethod */
/** A message to the worker. */
/** @typedef {{[M in ModelMethod]: {id: number, method: M, argument: ModelMethods[M]["argument"]}}[ModelMethod]} ModelRequest */
/** A message from the worker. */
/** @typedef {{id: number, result: ModelMethods[ModelMethod]["result"]} | {id: number, error: string}} ModelAnswer */

/**
 * Returns a function that takes the requests of the page; the first one loads the model.
 * @param {(answer: ModelAnswer) => void} send Function that sends an answer to the page.
 * @returns {(request: ModelRequest) => void}
 */
function serve(send) {
  /** @type {Model | null} */ let model = null;
  /** @type {(request: ModelRequest) => ModelMethods[ModelMethod]["result"]} */
  const answer = ({ method, argument }) => {
    if (method === "load") {
      model = new Model(argument);
      return true;
    }
    if (!model) throw new Error("no model is loaded");
    if (method === "decode") return model.decode(argument);
    return method === "encode" ? model.encode(argument) : model.prior(argument);
  };
  return (request) => {
    try {
      send({ id: request.id, result: answer(request) });
    } catch (error) {
      send({ id: request.id, error: error instanceof Error ? error.message : String(error) });
    }
  };
}
