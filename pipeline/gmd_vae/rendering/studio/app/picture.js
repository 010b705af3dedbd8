/** Shares of a lane of the grid, as in ``layout.py``: room below a hit, height of the softest one, and what velocity adds. */
const FLOOR = 0.1, SOFTEST = 0.18, LOUDNESS = 0.62;
/** Width of a hit, share of a step. */
const HIT_WIDTH = 0.72;
const SVG = "http://www.w3.org/2000/svg";

/**
 * Returns the height of a hit, as a share of its lane.
 * @param {number} velocity MIDI velocity.
 */
function hitHeight(velocity) {
  return SOFTEST + (LOUDNESS * velocity) / 127;
}

/**
 * Returns the picture of a beat, the first drum in the lowest lane: one path for each voice and loudness, as the report's
 * ``grid_svg.py`` draws it.
 * @param {Uint8Array} levels Levels, ``[steps * drums]``.
 * @param {Drums} drums Drums of the model.
 */
function pictureOf(levels, { names, voices }) {
  const lanes = names.length, picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "hits");
  picture.setAttribute("viewBox", `0 0 ${levels.length / lanes} ${lanes}`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  /** @type {Map<string, string>} */ const paths = new Map();
  levels.forEach((level, at) => {
    if (!level) return;
    const step = Math.floor(at / lanes), lane = at % lanes, velocity = LEVEL_VELOCITIES[level], height = hitHeight(velocity);
    const box = `M${step} ${(lanes - lane - FLOOR - height).toFixed(2)}h${HIT_WIDTH}v${height.toFixed(2)}h-${HIT_WIDTH}z`;
    const name = `v${voices[lane]} l${velocity >> 5}`;
    paths.set(name, (paths.get(name) || "") + box);
  });
  for (const [name, path] of paths) {
    const shape = document.createElementNS(SVG, "path");
    shape.setAttribute("class", name);
    shape.setAttribute("d", path);
    picture.append(shape);
  }
  return picture;
}
