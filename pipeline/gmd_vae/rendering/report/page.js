(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const buttons = [...document.querySelectorAll("[data-play], [data-walk]")];
  if (!buttons.length) return;
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  const [stopButton, loopButton] = [".stop", ".loop"].map((name) => document.querySelector(name));
  const [status, volume] = ["output", ".volume input"].map((name) => document.querySelector(`.transport ${name}`));
  const sound = new Sound(data.kit, data.loudness);
  const setVolume = () => sound.setVolume(volume.value / 100);
  setVolume();
  let session = null; // the beats that play now

  // --- time

  function begin(list, button) {
    stop();
    const started = { list, button, target: null, passes: [], next: 0, hit: 0, at: 0, ends: Infinity, end: () => {} };
    session = started;
    button.setAttribute("aria-pressed", "true");
    stopButton.disabled = false;
    sound.start().then(() => {
      if (session !== started) return; // stopped before the audio had started
      started.target = sound.kit.open();
      started.at = sound.context.currentTime + 0.08;
      started.end = sound.lookAhead((horizon) => schedule(started, horizon));
      requestAnimationFrame(draw);
    });
  }

  function schedule(playing, horizon) {
    while (playing.at < horizon && playing.ends === Infinity) {
      const id = playing.list[playing.next];
      const beat = data.beats[id];
      const length = Math.max(0.25, beat.bars.at(-1)[0] / 1000); // MIDI files may hold any tempo
      if (playing.hit === 0 && playing.passes.at(-1)?.begin !== playing.at) {
        playing.passes.push({ id, begin: playing.at, end: playing.at + length });
      }
      while (playing.hit < beat.times.length && playing.at + beat.times[playing.hit] / 1000 < horizon) {
        const when = Math.max(playing.at + beat.times[playing.hit] / 1000, sound.context.currentTime);
        sound.kit.hit(playing.target, beat.voices[playing.hit], beat.velocities[playing.hit], when);
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
    old.end();
    if (old.target && !ringing) sound.kit.close(old.target);
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
    if (!session || !session.target) return;
    const now = sound.audible;
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
})();
