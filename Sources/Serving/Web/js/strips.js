// @ts-check
// Characters, bytes and tokens of one stretch of text, each with the place where it begins, in bytes.

import { characters } from './graphemes.js';

/**
 * @typedef {{text: string, start: number, length: number, token: number, isCut: boolean}} Character a
 * special token counts as one character of one column; cut where a border of tokens lies inside
 * @typedef {{value: number | null, token: number}} Byte null for a special token
 * @typedef {{index: number, start: number, length: number}} Span
 * @typedef {{characters: Character[], bytes: Byte[], tokens: Span[], columns: number}} Strips
 */

/**
 * The tokens around one that together have at most so many bytes; whole characters, so that it may be
 * more where one character is that long.
 * @param {{bytes: number[], special: boolean}[]} tokens
 * @param {import('./graphemes.js').Segment[]} segments of all tokens
 * @param {number} index the token
 * @param {number} most
 */
export function windowAround(tokens, segments, index, most) {
  const size = (/** @type {number} */ i) => {
    let bytes = 0;
    for (let t = segments[i].from; t < segments[i].to; t++) {
      bytes += tokens[t].special ? 1 : tokens[t].bytes.length;
    }
    return bytes;
  };
  let low = 0;
  let high = segments.length;
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if (segments[middle].from <= index) low = middle;
    else high = middle;
  }
  const at = low;
  let from = at;
  let to = at + 1;
  let used = size(at);
  for (;;) {
    const before = from > 0 ? size(from - 1) : Infinity;
    const after = to < segments.length ? size(to) : Infinity;
    if (used + after <= most && (to - at <= at - from || used + before > most)) {
      used += after;
      to++;
    } else if (used + before <= most) {
      used += before;
      from--;
    } else {
      return { from: segments[from].from, to: segments[to - 1].to };
    }
  }
}

/**
 * @param {{text: string, bytes: number[], special: boolean}[]} tokens
 * @param {number} from
 * @param {number} to
 * @returns {Strips}
 */
export function align(tokens, from, to) {
  /** @type {Strips} */
  const strips = { characters: [], bytes: [], tokens: [], columns: 0 };
  const decoder = new TextDecoder();
  /** @type {number[]} */
  let run = [];
  let runStart = 0;
  const flush = () => {
    if (run.length === 0) return;
    let start = runStart;
    const text = decoder.decode(new Uint8Array(run));
    const parts = characters(text);
    // Broken bytes decode to marks that are longer than they: then each byte stands for itself.
    const isFaithful = parts.reduce((sum, part) => sum + part.bytes, 0) === run.length;
    const shown = isFaithful ? parts : run.map((byte) => ({ text: byte < 0x80 ? String.fromCharCode(byte) : '�', bytes: 1 }));
    for (const part of shown) {
      const token = strips.bytes[start].token;
      const isCut = strips.bytes[start + part.bytes - 1].token !== token;
      strips.characters.push({ text: part.text, start, length: part.bytes, token, isCut });
      start += part.bytes;
    }
    run = [];
  };
  for (let i = from; i < to; i++) {
    const token = tokens[i];
    const start = strips.columns;
    if (token.special) {
      flush();
      strips.bytes.push({ value: null, token: i });
      strips.characters.push({ text: token.text, start, length: 1, token: i, isCut: false });
      strips.columns += 1;
      runStart = strips.columns;
    } else {
      if (run.length === 0) runStart = start;
      for (const value of token.bytes) strips.bytes.push({ value, token: i });
      run.push(...token.bytes);
      strips.columns += token.bytes.length;
    }
    strips.tokens.push({ index: i, start, length: strips.columns - start });
  }
  flush();
  return strips;
}
