// @ts-check
// Tokens as numbers and words: surprise, what can be seen, names for a screen reader.

import { short } from './words.js';

/**
 * @typedef {{id: number, text: string, logprob: number}} Alternative
 * @typedef {{id: number, text: string, bytes: number[], special: boolean, logprob?: number | null,
 * rank?: number | null, entropy?: number | null, kept?: number | null, top?: Alternative[] | null,
 * isPrompt?: boolean}} TokenInfo
 */

/**
 * Surprise in bits: 1 bit is a coin's worth; null where the token was not predicted.
 * @param {TokenInfo} token
 */
export function bits(token) {
  return token.logprob == null ? null : Math.max(0, -token.logprob / Math.LN2);
}

/** Where each level of surprise begins, in bits. */
export const thresholds = [0.5, 1.5, 3, 5, 8];

/**
 * 0 (as good as certain) to 5 (more than 8 bits); -1 where there was no prediction.
 * @param {TokenInfo} token
 */
export function level(token) {
  const surprise = bits(token);
  if (surprise === null) return -1;
  let found = 0;
  while (found < thresholds.length && surprise >= thresholds[found]) found++;
  return found;
}

/**
 * Sums over tokens that were predicted.
 * @param {TokenInfo[]} tokens
 */
export function totals(tokens) {
  let sum = 0;
  let scored = 0;
  let bytes = 0;
  for (const token of tokens) {
    const surprise = bits(token);
    if (surprise === null) continue;
    sum += surprise;
    scored++;
    bytes += token.special ? 0 : token.bytes.length;
  }
  return {
    bits: sum,
    scored,
    bitsPerToken: scored > 0 ? sum / scored : null,
    bitsPerByte: bytes > 0 ? sum / bytes : null,
  };
}

/** Characters that have no look of their own, or that reorder what stands around them. */
const names = new Map([
  [0x007f, 'DEL'], [0x00ad, 'SHY'], [0x061c, 'ALM'], [0x200b, 'ZWSP'], [0x200c, 'ZWNJ'], [0x200d, 'ZWJ'],
  [0x200e, 'LRM'], [0x200f, 'RLM'], [0x2028, 'LS'], [0x2029, 'PS'], [0x202a, 'LRE'],
  [0x202b, 'RLE'], [0x202c, 'PDF'], [0x202d, 'LRO'], [0x202e, 'RLO'], [0x2060, 'WJ'],
  [0x2066, 'LRI'], [0x2067, 'RLI'], [0x2068, 'FSI'], [0x2069, 'PDI'], [0xfeff, 'BOM'],
  [0x180e, 'MVS'], [0x115f, 'HCF'], [0x1160, 'HJF'], [0x3164, 'HF'],
]);

const controls = [
  'NUL', 'SOH', 'STX', 'ETX', 'EOT', 'ENQ', 'ACK', 'BEL', 'BS', 'HT', 'LF', 'VT', 'FF', 'CR', 'SO', 'SI',
  'DLE', 'DC1', 'DC2', 'DC3', 'DC4', 'NAK', 'SYN', 'ETB', 'CAN', 'EM', 'SUB', 'ESC', 'FS', 'GS', 'RS', 'US',
];

const odd = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\u3164\ufeff]|[\u{e0000}-\u{e007f}]/gu;

/**
 * The text with every character that cannot be seen named. Joiners inside a longer cluster (an emoji
 * family) stay as they are.
 * @param {string} text
 */
export function visible(text) {
  return text.replace(odd, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if ((code === 0x200d || code === 0x200c) && text.length > 1) return character;
    return `⟦${controls[code] ?? names.get(code) ?? 'U+' + code.toString(16).toUpperCase().padStart(4, '0')}⟧`;
  });
}

/**
 * Visible, with white space drawn too: a middle dot, an arrow, a return sign.
 * @param {string} text
 */
export function drawn(text) {
  return visible(text).replace(/ /g, '·').replace(/\t/g, '→').replace(/\n/g, '↵');
}

/**
 * A token by itself: its text, or its bytes where they are no text of their own.
 * @param {{text: string, bytes: number[]}} token
 */
export function drawnToken(token) {
  if (token.bytes.length === 0 && token.text === '') return '∅';
  return isBroken(token.bytes) ? token.bytes.map(hex).join(' ') : drawn(token.text);
}

/**
 * Whether bytes are not UTF-8 by themselves.
 * @param {number[]} bytes
 */
function isBroken(bytes) {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(bytes));
    return false;
  } catch {
    return true;
  }
}

/**
 * What a screen reader says for a piece of text.
 * @param {string} text
 */
export function spoken(text) {
  if (text === '') return 'nothing';
  if (/^ +$/.test(text)) return text.length === 1 ? 'space' : `${text.length} spaces`;
  if (/^\n+$/.test(text)) return text.length === 1 ? 'new line' : `${text.length} new lines`;
  const lead = text.startsWith(' ') ? 'space, ' : '';
  return (
    lead + visible(text).trim().replace(/\n/g, ' new line ').replace(/\t/g, ' tab ')
  );
}

/** @param {number} byte */
export function hex(byte) {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}

/**
 * A probability as people read it: 83 %, 2.1 %, 0.03 %, 1 in 12 k.
 * @param {number} probability
 */
export function percent(probability) {
  if (!(probability > 0)) return '0 %';
  const value = probability * 100;
  if (value >= 99.95) return value >= 99.9999 ? '100 %' : '>99.9 %';
  if (value >= 9.95) return `${Math.round(value)} %`;
  if (value >= 0.1) return `${value.toFixed(1)} %`;
  if (value >= 0.01) return `${value.toFixed(2)} %`;
  return `1 in ${short(Math.round(1 / probability))}`;
}

/** @param {number | null | undefined} logprob */
export function probability(logprob) {
  return logprob == null ? null : Math.exp(logprob);
}

/**
 * The accessible name of a token in a ribbon.
 * @param {TokenInfo} token
 */
export function describe(token) {
  const said = token.special ? `special token ${token.text}` : spoken(token.text);
  const chance = probability(token.logprob);
  if (chance === null) return said;
  const rank = token.rank == null ? '' : `, rank ${token.rank + 1}`;
  return `${said}, ${percent(chance)}${rank}`;
}

/** @param {number[][]} pieces */
export function joinBytes(pieces) {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/**
 * What tokens say together: bytes of one character may be spread over several tokens.
 * @param {TokenInfo[]} tokens
 * @param {boolean} [withSpecial]
 */
export function textOf(tokens, withSpecial = true) {
  const decoder = new TextDecoder();
  let text = '';
  /** @type {number[][]} */
  let run = [];
  const flush = () => {
    if (run.length > 0) text += decoder.decode(joinBytes(run));
    run = [];
  };
  for (const token of tokens) {
    if (!token.special) {
      run.push(token.bytes);
      continue;
    }
    flush();
    if (withSpecial) text += token.text;
  }
  flush();
  return text;
}
