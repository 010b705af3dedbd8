/**
 * The data of the page, as ``page.py`` embeds them.
 * @typedef {Object} StudioData
 * @property {string} name Name of the model.
 * @property {PackedModel} model The model.
 * @property {Drums} drums Its drums.
 * @property {Feel} feel The measured feel.
 * @property {Record<string, number[]>} attributes Attribute vectors by name.
 * @property {KitVoice[]} kit The drum kit.
 * @property {number[]} loudness Gain of each eighth velocity.
 * @property {Settings} settings Settings at the beginning.
 */

/** Brings the page to life. */
function openStudio() {
  /** @type {StudioData} */ const data = JSON.parse(find("#data", HTMLElement).textContent);
  const { drums } = data;
  const steps = data.model.steps;
  const settings = { ...data.settings };
  const sound = new Sound(data.kit, data.loudness);
  const client = new ModelClient(data.model, find("#engine", HTMLElement).textContent);
  const node = (/** @type {string} */ selector) => find(selector, HTMLElement);
  const buttonOf = (/** @type {string} */ selector) => find(selector, HTMLButtonElement);
  const inputOf = (/** @type {string} */ selector) => find(selector, HTMLInputElement);
  const [corners, attributes] = [findAll("[data-corner]", HTMLButtonElement), findAll("[data-attribute]", HTMLInputElement)];
  const say = (/** @type {string} */ text) => { node("#status").textContent = text; };

  const studio = new Studio(client, drums, new Performer(drums, data.feel), data.attributes, settings, (part) => {
    show[part]();
    buttonOf("#undo").disabled = studio.history.past.length === 0;
    buttonOf("#redo").disabled = studio.history.future.length === 0;
    share();
  });
  const grid = new Grid(node("#grid"), drums, steps, (at, level) => {
    say(grid.name(at, level));
    report(studio.edit(at, level));
  }, (kind, number) => studio.toggleLock(kind, number));
  const pad = new Pad(node("#pad"), (x, y) => {
    keepOnce("pad");
    report(studio.moveTo(x, y));
  });
  let chainAt = -1; // number of the beat of the chain that plays; -1: the beat of the grid plays
  /** @type {Hit[][] | null} */ let heard = null; // hits of a beat that is held; null: those of the grid play
  const atBars = inputOf("#at-bars");
  let sounding = studio.byStep; // hits of each step; a change waits for the next bar where the user chose that
  const current = (/** @type {number} */ step) => {
    if (!atBars.checked || step % drums.stepsPerBar === 0) sounding = heard || studio.byStep;
    return { byStep: sounding, ...settings };
  };
  const midi = new MidiOut(drums, sound);
  /** @type {Player<StepMark>} */
  const player = new Player(sound, ({ step, late }, since) => {
    if (since >= late) grid.showStep(step);
  });
  const nextOfChain = () => {
    if (chainAt < 0 || !studio.chain.length) return;
    chainAt = (chainAt + 1) % studio.chain.length;
    studio.take(studio.chain[chainAt]);
  };
  const startPlayer = () => player.start(new GridMusic(drums, midi, current, nextOfChain, () => grid.showStep(-1)));

  /** @type {string | null} */ let moved = null; // name of the control that moves: one step of undo for each drag
  let moves = 0; // timer
  /**
   * Keeps the state for undo, before the first move of a control.
   * @param {string} control Name of the control.
   */
  function keepOnce(control) {
    if (moved !== control) studio.keep();
    moved = control;
    clearTimeout(moves);
    moves = setTimeout(() => { moved = null; }, 600);
  }

  /**
   * Goes back or forth by a step of undo.
   * @param {"undo" | "redo"} direction Direction.
   */
  function goBack(direction) {
    moved = null;
    studio[direction]();
  }

  // --- display

  /** Marks the grid while the beat of a slider is computed, for screen readers. */
  const showBusy = () => node("#grid").setAttribute("aria-busy", String(studio.wanted !== null));

  /** @type {Record<Part, () => void>} */
  const show = {
    beat() {
      grid.show(studio.beat.levels, studio.hits);
      node("#name").textContent = studio.beat.name;
      node("#hits").textContent = `${studio.hits.length} hits`;
      showBusy();
    },
    place() {
      pad.show(studio.place.x, studio.place.y);
      corners.forEach((button, number) => button.setAttribute("aria-pressed", String(studio.beat === studio.corners[number])));
      for (const input of attributes) {
        const amount = (studio.wanted || studio.character).amounts[input.dataset.attribute || ""] || 0;
        input.value = String(100 * amount);
        showAttribute(input);
      }
    },
    corners() {
      corners.forEach((button, number) => {
        button.querySelector("svg")?.remove();
        button.append(beatPicture(studio.corners[number].levels, drums));
      });
      const drawn = studio.corners;
      /** @type {(x: number, y: number) => Promise<Uint8Array | null>} */
      const levelsAt = async (x, y) => (drawn === studio.corners ? (await studio.levelsAt(x, y)).levels : null);
      report(pad.preview(levelsAt, drums));
    },
    variations() {
      showList("#variations", studio.variations, ({ z, levels, name }) => studio.takeNew(z, levels, name));
    },
    settings() {
      for (const [name, { input, scale, text }] of sliders) {
        input.value = String(Math.round(scale * settings[name]));
        node(`output[for=${name}]`).textContent = text(input.valueAsNumber);
      }
      seedInput.value = String(settings.seed);
    },
    locks() {
      grid.showLocks(studio.locks);
    },
    chain() {
      node("#chain").replaceChildren(...beatButtons(studio.chain, drums, {
        name: (beat, number) => `Remove beat ${number + 1} of the chain: ${beat.name}`,
        text: (number) => `${number + 1} ×`,
        press: (number) => {
          studio.removeFromChain(number);
          buttonOf("#add").focus();
        },
      }));
      for (const button of findAll("[data-of=chain], #play-chain", HTMLButtonElement)) {
        button.disabled = studio.chain.length === 0;
      }
      if (!studio.chain.length) chainAt = -1;
      buttonOf("#play-chain").setAttribute("aria-pressed", String(chainAt >= 0));
    },
  };

  /**
   * Shows beats to choose from: a press takes one, a hold plays it.
   * @template {Beat} B
   * @param {string} selector Selector of the list.
   * @param {B[]} beats Beats.
   * @param {(beat: B) => void} take Function that takes a beat.
   */
  function showList(selector, beats, take) {
    node(selector).replaceChildren(...beatButtons(beats, drums, {
      name: (beat) => `${beat.name}: press to take, hold to hear`,
      text: (number) => String(number + 1),
      press: (number) => take(beats[number]),
      hold: (number, on) => report(hear(on ? beats[number] : null)),
    }));
  }

  /**
   * Shows the failure of something that runs on.
   * @param {Promise<unknown>} promise What runs on.
   */
  function report(promise) {
    promise.catch((error) => say(`That failed: ${messageOf(error)}`));
  }

  /**
   * Shows the amount of an attribute beside its slider.
   * @param {HTMLInputElement} input The slider.
   */
  function showAttribute(input) {
    const output = input.parentElement?.querySelector("output");
    if (output) output.textContent = (input.valueAsNumber / 100).toFixed(1);
  }

  // --- playing

  let playsForHold = false;

  /**
   * Plays a beat in the place of the one in the grid.
   * @param {Beat | null} beat Beat; null: goes back to the grid.
   */
  async function hear(beat) {
    heard = beat && studio.stepsOf(studio.performed([beat])[0]);
    if (beat && !player.plays) {
      playsForHold = true;
      await startPlayer();
    } else if (!beat && playsForHold) {
      playsForHold = false;
      player.stop();
    }
    buttonOf("#play").setAttribute("aria-pressed", String(player.plays));
  }

  async function toggle(chain = false) {
    const stops = player.plays && (!chain || chainAt >= 0);
    chainAt = chain && !stops ? 0 : -1;
    if (stops) player.stop();
    else {
      if (chain) studio.take(studio.chain[0]);
      await startPlayer();
    }
    buttonOf("#play").setAttribute("aria-pressed", String(player.plays));
    buttonOf("#play-chain").setAttribute("aria-pressed", String(player.plays && chainAt >= 0));
    say(player.plays ? (chain ? "Playing the chain" : `Playing ${studio.beat.name}`) : "Stopped");
  }

  // --- files

  const opened = new OpenedFiles(studio, inputOf("#tempo"), (beats) =>
    showList("#windows", beats, (beat) => report(studio.open(beat.levels, beat.name))), report);

  let sharing = 0, ready = false;

  /** Writes the state into the address, when it has not changed for a moment. */
  function share() {
    if (!ready) return;
    clearTimeout(sharing);
    sharing = setTimeout(() => {
      /** @type {[number, Uint8Array][]} */
      const set = [...studio.set].map((number) => [number, studio.corners[number].levels]);
      const chain = studio.chain.map((beat) => beat.levels);
      const text = shareText({ ...settings, levels: studio.beat.levels, corners: set, chain });
      window.history.replaceState(null, "", `#${text}`);
    }, 300);
  }

  /**
   * Restores a state from the address.
   * @param {SharedState} state State.
   */
  async function restore({ levels, corners: set, chain, ...others }) {
    studio.change(others);
    await studio.newBeats(settings.seed);
    for (const [number, beat] of set) await studio.fillCorner(number, beat);
    studio.chain = chain.map((beat, number) => ({ levels: beat, z: null, name: `beat ${number + 1}` }));
    const known = studio.corners.findIndex((corner) => corner.levels.join() === levels.join());
    if (known >= 0) studio.takeCorner(known);
    else await studio.open(levels, "shared beat");
    studio.changed("chain");
  }

  /**
   * Saves beats that follow each other as a file.
   * @param {"midi" | "wav"} kind Kind of the file.
   * @param {Beat[]} beats Beats.
   * @param {string} name Name of the music.
   */
  function save(kind, beats, name) {
    const { tempo, swing, seed } = settings, hits = studio.performed(beats);
    const file = `${safeStem(data.name)}_${safeStem(name)}_seed${seed}_${tempo}bpm`;
    if (kind === "midi") {
      download(`${file}.mid`, [midiFile(hits, drums, { tempo, swing, steps, name: file })], "audio/midi");
      say(`Saved ${file}.mid`);
      return;
    }
    const { strokes, seconds } = strokesOf(hits, drums, { tempo, swing, steps });
    report(wavLoop(strokes, seconds, data.kit, data.loudness).then((bytes) => {
      download(`${file}.wav`, [bytes], "audio/wav");
      say(`Saved ${file}.wav`);
    }));
  }

  // --- controls

  /** @type {(selector: string, act: (button: HTMLButtonElement) => void) => void} */
  const click = (selector, act) => findAll(selector, HTMLButtonElement).forEach((button) =>
    button.addEventListener("click", () => act(button)));
  click("#play", () => report(toggle()));
  click("#play-chain", () => report(toggle(true)));
  click("[data-save]", ({ dataset }) => {
    const kind = dataset.save === "midi" ? "midi" : "wav";
    if (dataset.of === "chain") save(kind, studio.chain, "chain");
    else save(kind, [studio.beat], studio.beat.name);
  });
  click("[data-corner]", ({ dataset }) => studio.takeCorner(Number(dataset.corner)));
  click("[data-fill]", ({ dataset }) => {
    report(studio.fillCorner(Number(dataset.fill)));
    say(`The beat is in corner ${CORNER_NAMES[Number(dataset.fill)]}`);
  });
  click("#path", (button) => {
    if (pad.path) {
      pad.endPath();
      return;
    }
    button.setAttribute("aria-pressed", "true");
    say("Draw a path on the pad, or move its sliders and press again");
    pad.drawPath((path) => {
      button.setAttribute("aria-pressed", "false");
      if (path.length) report(studio.follow(path).then(() => say("The beats of the path are the chain")));
      else say("No path");
    });
  });
  const list = find("#ports", HTMLSelectElement);
  click("#midi-out", () => report(midi.outputs().then((ports) => {
    const options = ports.map((port) => new Option(port.name || port.id, port.id));
    list.replaceChildren(new Option(ports.length ? "none" : "no outputs found", ""), ...options);
    list.disabled = ports.length === 0;
    say(`${ports.length} MIDI ${ports.length === 1 ? "output" : "outputs"}`);
  })));
  list.addEventListener("change", () => midi.choose(list.value));
  click("#tidy", () => report(studio.tidy()));
  click("#surprise", () => report(studio.surprise()));
  click("#undo", () => goBack("undo"));
  click("#redo", () => goBack("redo"));
  click("#add", () => studio.addToChain());
  click("#new", () => report(studio.newBeats(studio.newestSeed + 1)));
  const seedInput = inputOf("#seed");
  seedInput.addEventListener("change", () => {
    const seed = Math.round(Number(seedInput.value));
    if (Number.isSafeInteger(seed) && seed >= 0) report(studio.newBeats(seed));
    else seedInput.value = String(settings.seed);
  });
  /** Sliders of the settings: units of the slider for 1 of the setting, and the text of a value. */
  /** @type {[keyof Settings, {input: HTMLInputElement, scale: number, text: (value: number) => string}][]} */
  const sliders = [
    ["tempo", { input: inputOf("#tempo"), scale: 1, text: (value) => `${value} bpm` }],
    ["swing", { input: inputOf("#swing"), scale: 1, text: (value) => `${value} %` }],
    ["humanize", { input: inputOf("#humanize"), scale: 100, text: (value) => `${value} %` }],
    ["temperature", { input: inputOf("#temperature"), scale: 100, text: (value) => (value / 100).toFixed(2) }],
  ];
  for (const [name, { input, scale }] of sliders) {
    input.addEventListener("input", () => {
      keepOnce(name);
      studio.change({ [name]: input.valueAsNumber / scale });
    });
  }
  for (const input of attributes) {
    input.addEventListener("input", () => {
      keepOnce(`character ${input.dataset.attribute}`);
      showAttribute(input);
      report(studio.setCharacter(input.dataset.attribute || "", input.valueAsNumber / 100));
      showBusy();
    });
  }
  click("#vary", () => report(studio.vary()));
  const fileInput = inputOf("#file");
  fileInput.addEventListener("change", () => report(opened.open(fileInput.files || [])));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    report(opened.open(event.dataTransfer?.files || []));
  });
  click("#link", () => {
    const copied = navigator.clipboard ? navigator.clipboard.writeText(location.href) : Promise.reject(new Error("no clipboard"));
    copied.then(() => say("Copied the address with this beat"),
      () => say("The beat is in the address of the page: copy it there"));
  });
  const volume = inputOf("#volume");
  volume.addEventListener("input", () => sound.setVolume(volume.valueAsNumber / 100));
  addEventListener("keydown", (event) => {
    const typing = targetOf(event)?.matches("input[type=number], select");
    const { key } = event;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !typing && ["z", "Z", "y"].includes(key)) {
      goBack(key === "z" && !event.shiftKey ? "undo" : "redo");
      event.preventDefault();
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || typing) return;
    if (key === " " && !targetOf(event, "button, a, summary, input[type=checkbox], input[type=file]")) {
      event.preventDefault();
      report(toggle());
    }
    if (key === "Escape" && player.plays) report(toggle(chainAt >= 0));
  });

  show.chain();
  show.settings();
  const shared = readShared(location.hash.slice(1), steps * drums.names.length);
  report(client.ready.then(() => (shared ? restore(shared) : studio.newBeats(settings.seed))).then(() => {
    studio.history = new UndoHistory();
    ready = true;
    studio.changed("beat"); // nothing to undo yet
    document.body.dataset.ready = "true";
    say("Ready");
  }));
}

openStudio();
