const MOST_STATES = 200;

/**
 * Undo and redo: states as they were, the newest last.
 * @template State
 */
class UndoHistory {
  constructor() {
    /** @type {State[]} */ this.past = [];
    /** @type {State[]} */ this.future = [];
  }

  /**
   * Keeps a state before it changes.
   * @param {State} state State.
   */
  keep(state) {
    this.past.push(state);
    if (this.past.length > MOST_STATES) this.past.shift();
    this.future = [];
  }

  /**
   * Returns the state before, or undefined.
   * @param {State} current Current state, which can come back by `redo`.
   */
  undo(current) {
    if (!this.past.length) return undefined;
    this.future.push(current);
    return this.past.pop();
  }

  /**
   * Returns the state that `undo` left, or undefined.
   * @param {State} current Current state.
   */
  redo(current) {
    if (!this.future.length) return undefined;
    this.past.push(current);
    return this.future.pop();
  }
}
