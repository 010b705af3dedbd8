/**
 * A matrix of weights, or a bias (``rows`` is 1). ``fast`` computes its products, where it was given by `accelerate`.
 * @typedef {{rows: number, columns: number, values: Float32Array, fast?: FastProducts}} Tensor
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

/**
 * Returns a variable of a model.
 * @param {Variables} variables Variables.
 * @param {string} name Its name.
 * @returns {Tensor}
 */
function variableOf(variables, name) {
  const found = variables.get(name);
  if (!found) throw new Error(`the model has no variable ${name}`);
  return found;
}

/**
 * Returns the bytes of a base64 text.
 * @param {string} base64 Text.
 */
function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/**
 * Returns numbers of 16 bits as float32.
 * @param {string} base64 Numbers in base64, little endian.
 */
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

/**
 * Returns some rows of a matrix; they share its memory.
 * @param {Tensor} matrix Weights.
 * @param {number} first First row.
 * @param {number} count Number of rows.
 * @returns {Tensor}
 */
function rowsOf(matrix, first, count) {
  const values = matrix.values.subarray(first * matrix.columns, (first + count) * matrix.columns);
  return { rows: count, columns: matrix.columns, values };
}

/**
 * Adds the product of a vector with a matrix: ``sums += vector @ matrix``.
 *
 * Eight rows at a time: the sums are loaded and stored an eighth as often.
 * @param {Float64Array} sums Result, one number for each column.
 * @param {ArrayLike<number>} vector One number for each row.
 * @param {Tensor} matrix Weights.
 */
function addProduct(sums, vector, matrix) {
  const { rows, columns, values, fast } = matrix;
  if (fast) return fast.addProducts([sums], [vector], matrix);
  const two = 2 * columns, three = 3 * columns, four = 4 * columns, five = 5 * columns, six = 6 * columns, seven = 7 * columns;
  let row = 0;
  for (; row + 8 <= rows; row += 8) {
    const a = vector[row], b = vector[row + 1], c = vector[row + 2], d = vector[row + 3];
    const e = vector[row + 4], f = vector[row + 5], g = vector[row + 6], h = vector[row + 7];
    if (a === 0 && b === 0 && c === 0 && d === 0 && e === 0 && f === 0 && g === 0 && h === 0) continue;
    for (let column = 0, at = row * columns; column < columns; column++, at++) {
      sums[column] += a * values[at] + b * values[at + columns] + c * values[at + two] + d * values[at + three]
        + e * values[at + four] + f * values[at + five] + g * values[at + six] + h * values[at + seven];
    }
  }
  for (; row < rows; row++) addRow(sums, matrix, row, vector[row]);
}

/**
 * Adds the products of vectors with one matrix, four vectors at a time: each weight is loaded and widened once for all of
 * them, which takes less than half the time.
 * @param {Float64Array[]} sums Results.
 * @param {ArrayLike<number>[]} vectors Vectors.
 * @param {Tensor} matrix Weights.
 */
function addProducts(sums, vectors, matrix) {
  if (matrix.fast) return matrix.fast.addProducts(sums, vectors, matrix);
  let first = 0;
  for (; first + 4 <= vectors.length; first += 4) addFourProducts(sums, vectors, first, matrix);
  for (; first < vectors.length; first++) addProduct(sums[first], vectors[first], matrix);
}

/**
 * Adds the products of four vectors with one matrix.
 * @param {Float64Array[]} sums Results.
 * @param {ArrayLike<number>[]} vectors Vectors.
 * @param {number} first Number of the first of the four vectors.
 * @param {Tensor} matrix Weights.
 */
function addFourProducts(sums, vectors, first, matrix) {
  const { rows, columns, values } = matrix;
  const [sumsA, sumsB, sumsC, sumsD] = sums.slice(first, first + 4), [a, b, c, d] = vectors.slice(first, first + 4);
  let row = 0;
  for (; row + 2 <= rows; row += 2) {
    const a0 = a[row], a1 = a[row + 1], b0 = b[row], b1 = b[row + 1];
    const c0 = c[row], c1 = c[row + 1], d0 = d[row], d1 = d[row + 1];
    for (let column = 0, at = row * columns; column < columns; column++, at++) {
      const one = values[at], two = values[at + columns];
      sumsA[column] += a0 * one + a1 * two;
      sumsB[column] += b0 * one + b1 * two;
      sumsC[column] += c0 * one + c1 * two;
      sumsD[column] += d0 * one + d1 * two;
    }
  }
  if (row < rows) for (let number = first; number < first + 4; number++) addRow(sums[number], matrix, row, vectors[number][row]);
}

/**
 * Adds a row of a matrix, times a factor.
 * @param {Float64Array} sums Result.
 * @param {Tensor} matrix Weights.
 * @param {number} row Number of the row.
 * @param {number} factor Factor.
 */
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
    this.kernel = variableOf(variables, `${scope}/kernel`);
    this.bias = variableOf(variables, `${scope}/bias`).values;
    this.sums = new Float64Array(this.bias.length);
  }

  /**
   * Returns the output; the next call overwrites it.
   * @param {ArrayLike<number>} vector Input.
   */
  apply(vector) {
    this.sums.set(this.bias);
    addProduct(this.sums, vector, this.kernel);
    return this.sums;
  }
}
