/**
 * Returns the bytes of the MIDI file in a link of the page.
 * @param {HTMLAnchorElement} link Link with the file in base64.
 */
function linkedMidi(link) {
  return Uint8Array.from(atob(link.href.slice(link.href.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
}

/**
 * Returns the name of a beat's files at a tempo, without their ending.
 * @param {ReportBeat} beat The beat.
 * @param {number | null} tempo Quarter notes per minute; null: that of the MIDI file.
 */
function stemAt({ name }, tempo) {
  const stem = name.replace(/\.midi?$/i, "");
  return tempo === null ? stem : `${stem.replace(/_[0-9.]+bpm$/, "")}_${tempo}bpm`;
}

/**
 * Returns a MIDI file at another tempo, and its track named so.
 * @param {Uint8Array<ArrayBuffer>} midi The file.
 * @param {ReportBeat} beat The beat in it.
 * @param {number | null} tempo Quarter notes per minute; null: that of the file. A file with several tempos keeps them.
 */
function midiAt(midi, beat, tempo) {
  if (tempo === null || beat.tempoAt === null) return midi;
  const bytes = midi.slice(), microseconds = Math.round(60_000_000 / tempo);
  [16, 8, 0].forEach((shift, at) => { bytes[Number(beat.tempoAt) + at] = (microseconds >> shift) & 255; });
  // a file of gmd-vae begins with the name of its track, which is the name of the file
  const before = ascii(stemAt(beat, null)), after = ascii(stemAt(beat, tempo)), at = 26;
  const named = [0, 0xff, 0x03, before.length, ...before].every((byte, place) => bytes[at - 4 + place] === byte);
  if (!named || after.length > 127) return bytes;
  const longer = new Uint8Array(bytes.length + after.length - before.length), view = new DataView(longer.buffer);
  longer.set(bytes.subarray(0, at));
  longer.set(after, at);
  longer.set(bytes.subarray(at + before.length), at + after.length);
  longer[at - 1] = after.length;
  view.setUint32(18, view.getUint32(18) + after.length - before.length); // the length of the first track
  return longer;
}

/**
 * Returns the last part of a path.
 * @param {string} path Path with forward slashes.
 */
function lastPart(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Saves the beats of the page. */
class Saver {
  /**
   * @param {ReportData} data Data of the page.
   * @param {() => number | null} tempo Function that returns the tempo of the page; null: that of each MIDI file.
   * @param {(text: string) => void} say Function that shows a text.
   */
  constructor(data, tempo, say) {
    this.data = data;
    this.tempo = tempo;
    this.say = say;
    /** Links to MIDI files by id. */
    /** @type {Map<string, HTMLAnchorElement>} */ this.links = new Map();
    for (const link of findAll("a[data-midi]", HTMLAnchorElement)) this.links.set(link.dataset.midi || "", link);
  }

  /**
   * Returns the MIDI file of a beat, at the tempo of the page.
   * @param {string} id Id of the beat.
   */
  midi(id) {
    const link = this.links.get(id);
    if (!link) throw new Error(`the page has no MIDI file of ${id}`);
    return midiAt(linkedMidi(link), this.data.beats[id], this.tempo());
  }

  /**
   * Returns the sound of a beat as a WAV file that loops.
   * @param {string} id Id of the beat.
   */
  wav(id) {
    const beat = this.data.beats[id], tempo = this.tempo();
    const { strokes, seconds } = strokesOfBeat(beat, tempo === null ? 1 : tempo / beat.tempo);
    return wavLoop(strokes, seconds, this.data.kit, this.data.loudness);
  }

  /**
   * Returns the name of a beat's files, without their ending.
   * @param {string} id Id of the beat.
   */
  stem(id) {
    return stemAt(this.data.beats[id], this.tempo());
  }

  /**
   * Saves the sound of a beat.
   * @param {string} id Id of the beat.
   */
  async saveWav(id) {
    const name = `${this.stem(id)}.wav`;
    this.say(`Rendering ${name} ...`);
    download(name, [await this.wav(id)], "audio/wav");
    this.say(`Saved ${name}`);
  }

  /**
   * Saves all beats of the page in an archive, in the folders that they come from.
   * @param {boolean} withSound True for MIDI files and sounds, false for MIDI files alone.
   */
  async saveAll(withSound) {
    const archive = new ZipFile(), ids = Object.keys(this.data.beats);
    for (const [number, id] of ids.entries()) {
      const { folder, whole } = this.data.beats[id];
      archive.add(`${lastPart(folder)}/${this.stem(id)}.mid`, this.midi(id));
      if (!withSound || !whole) continue;
      this.say(`Rendering ${number + 1} of ${ids.length} ...`);
      archive.add(`${lastPart(folder)}/${this.stem(id)}.wav`, await this.wav(id));
    }
    for (const link of findAll("a[data-joined]", HTMLAnchorElement)) {
      archive.add(`${lastPart(link.dataset.joined || "")}/${link.download}`, linkedMidi(link));
    }
    const name = `${safeStem(this.data.name)}_${withSound ? "beats" : "midi"}.zip`;
    download(name, archive.finished(), "application/zip");
    this.say(`Saved ${archive.files} files in ${name}`);
  }
}
