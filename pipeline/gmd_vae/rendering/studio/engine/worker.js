/** Answers the requests of the page: ``{id, method, argument}``; the first message has the packed model. */
function serve(scope) {
  /** @type {Model} */ let model;
  scope.onmessage = ({ data }) => {
    try {
      if (data.packed) model = new Model(data.packed);
      scope.postMessage({ id: data.id, result: data.packed ? true : model[data.method](data.argument) });
    } catch (error) {
      scope.postMessage({ id: data.id, error: String(error && error.message) });
    }
  };
}
