/**
 * A function that computes something, and the number of drops when it was asked for.
 * @typedef {{compute: () => Promise<() => void>, drops: number}} NewestRequest
 */

/**
 * Computations that follow the hand, such as the beat at a place of the pad. While one runs, only the newest request waits.
 */
class Newest {
  constructor() {
    /** @type {NewestRequest | null} */ this.asked = null;
    /** Number of drops. */ this.drops = 0;
  }

  /**
   * Computes something, now or when what is computed now has ended.
   * @param {NewestRequest["compute"]} compute Function that returns the function that shows the result.
   */
  async run(compute) {
    const waits = this.asked !== null, request = { compute, drops: this.drops };
    this.asked = request;
    if (waits) return;
    try {
      for (let now = /** @type {NewestRequest | null} */ (request); now; now = this.asked) {
        if (now.drops === this.drops) {
          const show = await now.compute();
          if (now.drops === this.drops) show();
        }
        if (this.asked === now) this.asked = null;
      }
    } finally {
      this.asked = null;
    }
  }

  /** Leaves out the results of all that was asked for: what is computed now, and what waits. */
  drop() {
    this.drops++;
  }
}
