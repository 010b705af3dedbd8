/** What the engine's script needs at its end to be a worker. */
const WORKER_CODE = "const take = serve((answer) => postMessage(answer)); onmessage = ({ data }) => take(data);";

/** The model in a worker, so that long computations never delay the sound or the page. */
class ModelClient {
  /**
   * @param {PackedModel} packed The model.
   * @param {string} engine Text of the engine's script.
   */
  constructor(packed, engine) {
    this.next = 1;
    /** @type {Map<number, {resolve: (result: ModelMethods[ModelMethod]["result"]) => void, reject: (error: Error) => void}>} */
    this.waiting = new Map();
    this.post = this.open(engine);
    this.ready = this.send("load", packed);
  }

  /**
   * Starts a worker, or where the browser has none for pages from disk the page itself in its place.
   * @param {string} engine Text of the engine's script.
   * @returns {(request: ModelRequest) => void} Function that sends a request.
   */
  open(engine) {
    try {
      const worker = new Worker(URL.createObjectURL(new Blob([engine, "\n", WORKER_CODE], { type: "text/javascript" })));
      worker.onmessage = ({ data }) => this.receive(data);
      return (request) => worker.postMessage(request);
    } catch {
      const take = serve((answer) => this.receive(answer));
      return (request) => {
        setTimeout(() => take(request));
      };
    }
  }

  /**
   * Ends the request of an answer.
   * @param {ModelAnswer} answer ModelAnswer of the worker.
   */
  receive(answer) {
    const request = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if ("error" in answer) request?.reject(new Error(answer.error));
    else request?.resolve(answer.result);
  }

  /**
   * Calls a method of the model.
   * @template {ModelMethod} M
   * @param {M} method Name of the method.
   * @param {ModelMethods[M]["argument"]} argument Its argument.
   * @returns {Promise<ModelMethods[M]["result"]>} Its result.
   */
  send(method, argument) {
    return new Promise((resolve, reject) => {
      const id = this.next++;
      this.waiting.set(id, { resolve: (result) => resolve(/** @type {ModelMethods[M]["result"]} */ (result)), reject });
      this.post(/** @type {ModelRequest} */ ({ id, method, argument }));
    });
  }

  /**
   * Returns the labels of a latent vector.
   * @param {DecodeRequest} request As for `Model.decode`.
   */
  decode(request) {
    return this.send("decode", request);
  }

  /**
   * Returns the posterior of a window.
   * @param {ArrayLike<number>} labels Labels of the window.
   */
  encode(labels) {
    return this.send("encode", labels);
  }

  /**
   * Returns a latent vector from the prior.
   * @param {PriorRequest} request As for `Model.prior`.
   */
  prior(request) {
    return this.send("prior", request);
  }
}
