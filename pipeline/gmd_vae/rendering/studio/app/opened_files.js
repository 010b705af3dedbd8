/** MIDI files of the user: their windows in a list, and sentences about them. */
class OpenedFiles {
  /**
   * @param {Studio} studio State of the page; it gets the tempo of a file.
   * @param {HTMLInputElement} tempo Slider of the tempo, for its limits.
   * @param {(beats: Beat[]) => void} list Function that shows windows to choose from.
   * @param {(promise: Promise<unknown>) => void} report Function that shows the failure of something that runs on.
   */
  constructor(studio, tempo, list, report) {
    this.studio = studio;
    this.tempo = tempo;
    this.list = list;
    this.report = report;
    this.texts = find("#read", HTMLElement);
    this.offer = find("#as-drums", HTMLButtonElement);
  }

  /**
   * Shows the windows of MIDI files. Where a file has no drums, a button offers the channel that looks like drums.
   * @param {Iterable<File>} files Files.
   * @param {number} [channel] Channel of the drums, from 0.
   */
  async open(files, channel = DRUM_CHANNEL) {
    for (const file of files) {
      this.offer.hidden = true;
      try {
        this.texts.textContent = this.read(file, new Uint8Array(await file.arrayBuffer()), channel).join(" ");
      } catch (error) {
        this.list([]);
        this.texts.textContent = `${file.name} could not be read: ${messageOf(error)}.`;
      }
    }
  }

  /**
   * Shows the windows of a MIDI file; returns sentences about it.
   * @param {File} file The file.
   * @param {Uint8Array} data Its content.
   * @param {number} channel Channel of the drums, from 0.
   */
  read(file, data, channel) {
    const { drums } = this.studio, music = readMidi(data, channel);
    const like = music.hits.length ? -1 : drumLikeChannel(music, drums);
    const found = windowsOf(music, drums), first = firstShown(found);
    /** @type {Beat[]} */
    const beats = found.windows.slice(first, first + MOST_WINDOWS)
      .map((levels, number) => ({ levels, z: null, name: `${file.name}, window ${first + number + 1}` }));
    this.list(beats);
    const texts = describeWindows(file.name, music, found, drums);
    if (beats.length) texts.push(this.takeTempo(found.tempo, music.tempos.length > 0));
    if (like >= 0) {
      texts.push(`The notes on channel ${like + 1} look like drums.`);
      this.offer.textContent = `Read channel ${like + 1} as drums`;
      this.offer.onclick = () => this.report(this.open([file], like).then(() => find("#windows button", HTMLElement).focus()));
      this.offer.hidden = false;
    }
    return texts;
  }

  /**
   * Sets the tempo to that of a file; returns a sentence about it.
   * @param {number} tempo Quarter notes per minute.
   * @param {boolean} given True if the file gives it.
   */
  takeTempo(tempo, given) {
    const { min, max } = this.tempo, nearest = Math.min(Math.max(Math.round(tempo), Number(min)), Number(max));
    if (nearest !== this.studio.settings.tempo) {
      this.studio.keep();
      this.studio.change({ tempo: nearest });
    }
    const own = Math.round(tempo) === nearest ? "" : `, the nearest here to its ${Math.round(tempo)}`;
    return given ? `Tempo: ${nearest} bpm${own}.` : `It gives no tempo: ${nearest} bpm.`;
  }
}
