const LEVEL_NAMES = ["off", "soft", "medium", "accent"];

/** Kinds of locks. */
/** @typedef {"drums" | "bars"} LockKind */
/** Numbers of the locked drums and bars. */
/** @typedef {{drums: Set<number>, bars: Set<number>}} Locks */

/** The grid of a beat: a row for each drum, a column for each step; cells are changed by pointer and by keyboard. */
class Grid {
  /**
   * @param {HTMLElement} element Element with the role ``grid``.
   * @param {Drums} drums Drums of the model.
   * @param {number} steps Steps of a beat.
   * @param {(at: number, level: number) => void} change Function that sets the level of a cell.
   * @param {(kind: LockKind, number: number) => void} lock Function that locks a drum or a bar, or unlocks it.
   */
  constructor(element, drums, steps, change, lock) {
    this.element = element;
    this.drums = drums;
    this.steps = steps;
    this.change = change;
    this.lock = lock;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    /** @type {HTMLElement[]} */ this.cells = new Array(steps * drums.names.length);
    /** Marks of the hits in the cells. */ /** @type {HTMLElement[]} */ this.marks = new Array(steps * drums.names.length);
    /** @type {HTMLButtonElement[]} */ this.locks = [];
    this.cursor = -1;
    this.focused = 0;
    element.style.setProperty("--steps", String(steps));
    element.append(this.barRow());
    for (let drum = drums.names.length - 1; drum >= 0; drum--) element.append(this.row(drum));
    this.cells[0].tabIndex = 0;
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("keydown", (event) => this.key(event));
  }

  /** Returns the row above the cells, with a lock for each bar. */
  barRow() {
    const row = document.createElement("div");
    row.role = "row";
    row.className = "row bars";
    const corner = document.createElement("span");
    corner.role = "columnheader";
    corner.textContent = "Lock";
    row.append(corner);
    for (let bar = 0; bar < this.drums.bars; bar++) {
      const head = document.createElement("span");
      head.role = "columnheader";
      head.style.gridColumn = `span ${this.drums.stepsPerBar}`;
      head.append(this.lockButton("bars", bar, `bar ${bar + 1}`));
      row.append(head);
    }
    return row;
  }

  /**
   * Returns the button of a lock.
   * @param {LockKind} kind Kind.
   * @param {number} number Number of the drum or the bar.
   * @param {string} name Its name.
   */
  lockButton(kind, number, name) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "lock";
    button.dataset.lock = `${kind} ${number}`;
    button.textContent = name;
    button.title = `Lock: ${name} stays while the rest is drawn again`;
    button.setAttribute("aria-label", `Lock ${name}`);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => this.lock(kind, number));
    this.locks.push(button);
    return button;
  }

  /**
   * Shows the locks.
   * @param {Locks} locks Locks.
   */
  showLocks(locks) {
    const closed = new Set([...[...locks.drums].map((drum) => `drums ${drum}`), ...[...locks.bars].map((bar) => `bars ${bar}`)]);
    for (const button of this.locks) button.setAttribute("aria-pressed", String(closed.has(button.dataset.lock || "")));
  }

  /**
   * Returns the row of a drum.
   * @param {number} drum Number of the drum class.
   */
  row(drum) {
    const row = document.createElement("div");
    row.role = "row";
    row.className = `row v${this.drums.voices[drum]}`;
    const head = document.createElement("span");
    head.role = "rowheader";
    head.append(this.lockButton("drums", drum, this.drums.names[drum]));
    row.append(head);
    for (let step = 0; step < this.steps; step++) {
      const cell = document.createElement("span");
      cell.role = "gridcell";
      cell.tabIndex = -1;
      cell.className = "cell";
      cell.dataset.at = String(step * this.drums.names.length + drum);
      if (step % this.drums.stepsPerBar === 0) cell.classList.add("bar");
      else if (step % this.drums.stepsPerBeat === 0) cell.classList.add("beat");
      const mark = document.createElement("i");
      cell.append(mark);
      this.cells[step * this.drums.names.length + drum] = cell;
      this.marks[step * this.drums.names.length + drum] = mark;
      row.append(cell);
    }
    return row;
  }

  /**
   * Returns the name of a cell: drum, bar, step and level.
   * @param {number} at Place of the cell.
   * @param {number} level Level of the cell.
   */
  name(at, level) {
    const step = Math.floor(at / this.drums.names.length), { stepsPerBar } = this.drums;
    const place = `bar ${1 + Math.floor(step / stepsPerBar)}, step ${1 + (step % stepsPerBar)}`;
    return `${this.drums.names[at % this.drums.names.length]}, ${place}: ${LEVEL_NAMES[level]}`;
  }

  /**
   * Shows a beat.
   * @param {Uint8Array} levels Levels of the cells.
   * @param {Hit[]} hits The hits as they are played: the height of a mark is the velocity, its place the timing.
   */
  show(levels, hits) {
    const count = this.drums.names.length;
    levels.forEach((level, at) => {
      const cell = this.cells[at];
      if (cell.dataset.level === String(level)) return;
      cell.dataset.level = String(level);
      cell.setAttribute("aria-label", this.name(at, level));
    });
    for (const { step, drum, velocity, offset } of hits) {
      const mark = this.marks[step * count + drum];
      mark.style.height = `${Math.round(100 * hitHeight(velocity))}%`;
      mark.style.transform = `translateX(${Math.round(100 * offset)}%)`;
    }
  }

  /**
   * Shows the step that sounds.
   * @param {number} step Number of the step; -1: none.
   */
  showStep(step) {
    if (step === this.cursor) return;
    const count = this.drums.names.length;
    for (const column of [this.cursor, step]) {
      if (column < 0) continue;
      for (let drum = 0; drum < count; drum++) this.cells[column * count + drum].classList.toggle("now", column === step);
    }
    this.cursor = step;
    if (step >= 0 && step % this.drums.stepsPerBar === 0) this.scrollTo(step);
  }

  /**
   * Brings the bar of a step into view, where the grid is wider than the page.
   * @param {number} step Number of the step.
   */
  scrollTo(step) {
    const box = this.element.parentElement;
    if (!box || box.scrollWidth <= box.clientWidth || this.element.contains(document.activeElement)) return;
    const left = this.cells[step * this.drums.names.length].offsetLeft - this.cells[0].offsetLeft;
    box.scrollTo({ left, behavior: this.still.matches ? "instant" : "smooth" });
  }

  /**
   * Changes a cell when the pointer is released where it was pressed.
   * @param {PointerEvent} event Press.
   */
  press(event) {
    const cell = targetOf(event, "[role=gridcell]");
    if (!(cell instanceof HTMLElement) || event.button) return;
    const start = { x: event.clientX, y: event.clientY };
    /** @type {(up: PointerEvent) => void} */
    const release = (up) => { // a touch that scrolls the grid sets no cell
      const moved = Math.hypot(up.clientX - start.x, up.clientY - start.y) > 10;
      if (up.type === "pointerup" && !moved) this.cycle(Number(cell.dataset.at));
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", release);
    };
    addEventListener("pointerup", release);
    addEventListener("pointercancel", release);
  }

  /**
   * Sets the next level of a cell.
   * @param {number} at Place of the cell.
   */
  cycle(at) {
    this.focus(at);
    const order = [MEDIUM, 0, 3, 1]; // off → medium → accent → soft → off
    this.change(at, order[Number(this.cells[at].dataset.level)]);
  }

  /**
   * Moves the focus to a cell.
   * @param {number} at Place of the cell.
   */
  focus(at) {
    this.cells[this.focused].tabIndex = -1;
    this.focused = at;
    this.cells[at].tabIndex = 0;
    this.cells[at].focus();
  }

  /**
   * Moves the focus or changes the cell that has it.
   * @param {KeyboardEvent} event Key.
   */
  key(event) {
    if (!targetOf(event, "[role=gridcell]")) return; // a lock
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const count = this.drums.names.length, step = Math.floor(this.focused / count), drum = this.focused % count;
    const { stepsPerBar } = this.drums;
    /** @type {Record<string, [number, number]>} */
    const moves = {
      ArrowLeft: [step - 1, drum], ArrowRight: [step + 1, drum], ArrowUp: [step, drum + 1], ArrowDown: [step, drum - 1],
      Home: [0, drum], End: [this.steps - 1, drum], PageUp: [step - stepsPerBar, drum], PageDown: [step + stepsPerBar, drum],
    };
    const within = (/** @type {number} */ value, /** @type {number} */ end) => Math.min(Math.max(value, 0), end - 1);
    if (Object.hasOwn(moves, event.key)) {
      const [toStep, toDrum] = moves[event.key];
      this.focus(within(toStep, this.steps) * count + within(toDrum, count));
    }
    else if (event.key === "Enter") this.cycle(this.focused);
    else if ("0123".includes(event.key)) this.change(this.focused, Number(event.key));
    else return;
    event.preventDefault();
  }
}
