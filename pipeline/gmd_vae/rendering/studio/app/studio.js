const CORNER_NAMES = ["A", "B", "C", "D"];
const VARIATION_COUNT = 8;
const PATH_BEATS = 8;

/** What the model does to the state of the page. The page shows it when `changed` is called. */
class Studio extends StudioState {
  /**
   * @param {ModelClient} client The model.
   * @param {Drums} drums Drums of the model.
   * @param {Performer} performer Velocities and offsets.
   * @param {Record<string, number[]>} attributes Attribute vectors by name.
   * @param {Settings} settings Settings.
   * @param {(part: Part) => void} changed Function that shows a part.
   */
  constructor(client, drums, performer, attributes, settings, changed) {
    super(drums, performer, settings, changed);
    this.client = client;
    this.attributes = attributes;
    /** @type {DecodedBeat[]} */ this.variations = [];
    /** Amounts of the sliders while their beat is computed. @type {Character | null} */ this.wanted = null;
    /** Seed of the newest request for beats. */ this.newestSeed = settings.seed;
    /** Number of requests for beats, and of changes to other states; only the newest request is taken. */ this.requests = 0;
    /** Place that is taken when requested beats arrive; null: the beat of the grid stays. @type {Place | null} */
    this.arrival = null;
    this.surprises = 0;
    this.newest = new Newest();
  }

  /**
   * Takes another beat, without a step of undo.
   * @param {Beat} beat The beat.
   * @param {Place} [place] Its place on the pad.
   * @param {Character} [character] Attributes that changed it.
   * @param {Character | null} [wanted] Attributes of a newer beat that is computed now.
   */
  take(beat, place, character, wanted = null) {
    this.wanted = wanted;
    super.take(beat, place, character);
  }

  /**
   * Goes to another state; results that are computed for the one before are dropped.
   * @param {State} state State.
   */
  restore(state) {
    this.newest.drop();
    this.requests++;
    this.newestSeed = state.settings.seed;
    super.restore(state);
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
    const request = ++this.requests;
    this.newestSeed = seed;
    this.arrival = cornerPlace(0);
    this.edits++; // an earlier request for a version of the beat is out of date
    const { corners: before } = this, { temperature } = this.settings;
    const corners = await Promise.all(CORNER_NAMES.map(async (name, file) => {
      const z = await this.client.prior({ seed, file });
      const labels = await this.client.decode({ z, temperature, seed, file });
      return { levels: levelsOf(labels, this.count), z, name: `beat ${name}` };
    }));
    if (this.requests !== request) return; // meanwhile there was another request, or a step of undo or redo
    this.keep();
    this.settings.seed = seed;
    const filled = [...this.set].filter((number) => this.corners[number] !== before[number]);
    this.changed("settings");
    this.replaceCorners(corners.map((corner, at) => (filled.includes(at) ? this.corners[at] : corner)), new Set(filled));
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
    const corners = this.corners.map((before, at) => (at === number ? corner : before));
    this.replaceCorners(corners, new Set(this.set).add(number));
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
}
