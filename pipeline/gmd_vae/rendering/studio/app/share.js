const SHARE_VERSION = 1;
const MOST_SHARED = 64; // beats of a chain
const CELLS_PER_BYTE = 4; // a level has two bits

/**
 * The state of the page in its address.
 * @typedef {Settings & {levels: Uint8Array, corners: [number, Uint8Array][], chain: Uint8Array[]}} SharedState
 */

/**
 * Returns a state as text for the address behind ``#``.
 * @param {SharedState} state State.
 */
function shareText({ seed, temperature, tempo, swing, humanize, levels, corners, chain }) {
  const numbers = [SHARE_VERSION, seed, temperature, tempo, swing, humanize];
  const set = corners.map(([number, beat]) => `${number}${packLevels(beat)}`);
  return [numbers.join(","), packLevels(levels), set.join(","), chain.map(packLevels).join(",")].join("/");
}

/**
 * Reads the text of `shareText`. It may come from anybody: every number is checked.
 * @param {string} text Text behind ``#``.
 * @param {number} cells Number of cells of a beat.
 * @returns {SharedState | null} The state; null for another text.
 */
function readShared(text, cells) {
  const parts = text.split("/");
  if (parts.length !== 4) return null;
  const [version, seed, temperature, tempo, swing, humanize] = parts[0].split(",").map(Number);
  /** @type {(number: number, low: number, high: number) => boolean} */
  const within = (number, low, high) => Number.isFinite(number) && number >= low && number <= high;
  if (version !== SHARE_VERSION || !Number.isSafeInteger(seed) || seed < 0) return null;
  if (!within(temperature, 0, 1.5) || !within(tempo, 40, 240) || !within(swing, 50, 75) || !within(humanize, 0, 1)) return null;
  const levels = unpackLevels(parts[1], cells);
  if (!levels) return null;
  const set = parts[2] ? parts[2].split(",") : [], following = parts[3] ? parts[3].split(",") : [];
  if (set.length > 4 || following.length > MOST_SHARED) return null;
  /** @type {[number, Uint8Array][]} */ const corners = [];
  for (const item of set) {
    const number = Number(item[0]), beat = unpackLevels(item.slice(1), cells);
    if (!within(number, 0, 3) || !beat) return null;
    corners.push([number, beat]);
  }
  /** @type {Uint8Array[]} */ const chain = [];
  for (const item of following) {
    const beat = unpackLevels(item, cells);
    if (!beat) return null;
    chain.push(beat);
  }
  return { seed, temperature, tempo, swing, humanize, levels, corners, chain };
}

/**
 * Returns levels as base64 for addresses, four cells in a byte.
 * @param {Uint8Array} levels Levels.
 */
function packLevels(levels) {
  const bytes = new Uint8Array(Math.ceil(levels.length / CELLS_PER_BYTE));
  levels.forEach((level, at) => {
    bytes[Math.floor(at / CELLS_PER_BYTE)] |= level << 2 * (at % CELLS_PER_BYTE);
  });
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Returns the levels of a text of `packLevels`; null for another text.
 * @param {string} text Text.
 * @param {number} cells Number of levels.
 */
function unpackLevels(text, cells) {
  if (!/^[\w-]*$/.test(text) || text.length !== Math.ceil((Math.ceil(cells / CELLS_PER_BYTE) * 4) / 3)) return null;
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from({ length: cells }, (_, at) =>
    (bytes.charCodeAt(Math.floor(at / CELLS_PER_BYTE)) >> 2 * (at % CELLS_PER_BYTE)) & 3);
}
