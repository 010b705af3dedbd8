// Parts of browsers that TypeScript's library lacks.

interface Navigator {
  /** Safari 16.4 and later. */
  readonly audioSession?: { type: string };
}
