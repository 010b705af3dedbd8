/**
 * The data of the page, as ``page.py`` embeds them.
 * @typedef {{name: string, kit: KitVoice[], loudness: number[], beats: Record<string, ReportBeat>}} ReportData
 */

/** Brings the page to life. */
function openReport() {
  /** @type {ReportData} */ const data = JSON.parse(find("#data", HTMLElement).textContent);
  const buttons = findAll("[data-play], [data-walk]", HTMLButtonElement);
  if (!buttons.length) return; // the page has no beats
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  const stopButton = find(".stop", HTMLButtonElement), loopButton = find(".loop", HTMLButtonElement);
  const status = find(".transport [role=status]", HTMLElement), volume = find(".volume input", HTMLInputElement);
  const tempoInput = find("#tempo", HTMLInputElement);
  const sound = new Sound(data.kit, data.loudness);
  const setVolume = () => sound.setVolume(volume.valueAsNumber / 100);
  const loops = () => loopButton.getAttribute("aria-pressed") === "true";
  /** Returns the tempo of the page; null: that of each MIDI file. */
  const tempo = () => (tempoInput.value === tempoInput.min ? null : tempoInput.valueAsNumber);
  const say = (/** @type {string} */ text) => { status.textContent = text; };
  /** @type {HTMLButtonElement | null} */ let pressed = null; // the button of what plays
  /** @type {PlayingCard | null} */ let card = null; // the beat that is audible
  setVolume();
  for (const [id, beat] of Object.entries(data.beats)) drawBeat(id, beat, data.kit.length);

  /** @type {Player<BarMark>} */
  const player = new Player(sound, ({ id, bar, speed }, since) => {
    if (card?.id !== id) {
      card?.close();
      card = new PlayingCard(id, data.beats[id], reducedMotion.matches);
      say(`Playing: ${data.beats[id].title}`);
    }
    card.moveTo(bar, 1000 * since * speed);
  });

  function stopped() {
    pressed?.setAttribute("aria-pressed", "false");
    pressed = null;
    card?.close();
    card = null;
    stopButton.disabled = true;
    say("Stopped");
  }

  /**
   * Plays the beats of a button, or stops them.
   * @param {HTMLButtonElement} button The button.
   */
  function press(button) {
    const stops = pressed === button;
    player.stop();
    if (stops) return;
    pressed = button;
    button.setAttribute("aria-pressed", "true");
    stopButton.disabled = false;
    const ids = (button.dataset.walk || button.dataset.play || "").split(" ");
    report(player.start(new BeatList(data.beats, ids, { loops, speed, end: stopped })));
  }

  /**
   * Returns the speed of a beat at the tempo of the page.
   * @param {ReportBeat} beat The beat.
   */
  function speed(beat) {
    const chosen = tempo();
    return chosen === null ? 1 : chosen / beat.tempo;
  }

  /**
   * Shows the failure of something that runs on.
   * @param {Promise<unknown>} promise What runs on.
   */
  function report(promise) {
    promise.catch((error) => say(`That failed: ${messageOf(error)}`));
  }

  /**
   * Returns the button next to another one in the direction of an arrow key.
   * @param {HTMLButtonElement} button The button.
   * @param {string} key Name of the key.
   */
  function neighbour(button, key) {
    const index = buttons.indexOf(button);
    if (key === "ArrowLeft") return buttons[index - 1];
    if (key === "ArrowRight") return buttons[index + 1];
    const at = button.getBoundingClientRect(), direction = key === "ArrowDown" ? 1 : -1;
    const distance = (/** @type {Element} */ other) => {
      const to = other.getBoundingClientRect();
      return direction * (to.top - at.top) > 20 ? Math.abs(to.top - at.top) + 0.3 * Math.abs(to.left - at.left) : Infinity;
    };
    const best = buttons.reduce((one, other) => (distance(other) < distance(one) ? other : one), button);
    return distance(best) < Infinity ? best : undefined;
  }

  for (const button of buttons) {
    button.addEventListener("click", () => press(button));
    button.addEventListener("keydown", (event) => {
      if (!event.key.startsWith("Arrow") || event.ctrlKey || event.altKey || event.metaKey) return;
      const next = neighbour(button, event.key);
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
  }
  const toggleLoop = () => loopButton.setAttribute("aria-pressed", String(!loops()));
  stopButton.addEventListener("click", () => player.stop());
  loopButton.addEventListener("click", toggleLoop);
  volume.addEventListener("input", setVolume);
  const saver = new Saver(data, tempo, say);
  /** Shows the tempo. */
  function showTempo() {
    const chosen = tempo(), text = chosen === null ? "as written" : `${chosen} bpm`;
    find("output[for=tempo]", HTMLElement).textContent = text;
    tempoInput.setAttribute("aria-valuetext", text);
  }
  showTempo();
  tempoInput.addEventListener("input", showTempo);
  for (const [id, link] of saver.links) {
    link.addEventListener("click", (event) => {
      if (tempo() === null || !data.beats[id]) return; // the link itself is the file
      event.preventDefault();
      download(`${saver.stem(id)}.mid`, [saver.midi(id)], "audio/midi");
      say(`Saved ${saver.stem(id)}.mid`);
    });
  }
  for (const button of findAll("[data-wav]", HTMLButtonElement)) {
    button.addEventListener("click", () => report(saver.saveWav(button.dataset.wav || "")));
  }
  for (const button of findAll("[data-all]", HTMLButtonElement)) {
    button.addEventListener("click", () => {
      button.disabled = true;
      report(saver.saveAll(button.dataset.all === "wav").finally(() => { button.disabled = false; }));
    });
  }
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.key === "Escape") player.stop();
    if (event.key === "l" || event.key === "L") toggleLoop();
  });
}

openReport();
