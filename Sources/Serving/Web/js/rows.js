// @ts-check
// Long token strings as rows of a fixed-width type, so that only what is in view need exist.

/**
 * @typedef {import('./graphemes.js').Segment} Segment
 * @typedef {{from: number, to: number}} Row segments from..<to
 */

/**
 * About how many columns a text takes: wide characters two, joined ones what they show.
 * @param {string} text
 */
export function width(text) {
  let columns = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x300) columns += 1;
    else if (code >= 0xdc00 && code < 0xe000) continue;
    else if (code < 0x370 || code === 0x200d || (code >= 0xfe00 && code < 0xfe10)) continue;
    else columns += code >= 0x1100 ? 2.1 : 1.3;
  }
  return columns;
}

/**
 * @param {Segment[]} segments
 * @param {number} columns how many fit in a row
 * @param {number} gap what stands between two segments, in columns
 * @param {number} [from] the first segment to place
 * @returns {Row[]}
 */
export function rows(segments, columns, gap, from = 0) {
  /** @type {Row[]} */
  const found = [];
  let start = from;
  let used = 0;
  for (let i = from; i < segments.length; i++) {
    const text = segments[i].text;
    const newline = text.lastIndexOf('\n');
    const pieces = segments[i].to - segments[i].from;
    // Tokens that only go on with a character are drawn as marks beside it.
    const needed = width(text) + gap * pieces + 0.65 * (pieces - 1);
    if (i > start && used + needed > columns) {
      found.push({ from: start, to: i });
      start = i;
      used = 0;
    }
    used += needed;
    if (newline >= 0) {
      found.push({ from: start, to: i + 1 });
      start = i + 1;
      used = 0;
    }
  }
  if (start < segments.length) found.push({ from: start, to: segments.length });
  return found;
}

/**
 * Where tokens end in the bytes of the text.
 * @param {{bytes: number[], special: boolean}[]} tokens
 */
export function borders(tokens) {
  const found = new Set();
  let at = 0;
  for (const token of tokens) {
    at += token.bytes.length;
    found.add(at);
  }
  return found;
}
