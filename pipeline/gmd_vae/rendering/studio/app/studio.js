/**
 * A beat: levels of its cells, its latent vector (null while the encoder computes it), and its name.
 * @typedef {{levels: Uint8Array, z: Float32Array | null, name: string}} Beat
 */

const CORNER_NAMES = ["A", "B", "C", "D"];

/** The state of the page, and what can be done to it. The page observes it by `changed`. */
class Studio {
  /**
   * @param {ModelClient} client The model.
   * @param {Drums} drums Drums of the model.
   * @param {Performer} performer Velocities and offsets.
   * @param {{tempo: number, swing: number, humanize: number, temperature: number, seed: number}} settings Settings.
   * @param {(part: string) => void} changed Function that shows a part: ``beat``, ``corners``, ``place`` or ``chain``.
   */
  constructor(client, drums, performer, settings, changed) {
    Object.assign(this, { client, drums, performer, settings, changed });
    this.count = drums.names.length;
    const steps = drums.bars * drums.stepsPerBar;
    /** @type {Beat} */ this.beat = { levels: new Uint8Array(steps * this.count), z: null, name: "" };
    /** @type {Beat[]} */ this.corners = [];
    /** @type {Beat[]} */ this.chain = [];
    this.place = { x: 0, y: 0 };
    this.history = new History();
    this.surprises = 0;
    this.edits = 0;
    this.asked = null;
    this.perform();
  }

  /** Computes the hits of the beat as they are played now. */
  perform() {
    this.hits = this.performer.play(this.beat.levels, this.settings);
    this.byStep = Array.from({ length: this.beat.levels.length / this.count }, () => []);
    for (const hit of this.hits) this.byStep[hit.step].push(hit);
  }

  /** Changes settings; the sound follows at the next step. */
  set(settings) {
    Object.assign(this.settings, settings);
    this.perform();
    this.changed("beat");
  }

  /** Takes another beat, without a step of undo. */
  take(beat, place) {
    this.beat = beat;
    this.edits++;
    if (place) this.place = place;
    this.perform();
    this.changed("beat");
    this.changed("place");
  }

  /** Keeps the state for undo. */
  keep() {
    this.history.keep({ beat: this.beat, place: this.place });
  }

  undo() {
    this.restore(this.history.undo({ beat: this.beat, place: this.place }));
  }

  redo() {
    this.restore(this.history.redo({ beat: this.beat, place: this.place }));
  }

  restore(state) {
    if (state) this.take(state.beat, state.place);
  }

  /** Draws the four beats of a seed: those of ``gmd-vae generate -n 4 --seed``. */
  async newBeats(seed) {
    this.settings.seed = seed;
    const { temperature } = this.settings;
    const corners = await Promise.all(CORNER_NAMES.map(async (name, file) => {
      const z = await this.client.prior({ seed, file });
      const labels = await this.client.decode({ z, temperature, seed, file });
      return { levels: levelsOf(labels, this.count), z, name: `beat ${name}` };
    }));
    if (this.settings.seed !== seed) return; // another seed was asked for meanwhile
    this.corners = corners;
    this.changed("corners");
    this.keep();
    this.take(corners[0], { x: 0, y: 0 });
  }

  /** Goes to a corner of the pad. */
  takeCorner(number) {
    this.keep();
    this.take(this.corners[number], { x: number % 2, y: Math.floor(number / 2) });
  }

  /** Puts the current beat into a corner of the pad. */
  async fillCorner(number) {
    const { levels } = this.beat;
    const z = this.beat.z || (await this.client.encode(labelsOf(levels, this.count))).mean;
    this.corners = this.corners.map((corner, at) => (at === number ? { levels, z, name: `beat ${CORNER_NAMES[at]}` } : corner));
    this.place = { x: number % 2, y: Math.floor(number / 2) };
    this.changed("corners");
    this.changed("place");
  }

  /** Returns the levels at a place of the pad. */
  async levelsAt(x, y) {
    const z = latentAt(this.corners.map((corner) => corner.z), x, y);
    const { seed, temperature } = this.settings;
    return { z, levels: levelsOf(await this.client.decode({ z, temperature, seed }), this.count) };
  }

  /** Moves to a place of the pad. While the model computes, only the newest place waits. */
  async moveTo(x, y) {
    const waits = this.asked !== null;
    this.asked = { x, y };
    if (waits) return;
    while (this.asked) {
      const place = this.asked, corners = this.corners;
      const { z, levels } = await this.levelsAt(place.x, place.y);
      if (corners === this.corners) this.take({ z, levels, name: "morph" }, place);
      if (this.asked === place) this.asked = null;
    }
  }

  /** Sets the level of a cell; the point of the pad moves to the nearest place of the edited beat. */
  async edit(at, level) {
    this.keep();
    const levels = this.beat.levels.slice();
    levels[at] = level;
    this.take({ levels, z: null, name: "edited beat" });
    const edit = this.edits;
    const { mean } = await this.client.encode(labelsOf(levels, this.count));
    if (edit !== this.edits) return; // changed again meanwhile
    this.beat.z = mean;
    this.place = nearestPlace(this.corners.map((corner) => corner.z), mean);
    this.changed("place");
  }

  /** Decodes the likeliest beat at the encoded beat. Hits that stay keep their levels. */
  async tidy() {
    const { levels } = this.beat, edit = this.edits;
    const { mean } = await this.client.encode(labelsOf(levels, this.count));
    const labels = await this.client.decode({ z: mean, temperature: 0 });
    if (edit === this.edits) this.takeNew(mean, levelsOf(labels, this.count, levels), "tidy beat");
  }

  /** Samples a beat near the encoded one. */
  async surprise() {
    const { levels } = this.beat, edit = this.edits, { seed, temperature } = this.settings, number = ++this.surprises;
    const { mean } = await this.client.encode(labelsOf(levels, this.count));
    const z = latentNear(mean, seed, number);
    const labels = await this.client.decode({ z, temperature, seed, file: number });
    if (edit === this.edits) this.takeNew(z, levelsOf(labels, this.count, levels), `surprise ${number}`);
  }

  takeNew(z, levels, name) {
    this.keep();
    this.take({ z, levels, name }, nearestPlace(this.corners.map((corner) => corner.z), z));
  }

  addToChain() {
    this.chain = [...this.chain, this.beat];
    this.changed("chain");
  }

  removeFromChain(number) {
    this.chain = this.chain.filter((_, at) => at !== number);
    this.changed("chain");
  }

  /** Returns the hits of beats as they are played. */
  performed(beats) {
    return beats.map((beat) => this.performer.play(beat.levels, this.settings));
  }
}
