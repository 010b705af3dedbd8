/** Milliseconds after which a press is a hold. */
const HOLD = 350;

/**
 * Returns the buttons of beats for a list.
 * @param {Beat[]} beats Beats.
 * @param {Drums} drums Drums of the model.
 * @param {{name: (beat: Beat, number: number) => string, text: (number: number) => string,
 *   press: (number: number) => void, hold?: (number: number, on: boolean) => void}} actions Accessible name and visible text
 *   of a button; functions for a press, and for a hold and its release (by pointer, or by the key H).
 */
function beatButtons(beats, drums, { name, text, press, hold }) {
  return beats.map((beat, number) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", name(beat, number));
    button.append(text(number), beatPicture(beat.levels, drums));
    let timer = 0, held = false;
    const begin = () => {
      held = true;
      hold?.(number, true);
    };
    const end = () => {
      clearTimeout(timer);
      if (held) hold?.(number, false);
      setTimeout(() => { held = false; }); // after the click that follows a release
    };
    button.addEventListener("click", () => {
      if (!held) press(number);
    });
    if (hold) {
      button.addEventListener("pointerdown", () => { timer = setTimeout(begin, HOLD); });
      for (const kind of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(kind, end);
      button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch
      button.addEventListener("keydown", (event) => {
        if (event.key.toLowerCase() === "h" && !event.repeat && !event.ctrlKey && !event.metaKey) begin();
      });
      button.addEventListener("keyup", (event) => {
        if (event.key.toLowerCase() === "h") end();
      });
    }
    item.append(button);
    return item;
  });
}
