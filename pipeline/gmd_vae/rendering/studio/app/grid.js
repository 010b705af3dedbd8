const LEVEL_NAMES = ["off", "soft", "medium", "accent"];

/** The grid of a beat: a row for each drum, a column for each step; cells are changed by pointer and by keyboard. */
class Grid {
  /**
   * @param {HTMLElement} element Element with the role ``grid``.
   * @param {Drums} drums Drums of the model.
   * @param {number} steps Steps of a beat.
   * @param {(at: number, level: number) => void} change Function that sets the level of a cell.
   * @param {(kind: "drums" | "bars", number: number) => void} lock Function that locks a drum or a bar, or unlocks it.
   */
  constructor(element, drums, steps, change, lock) {
    Object.assign(this, { element, drums, steps, change, lock });
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.cells = new Array(steps * drums.names.length);
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
    return button;
  }

  /** Shows the locks. */
  showLocks(locks) {
    this.element.querySelectorAll("[data-lock]").forEach((button) => {
      const [kind, number] = button.dataset.lock.split(" ");
      button.setAttribute("aria-pressed", String(locks[kind].has(Number(number))));
    });
  }

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
      cell.append(document.createElement("i"));
      this.cells[step * this.drums.names.length + drum] = cell;
      row.append(cell);
    }
    return row;
  }

  /** Name of a cell: drum, bar, step and level. */
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
      const mark = this.cells[step * count + drum].firstChild;
      mark.style.height = `${Math.round(18 + (82 * velocity) / 127)}%`;
      mark.style.transform = `translateX(${Math.round(100 * offset)}%)`;
    }
  }

  /** Shows the step that sounds; -1 for none. */
  showStep(step) {
    if (step === this.cursor) return;
    const count = this.drums.names.length;
    for (const [column, on] of [[this.cursor, false], [step, true]]) {
      if (column < 0) continue;
      for (let drum = 0; drum < count; drum++) this.cells[column * count + drum].classList.toggle("now", on);
    }
    this.cursor = step;
    if (step >= 0 && step % this.drums.stepsPerBar === 0) this.scrollTo(step);
  }

  /** Brings the bar of a step into view, where the grid is wider than the page. */
  scrollTo(step) {
    const box = this.element.parentElement;
    if (box.scrollWidth <= box.clientWidth || this.element.contains(document.activeElement)) return;
    const left = this.cells[step * this.drums.names.length].offsetLeft - this.element.querySelector("[role=rowheader]").offsetWidth;
    box.scrollTo({ left, behavior: this.still.matches ? "instant" : "smooth" });
  }

  press(event) {
    const cell = event.target.closest("[role=gridcell]");
    if (!cell || event.button) return;
    const start = { x: event.clientX, y: event.clientY };
    const release = (up) => { // a touch that scrolls the grid sets no cell
      const moved = Math.hypot(up.clientX - start.x, up.clientY - start.y) > 10;
      if (up.type === "pointerup" && !moved) this.cycle(Number(cell.dataset.at));
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", release);
    };
    addEventListener("pointerup", release);
    addEventListener("pointercancel", release);
  }

  cycle(at) {
    this.focus(at);
    const order = [MEDIUM, 0, 3, 1]; // off → medium → accent → soft → off
    this.change(at, order[Number(this.cells[at].dataset.level)]);
  }

  focus(at) {
    this.cells[this.focused].tabIndex = -1;
    this.focused = at;
    this.cells[at].tabIndex = 0;
    this.cells[at].focus();
  }

  key(event) {
    if (!event.target.closest("[role=gridcell]")) return; // a lock
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const count = this.drums.names.length, step = Math.floor(this.focused / count), drum = this.focused % count;
    const at = (toStep, toDrum) => Math.min(Math.max(toStep, 0), this.steps - 1) * count + Math.min(Math.max(toDrum, 0), count - 1);
    const moves = { ArrowLeft: at(step - 1, drum), ArrowRight: at(step + 1, drum), ArrowUp: at(step, drum + 1) };
    Object.assign(moves, { ArrowDown: at(step, drum - 1), Home: at(0, drum), End: at(this.steps - 1, drum) });
    const { stepsPerBar } = this.drums;
    Object.assign(moves, { PageUp: at(step - stepsPerBar, drum), PageDown: at(step + stepsPerBar, drum) });
    if (event.key in moves) this.focus(moves[event.key]);
    else if (event.key === "Enter") this.cycle(this.focused);
    else if ("0123".includes(event.key)) this.change(this.focused, Number(event.key));
    else return;
    event.preventDefault();
  }
}
