/**
 * Gives the user a file.
 * @param {string} name Name of the file.
 * @param {Uint8Array<ArrayBuffer>} bytes Its content.
 * @param {string} type Its media type.
 */
function download(name, bytes, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Returns a name that every file system takes.
 * @param {...string} parts Parts of the name.
 */
function fileName(...parts) {
  return parts.join(" ").toLowerCase().replace(/[^a-z0-9.]+/g, "-").replace(/^[-.]+|-+$/g, "").slice(0, 80) || "beat";
}
