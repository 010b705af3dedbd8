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

/** The state of the page: the beat in the grid as it is played, the pad, the chain and the settings, with undo. */
class StudioState {
  /**
   * @param {Drums} drums Drums of the model.
   * @param {Performer} performer Velocities and offsets.
   * @param {Settings} settings Settings.
   * @param {(part: Part) => void} changed Function that shows a part.
   */
  constructor(drums, performer, settings, changed) {
    this.drums = drums;
    this.performer = performer;
    this.settings = settings;
    this.changed = changed;
    this.count = drums.names.length;
    this.steps = drums.bars * drums.stepsPerBar;
    /** @type {Beat} */ this.beat = { levels: new Uint8Array(this.steps * this.count), z: null, name: "" };
    /** @type {DecodedBeat[]} */ this.corners = [];
    /** Numbers of the corners that were set. */ /** @type {Set<number>} */ this.set = new Set();
    /** @type {Beat[]} */ this.chain = [];
    /** @type {Locks} */ this.locks = { drums: new Set(), bars: new Set() };
    /** @type {Place} */ this.place = { x: 0, y: 0 };
    /** @type {Character} */ this.character = { amounts: {}, base: null };
    /** @type {UndoHistory<State>} */ this.history = new UndoHistory();
    this.edits = 0;
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
   * Returns the hits of beats as they are played.
   * @param {Beat[]} beats Beats.
   */
  performed(beats) {
    return beats.map((beat) => this.performer.play(beat.levels, this.settings));
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
   */
  take(beat, place, character = { amounts: {}, base: null }) {
    this.beat = beat;
    this.character = character;
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
    const state = this.history.undo(this.state());
    if (state) this.restore(state);
  }

  redo() {
    const state = this.history.redo(this.state());
    if (state) this.restore(state);
  }

  /**
   * Goes to another state.
   * @param {State} state State.
   */
  restore(state) {
    const { corners } = this;
    Object.assign(this.settings, state.settings);
    this.corners = state.corners;
    this.set = state.set;
    this.chain = state.chain;
    this.locks = state.locks;
    this.take(state.beat, state.place, state.character);
    if (corners !== this.corners) this.changed("corners");
    for (const part of /** @type {Part[]} */ (["settings", "chain", "locks"])) this.changed(part);
  }

  /**
   * Replaces the corners of the pad.
   * @param {DecodedBeat[]} corners Beats of the corners.
   * @param {Set<number>} set Numbers of those that were set.
   */
  replaceCorners(corners, set) {
    this.corners = corners;
    this.set = set;
    this.changed("corners");
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
}
