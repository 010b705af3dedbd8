/** The model in a worker, so that long computations never delay the sound or the page. */
class ModelClient {
  /**
   * @param {PackedModel} packed The model.
   * @param {string} engine Text of the engine's script.
   */
  constructor(packed, engine) {
    this.next = 1;
    /** @type {Map<number, {resolve: Function, reject: Function}>} */ this.waiting = new Map();
    this.port = this.open(engine);
    this.port.onmessage = ({ data: { id, result, error } }) => {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    };
    this.ready = this.send({ packed });
  }

  /** Returns a worker, or where the browser has none for pages from disk the page itself in its place. */
  open(engine) {
    try {
      const address = URL.createObjectURL(new Blob([engine, "\nserve(self);"], { type: "text/javascript" }));
      return new Worker(address);
    } catch {
      const here = { onmessage: null, postMessage: (data) => setTimeout(() => there.onmessage({ data })) };
      const there = { onmessage: null, postMessage: (data) => here.onmessage({ data }) };
      serve(there);
      return here;
    }
  }

  send(message) {
    return new Promise((resolve, reject) => {
      const id = this.next++;
      this.waiting.set(id, { resolve, reject });
      this.port.postMessage({ ...message, id });
    });
  }

  /** Returns the labels of a latent vector; the argument is that of `Model.decode`. */
  decode(argument) {
    return this.send({ method: "decode", argument });
  }

  /** Returns the posterior of a window, from its labels. */
  encode(labels) {
    return this.send({ method: "encode", argument: labels });
  }

  /** Returns a latent vector from the prior; the argument is that of `Model.prior`. */
  prior(argument) {
    return this.send({ method: "prior", argument });
  }
}
