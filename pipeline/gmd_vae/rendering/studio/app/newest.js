/**
 * Computations that follow the hand, such as the beat at a place of the pad. While one runs, only the newest request waits.
 */
class Newest {
  constructor() {
    /** @type {(() => Promise<() => void>) | null} */ this.asked = null;
    /** Number of drops. */ this.drops = 0;
  }

  /**
   * Computes something, now or when what is computed now has ended.
   * @param {() => Promise<() => void>} compute Function that returns the function that shows the result.
   */
  async run(compute) {
    const waits = this.asked !== null;
    this.asked = compute;
    if (waits) return;
    try {
      for (let now = /** @type {(() => Promise<() => void>) | null} */ (compute); now; now = this.asked) {
        const { drops } = this, show = await now();
        if (drops === this.drops) show();
        if (this.asked === now) this.asked = null;
      }
    } finally {
      this.asked = null;
    }
  }

  /** Leaves out the result that is computed now. */
  drop() {
    this.drops++;
  }
}
