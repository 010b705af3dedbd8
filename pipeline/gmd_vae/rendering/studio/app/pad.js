/** Small grids in each direction of the pad. */
const PREVIEWS = 6;

/** A square between four beats: dragged by pointer, moved by its two sliders from the keyboard. */
class Pad {
  /**
   * @param {HTMLElement} element The pad: pictures, a point and two sliders.
   * @param {(x: number, y: number) => void} move Function that is called with each new place, both from 0 to 1.
   */
  constructor(element, move) {
    this.surface = find(".surface", HTMLElement, element);
    this.pictures = find(".pictures", HTMLElement, element);
    this.point = find(".point", HTMLElement, element);
    const [across, down] = findAll("input", HTMLInputElement, element);
    this.across = across;
    this.down = down;
    this.move = move;
    /** The path that is drawn, and the function that takes it; null: the point moves. */
    /** @type {{places: Place[], drawn: (path: Place[]) => void} | null} */
    this.path = null;
    this.surface.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.surface.setPointerCapture(event.pointerId);
      this.drag(event);
    });
    this.surface.addEventListener("pointermove", (event) => {
      if (this.surface.hasPointerCapture(event.pointerId)) this.drag(event);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      this.surface.addEventListener(kind, () => {
        if (this.path?.places.length) this.endPath();
      });
    }
    for (const slider of [this.across, this.down]) {
      slider.addEventListener("input", () => this.to(this.across.valueAsNumber / 100, this.down.valueAsNumber / 100));
    }
  }

  /**
   * Moves the point to the pointer.
   * @param {PointerEvent} event Event of the pointer.
   */
  drag(event) {
    const box = this.surface.getBoundingClientRect();
    const share = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
    this.to(share((event.clientX - box.left) / box.width), share((event.clientY - box.top) / box.height));
  }

  /**
   * Collects the places of the next drag, or those of the sliders until `endPath` is called.
   * @param {(path: Place[]) => void} drawn Function that is called with them.
   */
  drawPath(drawn) {
    this.path = { places: [], drawn };
    this.surface.classList.add("draws");
  }

  /** Ends the path that is drawn; it may be empty. */
  endPath() {
    const path = this.path;
    if (!path) return;
    this.path = null;
    this.surface.classList.remove("draws");
    path.drawn(path.places);
  }

  /**
   * Moves the point.
   * @param {number} x Place across.
   * @param {number} y Place down.
   */
  to(x, y) {
    if (this.path) this.path.places.push({ x, y });
    this.show(x, y);
    this.move(x, y);
  }

  /**
   * Moves the point, without a call of `move`.
   * @param {number} x Place across.
   * @param {number} y Place down.
   */
  show(x, y) {
    this.point.style.left = `${100 * x}%`;
    this.point.style.top = `${100 * y}%`;
    this.across.value = String(Math.round(100 * x));
    this.down.value = String(Math.round(100 * y));
  }

  /**
   * Draws the beats of the places, one after the other.
   * @param {(x: number, y: number) => Promise<Uint8Array | null>} levelsAt Function that returns the levels at a place;
   *   null where the corners have changed since.
   * @param {Drums} drums Drums of the model.
   */
  async preview(levelsAt, drums) {
    for (let number = 0; number < PREVIEWS ** 2; number++) {
      const column = number % PREVIEWS, row = Math.floor(number / PREVIEWS);
      const levels = await levelsAt((column + 0.5) / PREVIEWS, (row + 0.5) / PREVIEWS);
      if (!levels) return;
      const picture = beatPicture(levels, drums), before = this.pictures.children[number];
      if (before) before.replaceWith(picture);
      else this.pictures.append(picture);
    }
  }
}
