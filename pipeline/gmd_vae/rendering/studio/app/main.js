(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { drums } = data;
  const find = (selector) => document.querySelector(selector);
  const steps = data.model.steps;
  const settings = { ...data.settings };
  const sound = new Sound(data.kit, data.loudness);
  const client = new ModelClient(data.model, document.getElementById("engine").textContent);
  const say = (text) => { find("#status").textContent = text; };

  const studio = new Studio(client, drums, new Performer(drums, data.feel), settings, (part) => show[part]());
  const grid = new Grid(find("#grid"), drums, steps, (at, level) => {
    say(grid.name(at, level));
    report(studio.edit(at, level));
  });
  let padMoves = null; // timer: one step of undo for each drag
  const pad = new Pad(find("#pad"), (x, y) => {
    if (!padMoves) studio.keep();
    clearTimeout(padMoves);
    padMoves = setTimeout(() => { padMoves = null; }, 600);
    report(studio.moveTo(x, y));
  });
  let chainAt = -1; // number of the beat of the chain that plays; -1: the beat of the grid plays
  const player = new Player(sound, drums, () => ({ byStep: studio.byStep, ...settings }), (step) => grid.showStep(step), () => {
    if (chainAt < 0 || !studio.chain.length) return;
    chainAt = (chainAt + 1) % studio.chain.length;
    studio.take(studio.chain[chainAt]);
  });

  // --- display

  const thumbnail = (beat) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 2 * steps, height: 4 * drums.names.length });
    requestAnimationFrame(() => drawThumbnail(canvas, beat.levels, drums.names.length)); // its colour comes with its place
    return canvas;
  };

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
    },
    corners() {
      document.querySelectorAll("[data-corner]").forEach((button) => {
        const corner = studio.corners[Number(button.dataset.corner)];
        button.querySelector("canvas")?.remove();
        button.append(thumbnail(corner));
      });
      find("#seed").value = String(settings.seed);
      const { corners } = studio;
      const levelsAt = async (x, y) => (corners === studio.corners ? (await studio.levelsAt(x, y)).levels : null);
      report(pad.preview(levelsAt, drums.names.length));
    },
    chain() {
      const list = find("#chain");
      list.replaceChildren(...studio.chain.map((beat, number) => {
        const item = document.createElement("li"), button = document.createElement("button");
        button.type = "button";
        button.setAttribute("aria-label", `Remove beat ${number + 1} of the chain: ${beat.name}`);
        button.append(thumbnail(beat), `${number + 1} ×`);
        button.addEventListener("click", () => {
          studio.removeFromChain(number);
          find("#add").focus();
        });
        item.append(button);
        return item;
      }));
      document.querySelectorAll("[data-of=chain], #play-chain").forEach((button) => {
        button.disabled = studio.chain.length === 0;
      });
      if (!studio.chain.length) chainAt = -1;
      find("#play-chain").setAttribute("aria-pressed", String(chainAt >= 0));
    },
  };

  /** Shows the failure of something that runs on. */
  function report(promise) {
    promise.catch((error) => say(`That failed: ${error.message}`));
  }

  // --- playing

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
  const inputs = {
    tempo: (value) => ({ tempo: value }), swing: (value) => ({ swing: value }),
    humanize: (value) => ({ humanize: value / 100 }), temperature: (value) => ({ temperature: value / 100 }),
  };
  const units = { tempo: (value) => `${value} bpm`, swing: (value) => `${value} %`, humanize: (value) => `${value} %` };
  const shown = (id, value) => (units[id] ? units[id](value) : (value / 100).toFixed(2));
  for (const [id, change] of Object.entries(inputs)) {
    const input = find(`#${id}`);
    const apply = () => {
      studio.set(change(Number(input.value)));
      find(`output[for=${id}]`).textContent = shown(id, Number(input.value));
    };
    input.addEventListener("input", apply);
    apply();
  }
  find("#volume").addEventListener("input", ({ target }) => sound.setVolume(target.value / 100));
  addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input[type=number]");
    const { key } = event;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !typing && ["z", "Z", "y"].includes(key)) {
      if (key === "z" && !event.shiftKey) studio.undo();
      else studio.redo();
      event.preventDefault();
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || typing) return;
    if (key === " " && !event.target.closest?.("button, a, summary")) {
      event.preventDefault();
      report(toggle());
    }
    if (key === "Escape" && player.plays) report(toggle(chainAt >= 0));
  });

  show.chain();
  report(client.ready.then(() => studio.newBeats(settings.seed)).then(() => {
    studio.history = new History();
    show.beat();
    document.body.dataset.ready = "true";
    say("Ready");
  }));
})();
