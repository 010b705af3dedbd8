/** Distance of a surprise from the beat, in standard deviations of the prior. */
const SURPRISE = 0.6;
/** Distances at which a variation is looked for, the nearest first. */
const VARIATION_DISTANCES = [0.25, 0.5, 0.8, 1.2, 1.8];
/** Positions in each direction among which the nearest one to a latent vector is searched. */
const PLACES = 21;

/**
 * A place of the pad, from the top left: across and down, both from 0 to 1.
 * @typedef {{x: number, y: number}} Place
 */

/**
 * Returns the place of a corner on the pad.
 * @param {number} number Number of the corner, from 0.
 * @returns {Place}
 */
function cornerPlace(number) {
  return { x: number % 2, y: Math.floor(number / 2) };
}

/**
 * Returns the point between two latent vectors on their great circle (slerp), as ``latent_points.slerp``.
 * @param {Float32Array} a First latent vector.
 * @param {Float32Array} b Second latent vector.
 * @param {number} along Share of the way, 0 to 1.
 */
function slerp(a, b, along) {
  let product = 0, one = 0, two = 0;
  for (let at = 0; at < a.length; at++) {
    product += a[at] * b[at];
    one += a[at] ** 2;
    two += b[at] ** 2;
  }
  const lengths = Math.sqrt(one * two);
  const angle = Math.acos(Math.min(1, Math.max(-1, lengths ? product / lengths : 1))), sine = Math.sin(angle);
  const [from, to] = sine < 1e-6 ? [1 - along, along] : [Math.sin((1 - along) * angle) / sine, Math.sin(along * angle) / sine];
  return a.map((value, at) => from * value + to * b[at]);
}

/**
 * Returns the latent vector at a place of the pad.
 * @param {Float32Array[]} corners Latent vectors: top left, top right, bottom left, bottom right.
 * @param {number} x Place across.
 * @param {number} y Place down.
 */
function latentAt(corners, x, y) {
  return slerp(slerp(corners[0], corners[1], x), slerp(corners[2], corners[3], x), y);
}

/**
 * Returns the place of the pad whose latent vector is nearest to one.
 * @param {Float32Array[]} corners Latent vectors of the corners.
 * @param {Float32Array} z Latent vector.
 * @returns {Place}
 */
function nearestPlace(corners, z) {
  let best = { x: 0, y: 0 }, least = Infinity;
  for (let row = 0; row < PLACES; row++) {
    for (let column = 0; column < PLACES; column++) {
      const place = { x: column / (PLACES - 1), y: row / (PLACES - 1) };
      const there = latentAt(corners, place.x, place.y);
      const distance = there.reduce((sum, value, at) => sum + (value - z[at]) ** 2, 0);
      if (distance < least) [best, least] = [place, distance];
    }
  }
  return best;
}

/**
 * Returns a latent vector near another one.
 * @param {Float32Array} z Latent vector.
 * @param {number} seed Seed of the direction.
 * @param {number} number Number of the direction.
 * @param {number} distance Distance in standard deviations of N(0, I).
 */
function latentNear(z, seed, number, distance) {
  const noise = randomNormals(seed, VARIATIONS, number, 0, z.length);
  return z.map((value, at) => value + distance * noise[at]);
}

/**
 * Returns places at equal distances along a path, both ends included.
 * @param {Place[]} path Places of a drag, one or more.
 * @param {number} count Number of places, 2 or more.
 * @returns {Place[]}
 */
function alongPath(path, count) {
  const lengths = [0];
  for (let at = 1; at < path.length; at++) {
    lengths.push(lengths[at - 1] + Math.hypot(path[at].x - path[at - 1].x, path[at].y - path[at - 1].y));
  }
  return Array.from({ length: count }, (_, number) => {
    const target = (lengths[lengths.length - 1] * number) / (count - 1);
    let at = 1;
    while (at < path.length - 1 && lengths[at] < target) at++;
    if (path.length === 1) return path[0];
    const share = lengths[at] > lengths[at - 1] ? (target - lengths[at - 1]) / (lengths[at] - lengths[at - 1]) : 0;
    const [from, to] = [path[at - 1], path[at]];
    return { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) };
  });
}
