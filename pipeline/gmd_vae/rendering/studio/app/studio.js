/**
 * A beat: levels of its cells, its latent vector (null while the encoder computes it), and its name.
 * @typedef {{levels: Uint8Array, z: Float32Array | null, name: string}} Beat
 */
/** A beat of the model. */
/** @typedef {Beat & {z: Float32Array}} DecodedBeat */

/**
 * Amounts of the attributes, and the beat that they change; null: no attribute was changed.
 * @typedef {{amounts: Record<string, number>, base: Beat | null}} Character
 */

/** Parts of the page that are shown anew. */
/** @typedef {"beat" | "corners" | "place" | "chain" | "variations" | "locks" | "settings"} Part */

/**
 * A state of the page, for undo. Its parts are replaced and never changed.
 * @typedef {{settings: Settings, beat: Beat, place: Place, character: Character, corners: DecodedBeat[], set: Set<number>,
 *   chain: Beat[], locks: Locks}} State
 */

const CORNER_NAMES = ["A", "B", "C", "D"];
const VARIATION_COUNT = 8;
const PATH_BEATS = 8;

/** The state of the page, and what can be done to it. The page shows it when `changed` is called. */
class Studio {
  /**
   * @param {ModelClient} client The model.
   * @param {Drums} drums Drums of the model.
   * @param {Performer} performer Velocities and offsets.
   * @param {Record<string, number[]>} attributes Attribute vectors by name.
   * @param {Settings} settings Settings.
   * @param {(part: Part) => void} changed Function that shows a part.
   */
  constructor(client, drums, performer, attributes, settings, changed) {
    this.client = client;
    this.drums = drums;
    this.performer = performer;
    this.attributes = attributes;
    this.settings = settings;
    this.changed = changed;
    this.count = drums.names.length;
    this.steps = drums.bars * drums.stepsPerBar;
    /** @type {Beat} */ this.beat = { levels: new Uint8Array(this.steps * this.count), z: null, name: "" };
    /** @type {DecodedBeat[]} */ this.corners = [];
    /** Numbers of the corners that were set. */ /** @type {Set<number>} */ this.set = new Set();
    /** @type {Beat[]} */ this.chain = [];
    /** @type {DecodedBeat[]} */ this.variations = [];
    /** @type {Locks} */ this.locks = { drums: new Set(), bars: new Set() };
    /** @type {Place} */ this.place = { x: 0, y: 0 };
    /** @type {Character} */ this.character = { amounts: {}, base: null };
    /** Amounts of the sliders while their beat is computed. @type {Character | null} */ this.wanted = null;
    /** @type {UndoHistory<State>} */ this.history = new UndoHistory();
    /** Seed of the newest request for beats. */ this.newestSeed = settings.seed;
    /** Place that is taken when requested beats arrive; null: the beat of the grid stays. @type {Place | null} */
    this.arrival = null;
    this.surprises = 0;
    this.edits = 0;
    this.newest = new Newest();
    /** @type {Hit[]} */ this.hits = [];
    /** @type {Hit[][]} */ this.byStep = [];
    this.perform();
  }

  /** Computes the hits of the beat as they are played now. */
  perform() {
    this.hits = this.performer.play(this.beat.levels, this.settings);
    this.byStep = this.stepsOf(this.hits);
  }

  /**
   * Returns the hits of each step.
   * @param {Hit[]} hits Hits of a beat.
   */
  stepsOf(hits) {
    /** @type {Hit[][]} */ const byStep = Array.from({ length: this.steps }, () => []);
    for (const hit of hits) byStep[hit.step].push(hit);
    return byStep;
  }

  /**
   * Changes settings; the sound follows at the next step.
   * @param {Partial<Settings>} settings Settings that change.
   */
  change(settings) {
    Object.assign(this.settings, settings);
    this.perform();
    this.changed("settings");
    this.changed("beat");
  }

  /**
   * Takes another beat, without a step of undo.
   * @param {Beat} beat The beat.
   * @param {Place} [place] Its place on the pad.
   * @param {Character} [character] Attributes that changed it.
   * @param {Character | null} [wanted] Attributes of a newer beat that is computed now.
   */
  take(beat, place, character = { amounts: {}, base: null }, wanted = null) {
    this.beat = beat;
    this.character = character;
    this.wanted = wanted;
    this.edits++;
    if (place) this.place = place;
    this.perform();
    this.changed("beat");
    this.changed("place");
  }

  /** Keeps the state for undo. */
  keep() {
    this.history.keep(this.state());
  }

  /**
   * Returns the current state.
   * @returns {State}
   */
  state() {
    const { settings, beat, place, character, corners, set, chain, locks } = this;
    return { settings: { ...settings }, beat, place, character, corners, set, chain, locks };
  }

  undo() {
    this.restore(this.history.undo(this.state()));
  }

  redo() {
    this.restore(this.history.redo(this.state()));
  }

  /**
   * Goes to another state.
   * @param {State | undefined} state State; undefined: none.
   */
  restore(state) {
    if (!state) return;
    const { corners } = this;
    this.newest.drop();
    Object.assign(this.settings, state.settings);
    this.newestSeed = this.settings.seed;
    this.corners = state.corners;
    this.set = state.set;
    this.chain = state.chain;
    this.locks = state.locks;
    this.take(state.beat, state.place, state.character);
    if (corners !== this.corners) this.changed("corners");
    for (const part of /** @type {Part[]} */ (["settings", "chain", "locks"])) this.changed(part);
  }

  /**
   * Returns levels in which the locked drums and bars are those of the current beat.
   * @param {Uint8Array} levels Levels of another beat.
   */
  locked(levels) {
    const { drums, bars } = this.locks;
    if (!drums.size && !bars.size) return levels;
    return levels.map((level, at) => {
      const bar = Math.floor(at / this.count / this.drums.stepsPerBar);
      return drums.has(at % this.count) || bars.has(bar) ? this.beat.levels[at] : level;
    });
  }

  /**
   * Locks a drum or a bar, or unlocks it.
   * @param {LockKind} kind Kind.
   * @param {number} number Its number.
   */
  toggleLock(kind, number) {
    this.keep();
    const locked = new Set(this.locks[kind]);
    if (!locked.delete(number)) locked.add(number);
    this.locks = { ...this.locks, [kind]: locked };
    this.changed("locks");
  }

  /**
   * Returns the posterior mean of a beat.
   * @param {Uint8Array} levels Levels of the beat.
   */
  async encoded(levels) {
    return (await this.client.encode(labelsOf(levels, this.count))).mean;
  }

  /**
   * Draws the four beats of a seed: those of ``gmd-vae generate -n 4 --seed``. Later actions win: until the beats arrive,
   * the user can choose another place than corner A, change the beat, which stays, or fill a corner, which stays too.
   * @param {number} seed Seed.
   */
  async newBeats(seed) {
    this.newestSeed = seed;
    this.arrival = cornerPlace(0);
    this.edits++; // an earlier request for a version of the beat is out of date
    const { corners: before } = this, { temperature } = this.settings;
    const corners = await Promise.all(CORNER_NAMES.map(async (name, file) => {
      const z = await this.client.prior({ seed, file });
      const labels = await this.client.decode({ z, temperature, seed, file });
      return { levels: levelsOf(labels, this.count), z, name: `beat ${name}` };
    }));
    if (this.newestSeed !== seed) return; // another seed was asked for meanwhile
    this.keep();
    this.settings.seed = seed;
    const filled = [...this.set].filter((number) => this.corners[number] !== before[number]);
    this.corners = corners.map((corner, number) => (filled.includes(number) ? this.corners[number] : corner));
    this.set = new Set(filled);
    this.changed("settings");
    this.changed("corners");
    if (this.arrival) await this.goTo(this.arrival);
    else this.findPlace();
  }

  /**
   * Goes to a place of the pad.
   * @param {Place} place The place.
   */
  async goTo({ x, y }) {
    if (Number.isInteger(x) && Number.isInteger(y)) this.goToCorner(x + 2 * y);
    else await this.moveTo(x, y);
  }

  /**
   * Goes to a corner of the pad, with a step of undo.
   * @param {number} number Number of the corner.
   */
  takeCorner(number) {
    this.arrival = cornerPlace(number);
    if (!this.corners.length) return; // the first beats are not there yet
    this.keep();
    this.goToCorner(number);
  }

  /**
   * Goes to a corner of the pad.
   * @param {number} number Number of the corner.
   */
  goToCorner(number) {
    const corner = this.corners[number], levels = this.locked(corner.levels);
    this.take(levels === corner.levels ? corner : { ...corner, levels }, cornerPlace(number));
  }

  /**
   * Puts a beat into a corner of the pad; the current one also goes there.
   * @param {number} number Number of the corner.
   * @param {Uint8Array} [levels] Levels of the beat; by default the current one.
   */
  async fillCorner(number, levels = this.beat.levels) {
    this.arrival = null;
    const corner = { levels, z: await this.encoded(levels), name: `beat ${CORNER_NAMES[number]}` };
    this.keep();
    this.corners = this.corners.map((before, at) => (at === number ? corner : before));
    this.set = new Set(this.set).add(number);
    this.changed("corners");
    if (levels === this.beat.levels) this.take(corner, cornerPlace(number));
    else this.findPlace();
  }

  /** Moves the point of the pad to the place nearest to the current beat. */
  findPlace() {
    if (!this.beat.z) return;
    this.place = nearestPlace(this.corners.map((corner) => corner.z), this.beat.z);
    this.changed("place");
  }

  /**
   * Returns the latent vector at a place of the pad, and its levels.
   * @param {number} x Place across.
   * @param {number} y Place down.
   */
  async levelsAt(x, y) {
    const z = latentAt(this.corners.map((corner) => corner.z), x, y);
    return { z, levels: await this.levelsOf(z) };
  }

  /**
   * Decodes a latent vector.
   * @param {Float32Array} z Latent vector.
   * @param {Uint8Array} [before] Levels that the hits keep.
   */
  async levelsOf(z, before) {
    const { seed, temperature } = this.settings;
    return levelsOf(await this.client.decode({ z, temperature, seed }), this.count, before);
  }

  /**
   * Moves to a place of the pad.
   * @param {number} x Place across.
   * @param {number} y Place down.
   */
  moveTo(x, y) {
    this.arrival = { x, y };
    return this.newest.run(async () => {
      const { corners } = this, { z, levels } = await this.levelsAt(x, y);
      return () => {
        if (corners === this.corners) this.take({ z, levels: this.locked(levels), name: "morph" }, { x, y });
      };
    });
  }

  /**
   * Moves the beat along an attribute vector; the amounts are 0 for the beat as it was before.
   * @param {string} name Name of the attribute.
   * @param {number} amount Amount of the attribute.
   */
  setCharacter(name, amount) {
    const { amounts: before, base: beat } = this.wanted || this.character;
    const amounts = { ...before, [name]: amount }, base = beat || this.beat, wanted = { amounts, base };
    this.wanted = wanted;
    this.arrival = null;
    return this.newest.run(async () => {
      const origin = base.z || (await this.encoded(base.levels));
      const z = origin.map((value, at) =>
        Object.entries(amounts).reduce((sum, [key, share]) => sum + share * this.attributes[key][at], value));
      const changed = Object.values(amounts).some(Boolean);
      const levels = changed ? this.locked(await this.levelsOf(z, base.levels)) : base.levels;
      const taken = { z, levels, name: changed ? "changed beat" : base.name };
      return () => this.take(taken, this.place, wanted, this.wanted === wanted ? null : this.wanted);
    });
  }

  /**
   * Sets the level of a cell.
   * @param {number} at Place of the cell.
   * @param {number} level Level.
   */
  edit(at, level) {
    const levels = this.beat.levels.slice();
    levels[at] = level;
    return this.open(levels, "edited beat");
  }

  /**
   * Takes a beat of the user's; the point of the pad moves to the nearest place.
   * @param {Uint8Array} levels Levels of the beat.
   * @param {string} name Name of the beat.
   */
  async open(levels, name) {
    this.arrival = null;
    this.keep();
    /** @type {Beat} */ const beat = { levels, z: null, name };
    this.take(beat);
    const mean = await this.encoded(levels);
    beat.z = mean;
    if (beat === this.beat) this.findPlace();
  }

  /** Decodes the likeliest beat at the encoded beat. Hits that stay keep their levels. */
  async tidy() {
    this.arrival = null;
    const { levels } = this.beat, edit = this.edits, mean = await this.encoded(levels);
    const labels = await this.client.decode({ z: mean, temperature: 0 });
    if (edit === this.edits) this.takeNew(mean, levelsOf(labels, this.count, levels), "tidy beat");
  }

  /** Samples a beat near the encoded one. */
  async surprise() {
    this.arrival = null;
    const { levels } = this.beat, edit = this.edits, { seed, temperature } = this.settings, number = ++this.surprises;
    const z = latentNear(await this.encoded(levels), seed, number, SURPRISE);
    const labels = await this.client.decode({ z, temperature, seed, file: number });
    if (edit === this.edits) this.takeNew(z, levelsOf(labels, this.count, levels), `surprise ${number}`);
  }

  /**
   * Takes a decoded beat, with a step of undo.
   * @param {Float32Array} z Latent vector of the beat.
   * @param {Uint8Array} levels Levels of the beat.
   * @param {string} name Name of the beat.
   */
  takeNew(z, levels, name) {
    this.arrival = null;
    this.keep();
    this.take({ z, levels: this.locked(levels), name }, nearestPlace(this.corners.map((corner) => corner.z), z));
  }

  /** Decodes near variations of the beat, each other than the beat and the ones before, where the model has some. */
  async vary() {
    const { levels } = this.beat, { seed } = this.settings, mean = await this.encoded(levels);
    const first = await this.client.decode({ z: mean, temperature: 0 }); // the model's version of the beat
    const seen = new Set([first.join(), labelsOf(levels, this.count).join()]);
    /** @type {DecodedBeat[]} */ const found = [];
    for (let number = 0; number < VARIATION_COUNT; number++) {
      let z = mean, labels = first;
      for (const distance of VARIATION_DISTANCES) {
        z = latentNear(mean, seed, 1000 + number, distance);
        labels = await this.client.decode({ z, temperature: 0 });
        if (!seen.has(labels.join())) break;
      }
      seen.add(labels.join());
      found.push({ z, levels: this.locked(levelsOf(labels, this.count, levels)), name: `variation ${number + 1}` });
    }
    this.variations = found;
    this.changed("variations");
  }

  /**
   * Makes the beats along a path of the pad the chain.
   * @param {Place[]} path Places of the path.
   */
  async follow(path) {
    /** @type {Beat[]} */ const beats = [];
    for (const { x, y } of alongPath(path, PATH_BEATS)) {
      beats.push({ ...(await this.levelsAt(x, y)), name: `path ${beats.length + 1}` });
    }
    this.keep();
    this.chain = beats;
    this.changed("chain");
  }

  addToChain() {
    this.keep();
    this.chain = [...this.chain, this.beat];
    this.changed("chain");
  }

  /**
   * Removes a beat from the chain.
   * @param {number} number Number of the beat in the chain.
   */
  removeFromChain(number) {
    this.keep();
    this.chain = this.chain.filter((_, at) => at !== number);
    this.changed("chain");
  }

  /**
   * Returns the hits of beats as they are played.
   * @param {Beat[]} beats Beats.
   */
  performed(beats) {
    return beats.map((beat) => this.performer.play(beat.levels, this.settings));
  }
}
