// @ts-check
// What a page of the playground is: all that its link and its file hold.

/**
 * @typedef {{model: string, temperature: number, top_p: number, top_k: number, min_p: number}} ColumnState
 * @typedef {{role: string, content: string}} Message
 * @typedef {{view: 'completion' | 'chat', text: string, special: boolean, messages: Message[],
 * columns: ColumnState[], max_tokens: number, seed: number, n: number, stop: string[],
 * layout: 'cards' | 'tree'}} State
 */

/** What each number may be, and what it is at first. */
export const limits = {
  temperature: { min: 0, max: 2, step: 0.05, first: 0.8, whole: false },
  top_p: { min: 0.01, max: 1, step: 0.01, first: 1, whole: false },
  top_k: { min: 0, max: 1000, step: 1, first: 0, whole: true },
  min_p: { min: 0, max: 1, step: 0.01, first: 0, whole: false },
  max_tokens: { min: 1, max: 4096, step: 1, first: 64, whole: true },
  seed: { min: 0, max: 2 ** 32 - 1, step: 1, first: 1, whole: true },
  n: { min: 1, max: 16, step: 1, first: 1, whole: true },
};

export const mostColumns = 4;

/** @param {keyof typeof limits} name @param {unknown} value */
export function number(name, value) {
  const { min, max, first, whole } = limits[name];
  const given = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof given !== 'number' || !Number.isFinite(given)) return first;
  const inside = Math.min(max, Math.max(min, given));
  return whole ? Math.round(inside) : inside;
}

/** @param {unknown} value @param {number} most */
function text(value, most) {
  return typeof value === 'string' ? value.slice(0, most) : '';
}

/**
 * A state from anywhere: whatever does not fit is replaced by what stands at first.
 * @param {any} given
 * @param {string} model the model of a column that names none
 * @returns {State}
 */
export function readState(given, model) {
  const from = given && typeof given === 'object' ? given : {};
  const columns = Array.isArray(from.columns) ? from.columns.slice(0, mostColumns) : [];
  if (columns.length === 0) columns.push({});
  const messages = Array.isArray(from.messages) ? from.messages.slice(0, 500) : [];
  return {
    view: from.view === 'chat' ? 'chat' : 'completion',
    text: text(from.text, 1_000_000),
    special: from.special === true,
    messages: messages.map((/** @type {any} */ message) => ({
      role: text(message?.role, 40) || 'user', content: text(message?.content, 1_000_000),
    })),
    columns: columns.map((/** @type {any} */ column) => ({
      model: text(column?.model, 400) || model,
      temperature: number('temperature', column?.temperature),
      top_p: number('top_p', column?.top_p),
      top_k: number('top_k', column?.top_k),
      min_p: number('min_p', column?.min_p),
    })),
    max_tokens: number('max_tokens', from.max_tokens),
    seed: number('seed', from.seed),
    n: number('n', from.n),
    stop: (Array.isArray(from.stop) ? from.stop : []).filter(
      (/** @type {unknown} */ stop) => typeof stop === 'string' && stop !== '').slice(0, 4),
    layout: from.layout === 'tree' ? 'tree' : 'cards',
  };
}

/**
 * Stop texts as lines that a person can edit.
 * @param {string[]} stops
 */
export function stopLines(stops) {
  return stops.map((stop) => stop.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\t/g, '\\t')).join('\n');
}

/** @param {string} lines */
export function readStops(lines) {
  return lines.split('\n').filter((line) => line !== '').slice(0, 4).map((line) =>
    line.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c === 't' ? '\t' : c)));
}

/**
 * What is asked of the server for a column, as the public API takes it.
 * @param {State} state
 * @param {ColumnState} column
 */
export function requestOf(state, column) {
  const { max_tokens, seed, n, stop } = state;
  const subject = state.view === 'chat' ? { messages: state.messages } : { prompt: state.text };
  return { ...column, ...subject, max_tokens, seed, n, stop };
}
