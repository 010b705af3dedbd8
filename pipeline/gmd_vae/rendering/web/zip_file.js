/** Remainders of CRC-32 (polynomial 0xEDB88320) for each byte. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});
/** 1 January 1980, the first day of the format: the same files give the same archive. */
const ZIP_DATE = 0x0021;

/**
 * Returns the CRC-32 of bytes.
 * @param {Uint8Array} bytes Bytes.
 */
function crc32(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = (rest >>> 8) ^ CRC_TABLE[(rest ^ byte) & 255];
  return ~rest >>> 0;
}

/**
 * Returns numbers of 2 or 4 bytes, the lowest byte first.
 * @param {[number, 2 | 4][]} fields Numbers and their sizes.
 */
function littleEndian(fields) {
  const bytes = new Uint8Array(fields.reduce((sum, [, size]) => sum + size, 0)), view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

/** A zip archive without compression (PKWARE's APPNOTE, version 2.0), written file by file. */
class ZipFile {
  constructor() {
    /** Bytes of the archive so far. */ /** @type {Uint8Array<ArrayBuffer>[]} */ this.parts = [];
    /** @type {Uint8Array<ArrayBuffer>[]} */ this.directory = [];
    this.files = 0;
    this.size = 0;
  }

  /**
   * Adds a file.
   * @param {string} path Path of the file, with forward slashes.
   * @param {Uint8Array<ArrayBuffer>} bytes Its content.
   */
  add(path, bytes) {
    const name = new TextEncoder().encode(path);
    /** Version, flags (names are UTF-8), no compression, time, date, checksum, sizes, lengths of name and extra field. */
    /** @type {[number, 2 | 4][]} */ const facts = [
      [20, 2], [0x0800, 2], [0, 2], [0, 2], [ZIP_DATE, 2], [crc32(bytes), 4], [bytes.length, 4], [bytes.length, 4],
      [name.length, 2], [0, 2],
    ];
    const head = littleEndian([[0x04034b50, 4], ...facts]);
    /** Comment, disk, attributes, and place of the file. */
    /** @type {[number, 2 | 4][]} */ const rest = [[0, 2], [0, 2], [0, 2], [0, 4], [this.size, 4]];
    this.directory.push(littleEndian([[0x02014b50, 4], [20, 2], ...facts, ...rest]), name);
    this.parts.push(head, name, bytes);
    this.size += head.length + name.length + bytes.length;
    this.files++;
  }

  /** Returns the parts of the whole archive. */
  finished() {
    const length = this.directory.reduce((sum, part) => sum + part.length, 0);
    const end = littleEndian([
      [0x06054b50, 4], [0, 2], [0, 2], [this.files, 2], [this.files, 2], [length, 4], [this.size, 4], [0, 2],
    ]);
    return [...this.parts, ...this.directory, end];
  }
}
