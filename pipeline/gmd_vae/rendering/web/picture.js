/** Shares of a lane of the grid, as in ``layout.py``: room below a hit, height of the softest one, and what velocity adds. */
const FLOOR = 0.1, SOFTEST = 0.18, LOUDNESS = 0.62;
const SVG = "http://www.w3.org/2000/svg";

/**
 * A hit in a picture: its place from the left, in the units of the picture; its lane, the lowest is 0; its voice in the kit;
 * and its MIDI velocity.
 * @typedef {{at: number, lane: number, voice: number, velocity: number}} PictureHit
 */

/**
 * Returns the height of a hit, as a share of its lane.
 * @param {number} velocity MIDI velocity.
 */
function hitHeight(velocity) {
  return SOFTEST + (LOUDNESS * velocity) / 127;
}

/**
 * Returns a stretch of music as a picture: a lane for each drum, and a box for each hit, which starts where the hit is played
 * and grows with its velocity. The hits of one voice and loudness are one path.
 * @param {PictureHit[]} hits Hits.
 * @param {{length: number, lanes: number, hitWidth: number, bars?: number[], beats?: number[]}} shape Length of the picture,
 *   number of its lanes, width of a hit, and places of the lines between bars and between beats.
 */
function pictureOf(hits, { length, lanes, hitWidth, bars = [], beats = [] }) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "hits");
  picture.setAttribute("viewBox", `0 0 ${length} ${lanes}`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  /** @type {Map<string, string[]>} */ const paths = new Map();
  for (const [name, places] of /** @type {[string, number[]][]} */ ([["beats", beats], ["bars", bars]])) {
    if (places.length) paths.set(name, places.map((place) => `M${rounded(place)} 0v${lanes}`));
  }
  for (const { at, lane, voice, velocity } of hits) {
    const height = hitHeight(velocity), top = rounded(lanes - lane - FLOOR - height), width = rounded(hitWidth);
    const box = `M${rounded(at)} ${top}h${width}v${rounded(height)}h-${width}z`, name = `v${voice} l${velocity >> 5}`;
    const path = paths.get(name);
    if (path) path.push(box);
    else paths.set(name, [box]);
  }
  for (const [name, path] of paths) {
    const shape = document.createElementNS(SVG, "path");
    shape.setAttribute("class", name);
    shape.setAttribute("d", path.join(""));
    picture.append(shape);
  }
  return picture;
}

/**
 * Returns a number with three decimals at most.
 * @param {number} number Number.
 */
function rounded(number) {
  return Math.round(1000 * number) / 1000;
}
