(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { drums } = data;
  const find = (selector) => document.querySelector(selector);
  const steps = data.model.steps;
  const settings = { ...data.settings };
  const sound = new Sound(data.kit, data.loudness);
  const client = new ModelClient(data.model, document.getElementById("engine").textContent);
  const say = (text) => { find("#status").textContent = text; };

  const studio = new Studio(client, drums, new Performer(drums, data.feel), data.attributes, settings, (part) => {
    show[part]();
    share();
  });
  const grid = new Grid(find("#grid"), drums, steps, (at, level) => {
    say(grid.name(at, level));
    report(studio.edit(at, level));
  }, (kind, number) => studio.toggleLock(kind, number));
  const pad = new Pad(find("#pad"), (x, y) => {
    keepOnce();
    report(studio.moveTo(x, y));
  });
  let chainAt = -1; // number of the beat of the chain that plays; -1: the beat of the grid plays
  let heard = null; // hits of a beat that is held; null: those of the grid play
  let sounding = studio.byStep; // hits of each step; a change waits for the next bar where the user chose that
  const current = (step) => {
    if (!find("#at-bars").checked || step % drums.stepsPerBar === 0) sounding = heard || studio.byStep;
    return { byStep: sounding, ...settings };
  };
  const midi = new MidiOut(drums, sound);
  const player = new Player(sound, drums, midi, current, (step) => grid.showStep(step), () => {
    if (chainAt < 0 || !studio.chain.length) return;
    chainAt = (chainAt + 1) % studio.chain.length;
    studio.take(studio.chain[chainAt]);
  });

  let moves = 0; // timer: one step of undo for each drag of the pad or a slider
  function keepOnce() {
    if (!moves) studio.keep();
    clearTimeout(moves);
    moves = setTimeout(() => { moves = 0; }, 600);
  }

  // --- display

  const show = {
    beat() {
      grid.show(studio.beat.levels, studio.hits);
      find("#name").textContent = studio.beat.name;
      find("#hits").textContent = `${studio.hits.length} hits`;
      for (const [button, states] of [["#undo", studio.history.past], ["#redo", studio.history.future]]) {
        find(button).disabled = states.length === 0;
      }
    },
    place() {
      pad.show(studio.place.x, studio.place.y);
      document.querySelectorAll("[data-corner]").forEach((button) =>
        button.setAttribute("aria-pressed", String(studio.beat === studio.corners[Number(button.dataset.corner)])));
      document.querySelectorAll("[data-attribute]").forEach((input) => {
        const amount = studio.character.amounts[input.dataset.attribute] || 0;
        input.value = String(100 * amount);
        input.parentElement.querySelector("output").textContent = amount.toFixed(1);
      });
    },
    corners() {
      document.querySelectorAll("[data-corner]").forEach((button) => {
        const corner = studio.corners[Number(button.dataset.corner)];
        button.querySelector("canvas")?.remove();
        button.append(thumbnailOf(corner, drums.names.length));
      });
      find("#seed").value = String(settings.seed);
      const { corners } = studio;
      const levelsAt = async (x, y) => (corners === studio.corners ? (await studio.levelsAt(x, y)).levels : null);
      report(pad.preview(levelsAt, drums.names.length));
    },
    variations() {
      showList("#variations", studio.variations, (beat) => studio.takeNew(beat.z, beat.levels, beat.name));
    },
    locks() {
      grid.showLocks(studio.locks);
    },
    chain() {
      find("#chain").replaceChildren(...beatButtons(studio.chain, drums.names.length, {
        name: (beat, number) => `Remove beat ${number + 1} of the chain: ${beat.name}`,
        text: (number) => `${number + 1} ×`,
        press: (number) => {
          studio.removeFromChain(number);
          find("#add").focus();
        },
      }));
      document.querySelectorAll("[data-of=chain], #play-chain").forEach((button) => {
        button.disabled = studio.chain.length === 0;
      });
      if (!studio.chain.length) chainAt = -1;
      find("#play-chain").setAttribute("aria-pressed", String(chainAt >= 0));
    },
  };

  /** Shows beats to choose from: a press takes one, a hold plays it. */
  function showList(selector, beats, take) {
    find(selector).replaceChildren(...beatButtons(beats, drums.names.length, {
      name: (beat) => `${beat.name}: press to take, hold to hear`,
      text: (number) => String(number + 1),
      press: (number) => take(beats[number]),
      hold: (number, on) => report(hear(on ? beats[number] : null)),
    }));
  }

  /** Shows the failure of something that runs on. */
  function report(promise) {
    promise.catch((error) => say(`That failed: ${error.message}`));
  }

  // --- playing

  let playsForHold = false;

  /** Plays a beat in the place of the one in the grid, or null: goes back. */
  async function hear(beat) {
    heard = beat && byStepOf(studio.performed([beat])[0]);
    if (beat && !player.plays) {
      playsForHold = true;
      await player.start();
    } else if (!beat && playsForHold) {
      playsForHold = false;
      player.stop();
    }
    find("#play").setAttribute("aria-pressed", String(player.plays));
  }

  function byStepOf(hits) {
    const byStep = Array.from({ length: steps }, () => []);
    for (const hit of hits) byStep[hit.step].push(hit);
    return byStep;
  }

  async function toggle(chain = false) {
    const stops = player.plays && (!chain || chainAt >= 0);
    chainAt = chain && !stops ? 0 : -1;
    if (stops) player.stop();
    else {
      if (chain) studio.take(studio.chain[0]);
      await player.start();
    }
    find("#play").setAttribute("aria-pressed", String(player.plays));
    find("#play-chain").setAttribute("aria-pressed", String(player.plays && chainAt >= 0));
    say(player.plays ? (chain ? "Playing the chain" : `Playing ${studio.beat.name}`) : "Stopped");
  }

  // --- files

  async function openFiles(files) {
    for (const file of files) {
      try {
        const { windows, notes } = windowsOf(readMidi(new Uint8Array(await file.arrayBuffer())), drums);
        const beats = windows.map((levels, number) => ({ levels, z: null, name: `${file.name}, window ${number + 1}` }));
        showList("#windows", beats, (beat) => report(studio.open(beat.levels, beat.name)));
        const found = windows.length ? `${windows.length} ${windows.length === 1 ? "window" : "windows"}` : "no drums";
        find("#read").textContent = `${file.name}: ${found}.${notes.length ? ` Left out: ${notes.join("; ")}.` : ""}`;
      } catch (error) {
        find("#windows").replaceChildren();
        find("#read").textContent = `${file.name} could not be read: ${error.message}.`;
      }
    }
  }

  let sharing = 0, ready = false;

  /** Writes the state into the address, when it has not changed for a moment. */
  function share() {
    if (!ready) return;
    clearTimeout(sharing);
    sharing = setTimeout(() => {
      const corners = [...studio.set].map((number) => [number, studio.corners[number].levels]);
      const chain = studio.chain.map((beat) => beat.levels);
      const text = shareText({ ...settings, levels: studio.beat.levels, corners, chain });
      window.history.replaceState(null, "", `#${text}`);
    }, 300);
  }

  /** Restores a state from the address. */
  async function restore({ levels, corners, chain, ...others }) {
    Object.assign(settings, others);
    for (const [id, { value }] of Object.entries(inputs)) {
      find(`#${id}`).value = String(value(settings));
      find(`#${id}`).dispatchEvent(new Event("input"));
    }
    await studio.newBeats(settings.seed);
    for (const [number, beat] of corners) await studio.fillCorner(number, beat);
    studio.chain = chain.map((beat, number) => ({ levels: beat, z: null, name: `beat ${number + 1}` }));
    const known = studio.corners.findIndex((corner) => corner.levels.join() === levels.join());
    if (known >= 0) studio.takeCorner(known);
    else await studio.open(levels, "shared beat");
    studio.changed("chain");
  }

  function save(kind, beats, name) {
    const facts = { tempo: settings.tempo, swing: settings.swing, steps, name };
    const hits = studio.performed(beats), file = fileName(data.name, name, `${settings.tempo} bpm`);
    if (kind === "midi") {
      download(`${file}.mid`, midiFile(hits, drums, facts), "audio/midi");
      say(`Saved ${file}.mid`);
      return;
    }
    report(wavFile(hits, drums, facts, data.kit, data.loudness).then((bytes) => {
      download(`${file}.wav`, bytes, "audio/wav");
      say(`Saved ${file}.wav`);
    }));
  }

  // --- controls

  const click = (selector, act) => document.querySelectorAll(selector).forEach((element) =>
    element.addEventListener("click", () => act(element)));
  click("#play", () => report(toggle()));
  click("#play-chain", () => report(toggle(true)));
  click("[data-save]", ({ dataset }) => {
    if (dataset.of === "chain") save(dataset.save, studio.chain, "chain");
    else save(dataset.save, [studio.beat], studio.beat.name);
  });
  click("[data-corner]", ({ dataset }) => studio.takeCorner(Number(dataset.corner)));
  click("[data-fill]", ({ dataset }) => {
    report(studio.fillCorner(Number(dataset.fill)));
    say(`The beat is in corner ${CORNER_NAMES[Number(dataset.fill)]}`);
  });
  click("#path", () => {
    say("Draw a path on the pad: the beats along it become the chain");
    pad.drawPath((path) => report(studio.follow(path).then(() => say("The beats of the path are the chain"))));
  });
  click("#midi-out", () => report(midi.outputs().then((ports) => {
    const list = find("#ports");
    list.replaceChildren(new Option(ports.length ? "none" : "no outputs found", ""), ...ports.map((port) => new Option(port.name, port.id)));
    list.disabled = ports.length === 0;
    say(`${ports.length} MIDI ${ports.length === 1 ? "output" : "outputs"}`);
  })));
  find("#ports").addEventListener("change", ({ target }) => midi.choose(target.value));
  click("#tidy", () => report(studio.tidy()));
  click("#surprise", () => report(studio.surprise()));
  click("#undo", () => studio.undo());
  click("#redo", () => studio.redo());
  click("#add", () => studio.addToChain());
  click("#new", () => report(studio.newBeats(settings.seed + 1)));
  find("#seed").addEventListener("change", ({ target }) => {
    const seed = Math.round(Number(target.value));
    if (Number.isSafeInteger(seed) && seed >= 0) report(studio.newBeats(seed));
    else target.value = String(settings.seed);
  });
  const percent = (name) => ({
    set: (value) => ({ [name]: value / 100 }), value: (found) => Math.round(100 * found[name]),
  });
  const plain = (name) => ({ set: (value) => ({ [name]: value }), value: (found) => found[name] });
  const inputs = {
    tempo: { ...plain("tempo"), text: (value) => `${value} bpm` }, swing: { ...plain("swing"), text: (value) => `${value} %` },
    humanize: { ...percent("humanize"), text: (value) => `${value} %` },
    temperature: { ...percent("temperature"), text: (value) => (value / 100).toFixed(2) },
  };
  for (const [id, { set, text }] of Object.entries(inputs)) {
    const input = find(`#${id}`);
    const apply = () => {
      studio.change(set(Number(input.value)));
      find(`output[for=${id}]`).textContent = text(Number(input.value));
    };
    input.addEventListener("input", apply);
    apply();
  }
  document.querySelectorAll("[data-attribute]").forEach((input) => input.addEventListener("input", () => {
    keepOnce();
    input.parentElement.querySelector("output").textContent = (input.value / 100).toFixed(1);
    report(studio.setCharacter(input.dataset.attribute, Number(input.value) / 100));
  }));
  click("#vary", () => report(studio.vary()));
  find("#file").addEventListener("change", ({ target }) => report(openFiles(target.files)));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    report(openFiles(event.dataTransfer.files));
  });
  click("#link", () => {
    const copied = navigator.clipboard ? navigator.clipboard.writeText(location.href) : Promise.reject(new Error("no clipboard"));
    copied.then(() => say("Copied the address with this beat"), () => say("The beat is in the address of the page: copy it there"));
  });
  find("#volume").addEventListener("input", ({ target }) => sound.setVolume(target.value / 100));
  addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input[type=number], select");
    const { key } = event;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !typing && ["z", "Z", "y"].includes(key)) {
      if (key === "z" && !event.shiftKey) studio.undo();
      else studio.redo();
      event.preventDefault();
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || typing) return;
    if (key === " " && !event.target.closest?.("button, a, summary, input[type=checkbox], input[type=file]")) {
      event.preventDefault();
      report(toggle());
    }
    if (key === "Escape" && player.plays) report(toggle(chainAt >= 0));
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { // small grids have the colour of the text
    for (const part of ["corners", "chain", "variations"]) if (studio.corners.length) show[part]();
  });
  show.chain();
  const shared = readShared(location.hash.slice(1), steps * drums.names.length);
  report(client.ready.then(() => (shared ? restore(shared) : studio.newBeats(settings.seed))).then(() => {
    studio.history = new History();
    ready = true;
    show.beat();
    share();
    document.body.dataset.ready = "true";
    say("Ready");
  }));
})();
