// @ts-check
// Byte-pair encoding step by step, as the server replays it: lists of ids, bytes first.

/**
 * @typedef {{id: number, bytes: number[], merged: boolean}} Unit
 * @typedef {{units: Unit[], left: Unit | null, right: Unit | null, places: number[]}} Step what stands
 * after it, the pair that it joined, and where the joined units stand now
 */

/**
 * @param {string} text the piece
 * @param {number[][]} steps
 * @returns {Step[]} one for each list of ids
 */
export function replay(text, steps) {
  if (steps.length === 0) return [];
  const bytes = Array.from(new TextEncoder().encode(text));
  /** @type {Step[]} */
  const found = [{ units: first(text, bytes, steps[0]), left: null, right: null, places: [] }];
  for (let s = 1; s < steps.length; s++) {
    const before = found[s - 1].units;
    const ids = steps[s];
    /** @type {Unit[]} */
    const units = [];
    /** @type {number[]} */
    const places = [];
    let left = null;
    let right = null;
    let at = 0;
    for (let i = 0; i < ids.length && at < before.length; i++) {
      // As many units are left over as ids are still to come, if nothing more is joined.
      if (before[at].id === ids[i]) {
        units.push({ ...before[at], merged: false });
        at++;
        continue;
      }
      const second = before[at + 1];
      left ??= before[at];
      right ??= second ?? null;
      places.push(units.length);
      units.push({
        id: ids[i],
        bytes: second ? [...before[at].bytes, ...second.bytes] : before[at].bytes,
        merged: true,
      });
      at += 2;
    }
    found.push({ units, left, right, places });
  }
  return found;
}

/**
 * The units before any merge: bytes, or characters in tokenizers that begin with those.
 * @param {string} text
 * @param {number[]} bytes
 * @param {number[]} ids
 * @returns {Unit[]}
 */
function first(text, bytes, ids) {
  if (ids.length === bytes.length) {
    return ids.map((id, i) => ({ id, bytes: [bytes[i]], merged: false }));
  }
  const characters = Array.from(text);
  const encoder = new TextEncoder();
  if (ids.length === characters.length) {
    return ids.map((id, i) => ({
      id, bytes: Array.from(encoder.encode(characters[i])), merged: false,
    }));
  }
  // Neither: all bytes stand in the first unit rather than in a wrong one.
  return ids.map((id, i) => ({ id, bytes: i === 0 ? bytes : [], merged: false }));
}

/**
 * The stretch of tokens around one that a pre-tokenizer would most likely keep together: from a token
 * that begins with white space to before the next one.
 * @param {{text: string, special: boolean}[]} tokens
 * @param {number} at
 */
export function pieceAround(tokens, at) {
  const isBorder = (/** @type {number} */ i) => tokens[i].special || /^\s/.test(tokens[i].text);
  let from = at;
  while (from > 0 && at - from < 12 && !isBorder(from) && !tokens[from - 1].special) from--;
  let to = at + 1;
  while (to < tokens.length && to - at < 12 && !isBorder(to)) to++;
  return { from, to };
}
