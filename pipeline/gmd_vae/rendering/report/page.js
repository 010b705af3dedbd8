"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const buttons = [...document.querySelectorAll("[data-play], [data-walk]")];
  if (!buttons.length) return;
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  const [stopButton, loopButton] = [".stop", ".loop"].map((name) => document.querySelector(name));
  const [status, volume] = ["output", ".volume input"].map((name) => document.querySelector(`.transport ${name}`));
  const KICK_TO_TOMS = [0, 1, 2, 3, 4, 5, 6]; // their next stroke cuts them off; cymbals ring on
  const CLOSED_HAT = 2, OPEN_HAT = 3;
  const AHEAD = 0.15, AHEAD_HIDDEN = 2.5; // seconds scheduled ahead; timers of a hidden page run once per second
  let context, master, buffers;
  let session = null; // the beats that play now

  // --- sound

  function decoded(voice) {
    const bytes = atob(voice.samples);
    const buffer = context.createBuffer(1, bytes.length, voice.rate);
    const samples = buffer.getChannelData(0);
    for (let at = 0; at < bytes.length; at++) {
      const coded = (bytes.charCodeAt(at) - 128) / 127;
      samples[at] = Math.sign(coded) * (256 ** Math.abs(coded) - 1) / 255;
    }
    return buffer;
  }

  function startAudio() {
    if (!context) {
      context = new AudioContext({ latencyHint: "interactive" });
      const limiter = new DynamicsCompressorNode(context, { threshold: -8, ratio: 12, attack: 0.002, release: 0.12 });
      master = new GainNode(context, { gain: 0 });
      master.connect(limiter).connect(context.destination);
      buffers = data.kit.map(decoded);
      setVolume();
    }
    return context.resume();
  }

  function setVolume() {
    if (master) master.gain.setTargetAtTime(1.4 * (volume.value / 100) ** 2, context.currentTime, 0.02);
  }

  function playHit(target, voice, velocity, when) {
    const kit = data.kit[voice];
    const loudness = new GainNode(context, { gain: kit.gain * data.loudness[velocity >> 3] });
    const panner = new StereoPannerNode(context, { pan: kit.pan });
    const source = new AudioBufferSourceNode(context, { buffer: buffers[voice] });
    source.connect(loudness).connect(panner).connect(target.bus);
    for (const cut of voice === CLOSED_HAT ? [CLOSED_HAT, OPEN_HAT] : [voice]) {
      const before = target.ringing[cut];
      if (!before) continue;
      before.gain.setTargetAtTime(0, when, KICK_TO_TOMS.includes(cut) ? 0.006 : 0.1);
      target.ringing[cut] = null;
    }
    target.ringing[voice] = loudness;
    source.start(when);
  }

  // --- time

  function begin(list, button) {
    stop();
    const started = { list, button, bus: null, ringing: [], passes: [], next: 0, hit: 0, at: 0, ends: Infinity, timer: 0 };
    session = started;
    button.setAttribute("aria-pressed", "true");
    stopButton.disabled = false;
    startAudio().then(() => {
      if (session !== started) return; // stopped before the audio had started
      started.bus = new GainNode(context);
      started.bus.connect(master);
      started.at = context.currentTime + 0.08;
      started.timer = setInterval(schedule, 40, started);
      schedule(started);
      requestAnimationFrame(draw);
    });
  }

  function schedule(playing) {
    const horizon = context.currentTime + (document.hidden ? AHEAD_HIDDEN : AHEAD);
    while (playing.at < horizon && playing.ends === Infinity) {
      const id = playing.list[playing.next];
      const beat = data.beats[id];
      const length = Math.max(0.25, beat.bars.at(-1)[0] / 1000); // MIDI files may hold any tempo
      if (playing.hit === 0 && playing.passes.at(-1)?.begin !== playing.at) {
        playing.passes.push({ id, begin: playing.at, end: playing.at + length });
      }
      while (playing.hit < beat.times.length && playing.at + beat.times[playing.hit] / 1000 < horizon) {
        const when = Math.max(playing.at + beat.times[playing.hit] / 1000, context.currentTime);
        playHit(playing, beat.voices[playing.hit], beat.velocities[playing.hit], when);
        playing.hit++;
      }
      if (playing.hit < beat.times.length || playing.at + length >= horizon) return;
      playing.at += length;
      playing.hit = 0;
      playing.next = (playing.next + 1) % playing.list.length;
      if (playing.next === 0 && loopButton.getAttribute("aria-pressed") !== "true") playing.ends = playing.at;
    }
  }

  function stop(ringing = false) {
    const old = session;
    if (!old) return;
    session = null;
    clearInterval(old.timer);
    if (old.bus && !ringing) {
      old.bus.gain.setTargetAtTime(0, context.currentTime, 0.015);
      setTimeout(() => old.bus.disconnect(), 200);
    }
    old.button.setAttribute("aria-pressed", "false");
    display(null);
    stopButton.disabled = true;
    status.textContent = "Stopped";
  }

  // --- display

  let card = null, place = null; // the beat on display, and the position in it
  function display(id) {
    if (card) {
      card.classList.remove("playing");
      card.querySelectorAll(".on, .lit").forEach((element) => element.classList.remove("on", "lit"));
    }
    card = id && document.getElementById(id);
    place = id && { id, row: -1, hit: 0, now: -1, lit: [] };
    if (!card) return;
    card.classList.add("playing");
    status.textContent = `Playing: ${data.beats[id].title}`;
    const strip = card.closest(".walk .cards");
    if (strip) strip.scrollTo({ left: card.offsetLeft - 24, behavior: reducedMotion.matches ? "auto" : "smooth" });
  }

  function draw() {
    if (!session || !session.bus) return;
    const now = context.currentTime - (context.outputLatency || 0);
    if (now >= session.ends) {
      stop(true);
      return;
    }
    while (session.passes.length > 1 && session.passes[1].begin <= now) session.passes.shift();
    const pass = session.passes[0];
    if (pass && now >= pass.begin) {
      if (!place || place.id !== pass.id) display(pass.id);
      moveTo(1000 * (now - pass.begin));
    }
    requestAnimationFrame(draw);
  }

  function moveTo(milliseconds) {
    const beat = data.beats[place.id];
    if (milliseconds < place.now) place.hit = 0; // the beat repeats
    place.now = milliseconds;
    const last = beat.bars.length - 1;
    let bar = 1;
    while (bar < last && beat.bars[bar][0] <= milliseconds) bar++;
    const [[fromTime, from], [toTime, to]] = [beat.bars[bar - 1], beat.bars[bar]];
    const quarter = from + (to - from) * Math.min(1, (milliseconds - fromTime) / (toTime - fromTime || 1));
    let row = beat.rows.findIndex(([, end]) => quarter < end);
    if (row < 0) row = beat.rows.length - 1;
    const rows = card.querySelectorAll(".row");
    if (row !== place.row) {
      rows.forEach((element, number) => element.querySelector(".cursor").classList.toggle("on", number === row));
      place.row = row;
    }
    const widest = Math.max(...beat.rows.map(([begin, end]) => end - begin)); // all rows have the same scale
    rows[row].querySelector(".cursor").style.left = `${(100 * (quarter - beat.rows[row][0]) / widest).toFixed(2)}%`;
    if (reducedMotion.matches) return;
    const lanes = rows[row].querySelectorAll(".lanes li");
    while (place.hit < beat.times.length && beat.times[place.hit] <= milliseconds) {
      place.lit[beat.voices[place.hit]] = beat.times[place.hit];
      place.hit++;
    }
    lanes.forEach((lane, number) => {
      const since = milliseconds - place.lit[lanes.length - 1 - number];
      lane.classList.toggle("lit", since >= 0 && since < 120);
    });
  }

  // --- buttons and keys

  function press(button) {
    if (session && session.button === button) stop();
    else begin((button.dataset.walk || button.dataset.play).split(" "), button);
  }

  function neighbour(button, key) {
    const index = buttons.indexOf(button);
    if (key === "ArrowLeft") return buttons[index - 1];
    if (key === "ArrowRight") return buttons[index + 1];
    const at = button.getBoundingClientRect();
    const direction = key === "ArrowDown" ? 1 : -1;
    const distance = (other) => {
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
  const toggleLoop = () => {
    loopButton.setAttribute("aria-pressed", String(loopButton.getAttribute("aria-pressed") !== "true"));
    if (session && session.next === 0) session.ends = Infinity;
  };
  stopButton.addEventListener("click", () => stop());
  loopButton.addEventListener("click", toggleLoop);
  volume.addEventListener("input", setVolume);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.key === "Escape") stop();
    if (event.key === "l" || event.key === "L") toggleLoop();
  });
  document.addEventListener("visibilitychange", () => session && session.bus && schedule(session));
})();
