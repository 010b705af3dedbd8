/** Width of a hit, share of a step, as in ``layout.py``. */
const HIT_WIDTH = 0.72;

/**
 * Returns the picture of a beat, the first drum in the lowest lane.
 * @param {Uint8Array} levels Levels, ``[steps * drums]``.
 * @param {Drums} drums Drums of the model.
 */
function beatPicture(levels, { names, voices }) {
  const lanes = names.length;
  /** @type {PictureHit[]} */ const hits = [];
  levels.forEach((level, cell) => {
    const lane = cell % lanes;
    if (level) hits.push({ at: Math.floor(cell / lanes), lane, voice: voices[lane], velocity: LEVEL_VELOCITIES[level] });
  });
  return pictureOf(hits, { length: levels.length / lanes, lanes, hitWidth: HIT_WIDTH });
}
