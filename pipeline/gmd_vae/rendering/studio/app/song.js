/**
 * The drums and bars of a model, as ``model_data.describe_drums`` gives them.
 * @typedef {{names: string[], pitches: number[], classes: number[][], voices: number[], stepsPerQuarter: number,
 *   stepsPerBar: number, stepsPerBeat: number, bars: number, gapSteps: number, mostBars: number | null,
 *   signature: [number, number]}} Drums
 */

/**
 * Velocities and offsets of a drummer for each drum, at the 16 positions of a bar; null where the drums do not fit.
 * @typedef {{drift: number, driftMemory: number, levels: number[], voices: {velocity: number[], velocitySpread: number[],
 *   offset: number[], offsetSpread: number[], shape: number[]}[]} | null} Feel
 */

/**
 * A hit as it is played: step, drum class, MIDI velocity, and distance from the grid in steps.
 * @typedef {{step: number, drum: number, velocity: number, offset: number}} Hit
 */

/**
 * Settings of the page: quarter notes per minute, swing in percent (50 is straight), share of the human feel,
 * temperature of the model, and seed.
 * @typedef {{tempo: number, swing: number, humanize: number, temperature: number, seed: number}} Settings
 */

/** Velocity of each level of a cell: off, soft, medium, accent. The medium one is that of ``gmd-vae generate``. */
const LEVEL_VELOCITIES = [0, 45, 80, 115];
const MEDIUM = 2;
/** Largest offset of a hit in steps, as in ``feel.py``. */
const MAX_OFFSET = 0.45;
/** Largest distance of a hit from its step in steps: one tick below one half, so that it is not the next step's. */
const LATEST = 59 / 120;
/** Stream of the feel's random numbers; those of the package are 0 to 4. */
const FEEL = 16;

/**
 * Returns the labels of a grid.
 * @param {Uint8Array} levels Levels, ``[steps * drums]``.
 * @param {number} drums Number of drum classes.
 */
function labelsOf(levels, drums) {
  const labels = new Int32Array(levels.length / drums);
  levels.forEach((level, at) => {
    if (level) labels[Math.floor(at / drums)] |= 1 << at % drums;
  });
  return labels;
}

/**
 * Returns the grid of levels of labels. A hit that was there keeps its level, a new one is medium.
 * @param {ArrayLike<number>} labels Labels.
 * @param {number} drums Number of drum classes.
 * @param {Uint8Array} [before] Levels to keep.
 */
function levelsOf(labels, drums, before) {
  const levels = new Uint8Array(labels.length * drums);
  for (let at = 0; at < levels.length; at++) {
    if ((labels[Math.floor(at / drums)] >> at % drums) & 1) levels[at] = (before && before[at]) || MEDIUM;
  }
  return levels;
}

/**
 * Returns the delay of every second step, in steps.
 * @param {number} swing Swing in percent; 50 is straight.
 * @param {Drums} drums Drums of the model.
 */
function delayOf(swing, drums) {
  return drums.stepsPerQuarter === 4 ? Math.min(swing / 50 - 1, LATEST) : 0; // swing moves sixteenth notes
}

/**
 * Returns the place of a step with swing, in steps.
 * @param {number} step Number of the step.
 * @param {number} delay Delay of every second step.
 */
function placeOf(step, delay) {
  return step + delay * (step % 2);
}

/**
 * Returns beats that follow each other as strokes of the kit, and their length in seconds.
 * @param {Hit[][]} beats Hits of each beat.
 * @param {Drums} drums Drums of the model.
 * @param {{tempo: number, swing: number, steps: number}} facts Quarter notes per minute, swing in percent, steps of a beat.
 */
function strokesOf(beats, drums, { tempo, swing, steps }) {
  const step = 60 / tempo / drums.stepsPerQuarter, delay = delayOf(swing, drums);
  /** @type {Stroke[]} */ const strokes = [];
  beats.forEach((hits, number) => {
    for (const hit of hits) {
      const after = (number * steps + placeOf(hit.step, delay) + hit.offset) * step;
      strokes.push({ after, voice: drums.voices[hit.drum], velocity: hit.velocity });
    }
  });
  return { strokes, seconds: beats.length * steps * step };
}

/** Velocities and offsets of hits by a measured feel, with random numbers that depend on the seed alone. */
class Performer {
  /**
   * @param {Drums} drums Drums of the model.
   * @param {Feel} feel The feel.
   */
  constructor(drums, feel) {
    this.drums = drums;
    this.feel = feel;
    /** @type {{seed: number, shares: number[], own: Float32Array, drift: Float32Array} | null} */ this.drawn = null;
  }

  /**
   * Returns random numbers for every place of the grid. Few seeds are used, so the last numbers are kept.
   * @param {number} seed Seed.
   * @param {number} steps Steps of the grid.
   * @param {number} driftMemory Share of a step's drift that stays in the next step.
   */
  deviations(seed, steps, driftMemory) {
    if (this.drawn && this.drawn.seed === seed) return this.drawn;
    const count = steps * this.drums.names.length, renewed = Math.sqrt(1 - driftMemory ** 2);
    const drift = randomNormals(seed, FEEL, 2, 0, steps);
    for (let step = 1; step < steps; step++) drift[step] = driftMemory * drift[step - 1] + renewed * drift[step];
    const shares = randomFractions(seed, FEEL, 0, 0, count), own = randomNormals(seed, FEEL, 1, 0, count);
    this.drawn = { seed, shares, own, drift };
    return this.drawn;
  }

  /**
   * Returns the hits of a grid by step and drum.
   * @param {Uint8Array} levels Levels, ``[steps * drums]``.
   * @param {{humanize: number, swing: number, seed: number}} playing Share of the feel from 0 to 1; it changes velocities
   *   and offsets and neither adds nor removes hits. Swing in percent. Seed of the feel.
   * @returns {Hit[]}
   */
  play(levels, { humanize, swing, seed }) {
    const { drums, feel } = this, count = drums.names.length;
    const delay = delayOf(swing, drums), reach = MAX_OFFSET * (1 - delay); // swing brings two places of the grid nearer
    const drawn = feel && humanize ? this.deviations(seed, levels.length / count, feel.driftMemory) : null;
    /** @type {Hit[]} */ const hits = [];
    levels.forEach((level, at) => {
      if (!level) return;
      const step = Math.floor(at / count), drum = at % count;
      let velocity = LEVEL_VELOCITIES[level], offset = 0;
      if (feel && drawn) {
        const voice = feel.voices[drum], position = step % 16;
        const deviation = quantile(feel.levels, voice.shape, drawn.shares[at]);
        const played = voice.velocity[position] + voice.velocitySpread[position] * deviation;
        const timing = Math.sqrt(feel.drift) * drawn.drift[step] + Math.sqrt(1 - feel.drift) * drawn.own[at];
        velocity += humanize * (played - LEVEL_VELOCITIES[MEDIUM]);
        offset = humanize * (voice.offset[position] + voice.offsetSpread[position] * timing);
      }
      velocity = Math.min(Math.max(Math.round(velocity), 1), 127);
      const latest = Math.min(reach, LATEST - delay * (step % 2));
      hits.push({ step, drum, velocity, offset: Math.min(Math.max(offset, -reach), latest) });
    });
    return hits;
  }
}

/**
 * Returns the value at a share of the range of the levels, linear between two quantiles.
 * @param {number[]} levels Levels of the quantiles, ascending.
 * @param {number[]} values Values of the quantiles.
 * @param {number} share Share, 0 to 1.
 */
function quantile(levels, values, share) {
  const last = levels.length - 1, level = levels[0] + share * (levels[last] - levels[0]);
  let at = 0;
  while (at < last - 1 && levels[at + 1] <= level) at++;
  return values[at] + ((values[at + 1] - values[at]) * (level - levels[at])) / (levels[at + 1] - levels[at]);
}
