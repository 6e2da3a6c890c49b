// @ts-check
// Tokens cut bytes; readers see characters. Segments are the smallest runs of tokens that do not cut
// a character as a reader sees it.

/**
 * @typedef {{text: string, from: number, to: number}} Segment tokens from..<to and their text
 * @typedef {{bytes: number[], text: string, special: boolean}} Piece
 */

const decoder = new TextDecoder();
const segmenter =
  typeof Intl !== 'undefined' && 'Segmenter' in Intl
    ? new Intl.Segmenter(undefined, { granularity: 'grapheme' })
    : null;

/**
 * How many bytes of a character are still missing after these, as the last lead byte tells.
 * @param {number} missing
 * @param {number[]} bytes
 */
function stillMissing(missing, bytes) {
  for (const byte of bytes) {
    if (byte < 0x80) missing = 0;
    else if (byte < 0xc0) missing = Math.max(0, missing - 1);
    else if (byte < 0xe0) missing = 1;
    else if (byte < 0xf0) missing = 2;
    else if (byte < 0xf8) missing = 3;
    else missing = 0;
  }
  return missing;
}

/** @param {number[]} bytes */
function isPlain(bytes) {
  for (const byte of bytes) if (byte >= 0x80) return false;
  return true;
}

/**
 * Whether byte b may stand inside a character that a plain byte a began: only LF after CR.
 * @param {number[]} a
 * @param {number[]} b
 */
function isCarriage(a, b) {
  return a[a.length - 1] === 13 && b[0] === 10;
}

/**
 * Runs of tokens that hold whole code points.
 * @param {Piece[]} tokens
 * @param {number} from
 * @param {number} to
 */
function wholeCodePoints(tokens, from, to) {
  /** @type {{from: number, to: number, isPlain: boolean}[]} */
  const runs = [];
  let start = from;
  let missing = 0;
  for (let i = from; i < to; i++) {
    const token = tokens[i];
    if (token.special) {
      if (start < i) runs.push({ from: start, to: i, isPlain: false });
      runs.push({ from: i, to: i + 1, isPlain: true });
      start = i + 1;
      missing = 0;
      continue;
    }
    missing = stillMissing(missing, token.bytes);
    // A character broken off is not waited for: the next token starts with a byte that cannot go on.
    const next = tokens[i + 1];
    const goesOn =
      missing > 0 && i + 1 < to && next !== undefined && !next.special &&
      next.bytes.length > 0 && next.bytes[0] >= 0x80 && next.bytes[0] < 0xc0;
    if (goesOn) continue;
    runs.push({ from: start, to: i + 1, isPlain: start === i && isPlain(token.bytes) });
    start = i + 1;
    missing = 0;
  }
  if (start < to) runs.push({ from: start, to, isPlain: false });
  return runs;
}

/**
 * @param {Piece[]} tokens
 * @param {number} [from]
 * @param {number} [to]
 * @returns {Segment[]} in order, together all tokens from..<to
 */
export function segments(tokens, from = 0, to = tokens.length) {
  const runs = wholeCodePoints(tokens, from, to);
  /** @type {Segment[]} */
  const found = [];
  const textOf = (/** @type {{from: number, to: number}} */ run) => {
    if (run.to - run.from === 1 && tokens[run.from].special) return tokens[run.from].text;
    /** @type {number[]} */
    const bytes = [];
    for (let i = run.from; i < run.to; i++) for (const byte of tokens[i].bytes) bytes.push(byte);
    return decoder.decode(new Uint8Array(bytes));
  };
  let at = 0;
  while (at < runs.length) {
    const first = runs[at];
    // Between plain ASCII nothing joins, so most text needs no segmenter.
    let end = at + 1;
    while (end < runs.length && joins(tokens, runs[end - 1], runs[end])) end++;
    if (end === at + 1) {
      found.push({ text: textOf(first), from: first.from, to: first.to });
    } else {
      merge(runs.slice(at, end), textOf, found);
    }
    at = end;
  }
  return found;
}

/**
 * Whether the border between two runs could lie inside a character.
 * @param {Piece[]} tokens
 * @param {{from: number, to: number, isPlain: boolean}} a
 * @param {{from: number, to: number, isPlain: boolean}} b
 */
function joins(tokens, a, b) {
  const first = tokens[b.from];
  const last = tokens[a.to - 1];
  if (first.special || last.special) return false;
  if (first.bytes.length === 0 || last.bytes.length === 0) return false;
  if (first.bytes[0] < 0x80) return isCarriage(last.bytes, first.bytes);
  return true;
}

/**
 * Joins runs whose border is not a border of graphemes.
 * @param {{from: number, to: number}[]} runs
 * @param {(run: {from: number, to: number}) => string} textOf
 * @param {Segment[]} found
 */
function merge(runs, textOf, found) {
  const texts = runs.map(textOf);
  const borders = new Set();
  if (segmenter) {
    for (const { index } of segmenter.segment(texts.join(''))) borders.add(index);
  }
  let offset = 0;
  /** @type {Segment | null} */
  let open = null;
  runs.forEach((run, i) => {
    if (open && (!segmenter || borders.has(offset))) {
      found.push(open);
      open = null;
    }
    if (open) {
      open.to = run.to;
      open.text += texts[i];
    } else {
      open = { text: texts[i], from: run.from, to: run.to };
    }
    offset += texts[i].length;
  });
  if (open) found.push(open);
}

/**
 * The characters of a text as a reader counts them, and how many bytes each takes.
 * @param {string} text
 * @returns {{text: string, bytes: number}[]}
 */
export function characters(text) {
  const encoder = new TextEncoder();
  const parts = segmenter
    ? Array.from(segmenter.segment(text), (part) => part.segment)
    : Array.from(text);
  return parts.map((part) => ({ text: part, bytes: encoder.encode(part).length }));
}
