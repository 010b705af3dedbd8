/**
 * Gives the user a file.
 * @param {string} name Name of the file.
 * @param {BlobPart[]} parts Its content.
 * @param {string} type Its media type.
 */
function download(name, parts, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Returns the bytes of an ASCII text.
 * @param {string} text Text.
 */
function ascii(text) {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}

/**
 * Returns text as a part of a file name that every system, shell and sampler takes, as ``safe_names.safe_stem`` does.
 * @param {string} text Any text.
 */
function safeStem(text) {
  const plain = [...text.normalize("NFKD")].filter((letter) => letter < "\x80").join("");
  return plain.replace(/[^A-Za-z0-9._+-]+/g, "-").slice(0, 40).replace(/^[-._]+|[-._]+$/g, "") || "model";
}
