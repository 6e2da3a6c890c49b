// @ts-check
// What a model writes is one token string; some stretches of it mean something else than an answer.

/**
 * @typedef {import('./tokens.js').TokenInfo} TokenInfo
 * @typedef {'text' | 'thinking' | 'call' | 'result'} Kind
 * @typedef {{kind: Kind, from: number, to: number, isOpen: boolean, isForeign: boolean}} Part tokens
 * from..<to with their markers; open where the closing marker has not come; foreign where the model
 * did not write it
 */

/** @type {{kind: Kind, open: string, close: string[]}[]} */
const markers = [
  { kind: 'thinking', open: '<think>', close: ['</think>'] },
  { kind: 'thinking', open: '<|think|>', close: ['<|end_think|>'] },
  { kind: 'call', open: '<tool_call>', close: ['</tool_call>'] },
  { kind: 'call', open: '<|call|>', close: ['<|end|>'] },
  { kind: 'call', open: '<|python_start|>', close: ['<|python_end|>'] },
  { kind: 'call', open: '<|python_tag|>', close: ['<|eom_id|>', '<|eot_id|>'] },
  { kind: 'result', open: '<tool_response>', close: ['</tool_response>'] },
  { kind: 'result', open: '<|result|>', close: ['<|end_result|>'] },
  { kind: 'result', open: '<|output_start|>', close: ['<|output_end|>'] },
];

/**
 * @param {TokenInfo[]} tokens
 * @returns {Part[]} in order, together all tokens
 */
export function parts(tokens) {
  /** @type {number[]} where each token begins in the text */
  const starts = [];
  let text = '';
  for (const token of tokens) {
    starts.push(text.length);
    text += token.text;
  }
  /**
   * The token that holds the character at `offset`.
   * @param {number} offset
   */
  const tokenAt = (offset) => {
    let low = 0;
    let high = tokens.length;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle;
    }
    return low;
  };
  /** @type {Part[]} */
  const found = [];
  /** @param {Kind} kind @param {number} from @param {number} to @param {boolean} isOpen */
  const add = (kind, from, to, isOpen) => {
    if (from >= to) return;
    const own = tokens.slice(from, to);
    const isForeign = kind === 'result' && own.every((token) => token.logprob == null);
    found.push({ kind, from, to, isOpen, isForeign });
  };
  let at = 0;
  let done = 0;
  for (;;) {
    const next = nextOpening(text, at);
    if (!next) break;
    const from = Math.max(done, tokenAt(next.at));
    add('text', done, from, false);
    const inside = next.at + next.marker.open.length;
    const ends = next.marker.close
      .map((close) => ({ close, at: text.indexOf(close, inside) }))
      .filter((end) => end.at >= 0)
      .sort((a, b) => a.at - b.at);
    if (ends.length === 0) {
      add(next.marker.kind, from, tokens.length, true);
      return found;
    }
    at = ends[0].at + ends[0].close.length;
    done = tokenAt(at - 1) + 1;
    add(next.marker.kind, from, done, false);
  }
  add('text', done, tokens.length, false);
  return found;
}

/** @param {string} text @param {number} from */
function nextOpening(text, from) {
  let best = null;
  if (text.indexOf('<', from) < 0) return null;
  for (const marker of markers) {
    const at = text.indexOf(marker.open, from);
    if (at >= 0 && (best === null || at < best.at)) best = { at, marker };
  }
  return best;
}
