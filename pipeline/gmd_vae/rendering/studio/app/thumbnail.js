/**
 * Draws a small grid of a beat: a column for each step, a row for each drum, the kick at the bottom.
 * @param {HTMLCanvasElement} canvas Canvas.
 * @param {Uint8Array} levels Levels, ``[steps * drums]``.
 * @param {number} drums Number of drum classes.
 * @param {{left: number, top: number, width: number, height: number}} [box] Part of the canvas; by default all of it.
 */
function drawThumbnail(canvas, levels, drums, box = { left: 0, top: 0, width: canvas.width, height: canvas.height }) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const steps = levels.length / drums, width = box.width / steps, height = box.height / drums;
  context.clearRect(box.left, box.top, box.width, box.height);
  context.fillStyle = getComputedStyle(canvas).color;
  levels.forEach((level, at) => {
    if (!level) return;
    const step = Math.floor(at / drums), row = drums - 1 - (at % drums);
    context.globalAlpha = 0.4 + 0.2 * level;
    context.fillRect(box.left + step * width, box.top + row * height, Math.max(1, width * 0.8), Math.max(1, height * 0.8));
  });
  context.globalAlpha = 1;
}
