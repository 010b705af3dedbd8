/**
 * A matrix of weights, or a bias (``rows`` is 1).
 * @typedef {{rows: number, columns: number, values: Float32Array}} Tensor
 */

/** Variables of the model by Magenta's names. */
/** @typedef {Map<string, Tensor>} Variables */

/** Returns the float32 value of each of the 65,536 numbers of 16 bits (IEEE 754 binary16). */
function halfValues() {
  const values = new Float32Array(1 << 16);
  for (let bits = 0; bits < 1 << 15; bits++) {
    const exponent = bits >> 10, fraction = bits & 1023;
    let value = exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
    if (exponent === 31) value = fraction ? NaN : Infinity;
    values[bits] = value;
    values[bits | 0x8000] = -value;
  }
  return values;
}

/** Returns the bytes of a base64 text. */
function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Returns numbers of 16 bits in base64, little endian, as float32. */
function decodeHalves(base64) {
  const bytes = bytesOf(base64);
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
  const table = halfValues(), values = new Float32Array(halves.length);
  for (let at = 0; at < values.length; at++) values[at] = table[halves[at]];
  return values;
}

/**
 * Decodes the weights of a model.
 * @param {[string, number[]][]} tensors Name and shape of each variable, in the order of the data.
 * @param {string} base64 Their values, as for `decodeHalves`.
 * @returns {Variables}
 */
function decodeVariables(tensors, base64) {
  const values = decodeHalves(base64), variables = new Map();
  let start = 0;
  for (const [name, shape] of tensors) {
    const columns = shape[shape.length - 1], rows = shape.length > 1 ? shape[0] : 1;
    variables.set(name, { rows, columns, values: values.subarray(start, start + rows * columns) });
    start += rows * columns;
  }
  if (start !== values.length) throw new Error("the weights do not fit their shapes");
  return variables;
}

/** Returns some rows of a matrix; they share its memory. */
function rowsOf(matrix, first, count) {
  const values = matrix.values.subarray(first * matrix.columns, (first + count) * matrix.columns);
  return { rows: count, columns: matrix.columns, values };
}

/**
 * Adds the product of a vector with a matrix: ``sums += vector @ matrix``.
 *
 * Four rows at a time: the sums are loaded and stored a quarter as often.
 * @param {Float64Array} sums Result, one number for each column.
 * @param {ArrayLike<number>} vector One number for each row.
 * @param {Tensor} matrix Weights.
 */
function addProduct(sums, vector, matrix) {
  const { rows, columns, values } = matrix;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const a = vector[row], b = vector[row + 1], c = vector[row + 2], d = vector[row + 3];
    if (a === 0 && b === 0 && c === 0 && d === 0) continue;
    let at = row * columns, second = at + columns, third = second + columns, fourth = third + columns;
    for (let column = 0; column < columns; column++) {
      sums[column] += a * values[at++] + b * values[second++] + c * values[third++] + d * values[fourth++];
    }
  }
  for (; row < rows; row++) addRow(sums, matrix, row, vector[row]);
}

/** Adds a row of a matrix, times a factor. */
function addRow(sums, matrix, row, factor) {
  const { columns, values } = matrix;
  if (factor === 0) return;
  for (let column = 0, at = row * columns; column < columns; column++) sums[column] += factor * values[at++];
}

/** A dense layer: ``vector @ kernel + bias``. */
class Dense {
  /**
   * @param {Variables} variables Variables of the model.
   * @param {string} scope Scope of kernel and bias.
   */
  constructor(variables, scope) {
    this.kernel = variables.get(`${scope}/kernel`);
    this.bias = variables.get(`${scope}/bias`).values;
    this.sums = new Float64Array(this.bias.length);
  }

  /** Returns the output; the next call overwrites it. */
  apply(vector) {
    this.sums.set(this.bias);
    addProduct(this.sums, vector, this.kernel);
    return this.sums;
  }
}
