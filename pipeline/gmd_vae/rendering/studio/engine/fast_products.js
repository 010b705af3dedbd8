/** Columns of a matrix that are computed together: four registers of four numbers. */
const BLOCK = 16;
/** Vectors that are multiplied with one matrix in a call; a block of the matrix stays in the cache for all of them. */
const VECTORS = 64;
/** Fewest weights of a matrix that are worth the copies. */
const FEWEST_WEIGHTS = 1 << 12;

/**
 * Returns a WebAssembly module (core specification 2.0, with 128-bit SIMD) with one function, which adds products:
 * ``products(sums, vectors, matrix, rows, blocks, count)``. All arguments but the last three are addresses of float32
 * numbers: sums ``[count, blocks * 16]``, vectors ``[count, rows]`` and the matrix ``[blocks, rows, 16]``.
 */
function productsModule() {
  const [sums, vectors, matrix, rows, blocks, count, left, number, vector, end, weights, into, x, a] = Array(14).keys();
  const get = (/** @type {number} */ local) => [0x20, local], set = (/** @type {number} */ local) => [0x21, local];
  const constant = (/** @type {number} */ value) => [0x41, ...variableLengthOf(value)];
  const add = 0x6a, subtract = 0x6b, multiply = 0x6c, differ = 0x47, loop = [0x03, 0x40], done = 0x0b, repeatIf = [0x0d, 0];
  const load = (/** @type {number} */ offset) => [0xfd, 0x00, 4, offset];
  const store = (/** @type {number} */ offset) => [0xfd, 0x0b, 4, offset];
  const splat = [0xfd, 0x09, 2, 0], addFour = [0xfd, 0xe4, 1], multiplyFour = [0xfd, 0xe6, 1];
  const parts = [0, 1, 2, 3]; // of a block
  /** @type {(local: number, bytes: number) => number[]} */
  const move = (local, bytes) => [...get(local), ...constant(bytes), add, ...set(local)];
  const code = [
    ...get(blocks), ...set(left),
    ...loop, // for each block
    ...get(count), ...set(number), ...get(vectors), ...set(vector), ...get(sums), ...set(into),
    ...loop, // for each vector
    ...get(matrix), ...set(weights), ...get(vector), ...get(rows), ...constant(4), multiply, add, ...set(end),
    ...parts.flatMap((part) => [...get(into), ...load(16 * part), ...set(a + part)]),
    ...loop, // for each row
    ...get(vector), ...splat, ...set(x),
    ...parts.flatMap((part) => [
      ...get(a + part), ...get(x), ...get(weights), ...load(16 * part), ...multiplyFour, ...addFour, ...set(a + part),
    ]),
    ...move(weights, 4 * BLOCK), ...move(vector, 4), ...get(vector), ...get(end), differ, ...repeatIf, done,
    ...parts.flatMap((part) => [...get(into), ...get(a + part), ...store(16 * part)]),
    ...get(into), ...get(blocks), ...constant(4 * BLOCK), multiply, add, ...set(into),
    ...get(number), ...constant(1), subtract, ...set(number), ...get(number), ...repeatIf, done,
    ...get(weights), ...set(matrix), ...move(sums, 4 * BLOCK),
    ...get(left), ...constant(1), subtract, ...set(left), ...get(left), ...repeatIf, done,
    done,
  ];
  const i32 = 0x7f, v128 = 0x7b, locals = [2, 6, i32, 5, v128];
  /** @type {(id: number, content: number[]) => number[]} */
  const section = (id, content) => [id, ...variableLengthOf(content.length), ...content];
  const body = [...locals, ...code];
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 6, i32, i32, i32, i32, i32, i32, 0]), // the type of the function
    ...section(2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 1]), // imports the memory m.m, of a page or more
    ...section(3, [1, 0]), // one function of that type
    ...section(7, [1, 1, 0x70, 0, 0]), // exports it as p
    ...section(10, [1, ...variableLengthOf(body.length), ...body]),
  ]);
}

/**
 * Returns a whole number in LEB128: 7 bits a byte, the lowest first; as a signed one, for numbers from 0.
 * @param {number} number Number.
 */
function variableLengthOf(number) {
  const digits = [];
  for (; number > 63; number >>= 7) digits.push(128 | (number & 127));
  return [...digits, number];
}

/** Products with matrices in the memory of a WebAssembly module, in float32. */
class FastProducts {
  /** @param {Tensor[]} matrices Weights, which are copied. */
  constructor(matrices) {
    const blocksOf = (/** @type {Tensor} */ { columns }) => Math.ceil(columns / BLOCK);
    const rows = Math.max(...matrices.map((matrix) => matrix.rows));
    const blocks = Math.max(...matrices.map(blocksOf));
    this.sums = 0;
    this.vectors = VECTORS * blocks * BLOCK;
    let size = this.vectors + VECTORS * rows;
    /** Place of each matrix, in numbers. */
    /** @type {Map<Tensor, number>} */ this.places = new Map();
    for (const matrix of matrices) {
      size = BLOCK * Math.ceil(size / BLOCK);
      this.places.set(matrix, size);
      size += blocksOf(matrix) * matrix.rows * BLOCK;
    }
    const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * size) / 65_536) });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(productsModule()), { m: { m: memory } });
    this.products = /** @type {(...places: number[]) => void} */ (exports.p);
    this.numbers = new Float32Array(memory.buffer);
    for (const [{ rows: height, columns, values }, place] of this.places) {
      for (let at = place, first = 0; first < columns; first += BLOCK) {
        for (let row = 0; row < height; row++, at += BLOCK) {
          const start = row * columns + first;
          this.numbers.set(values.subarray(start, Math.min(start + BLOCK, (row + 1) * columns)), at);
        }
      }
    }
  }

  /**
   * Adds the products of vectors with one of the matrices.
   * @param {Float64Array[]} sums Results.
   * @param {ArrayLike<number>[]} vectors Vectors.
   * @param {Tensor} matrix The matrix.
   */
  addProducts(sums, vectors, matrix) {
    const { numbers } = this, { rows, columns } = matrix, width = BLOCK * Math.ceil(columns / BLOCK);
    for (let first = 0; first < vectors.length; first += VECTORS) {
      const count = Math.min(VECTORS, vectors.length - first);
      for (let number = 0; number < count; number++) numbers.set(vectors[first + number], this.vectors + number * rows);
      numbers.fill(0, this.sums, this.sums + count * width);
      const place = this.places.get(matrix) || 0;
      this.products(4 * this.sums, 4 * this.vectors, 4 * place, rows, width / BLOCK, count);
      for (let number = 0; number < count; number++) {
        const into = sums[first + number], from = this.sums + number * width;
        for (let column = 0; column < columns; column++) into[column] += numbers[from + column];
      }
    }
  }
}

/**
 * Computes the products with large matrices by SIMD from now on, where the browser allows it: plain JavaScript takes 3 to 6
 * times as long (tools/measure_studio.py). The results differ by the rounding of float32.
 * @param {Tensor[]} matrices Weights.
 */
function accelerate(matrices) {
  const large = matrices.filter(({ rows, columns }) => rows >= BLOCK && rows * columns >= FEWEST_WEIGHTS);
  if (!large.length || typeof WebAssembly === "undefined") return;
  try {
    const fast = new FastProducts(large);
    for (const matrix of large) matrix.fast = fast;
  } catch { // no SIMD, or no memory: the products of tensors.js do it
    return;
  }
}
