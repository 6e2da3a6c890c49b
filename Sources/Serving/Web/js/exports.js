// @ts-check
// What can be taken along: JSON that the page reads again, and markdown for people.

import { textOf } from './tokens.js';
import { ending } from './words.js';

/**
 * @typedef {import('./tokens.js').TokenInfo} TokenInfo
 * @typedef {{tokens: TokenInfo[], label?: string, end: {reason: string, message?: string} | null}} Sample
 * @typedef {{prompt: TokenInfo[], samples: Sample[]}} Result
 */

/**
 * A fence longer than any run of backticks inside.
 * @param {string} text
 */
export function fenced(text) {
  let longest = 2;
  for (const run of text.match(/`+/g) ?? []) longest = Math.max(longest, run.length);
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}${text.endsWith('\n') ? '' : '\n'}${fence}`;
}

/** @param {{temperature: number, top_p: number, top_k: number, min_p: number}} sampling */
export function samplingWords(sampling) {
  const words = [sampling.temperature === 0 ? 'likeliest token' : `temperature ${sampling.temperature}`];
  if (sampling.temperature === 0) return words[0];
  if (sampling.top_k > 0) words.push(`top-k ${sampling.top_k}`);
  if (sampling.top_p < 1) words.push(`top-p ${sampling.top_p}`);
  if (sampling.min_p > 0) words.push(`min-p ${sampling.min_p}`);
  return words.join(', ');
}

/**
 * @param {any} state the page's
 * @param {(Result | null)[]} results one a column
 */
export function markdown(state, results) {
  const lines = ['# A page of the playground', ''];
  if (state.view === 'chat') {
    for (const message of state.messages) lines.push(`**${message.role}**`, '', fenced(message.content), '');
  } else {
    lines.push('**Prompt**', '', fenced(state.text), '');
  }
  state.columns.forEach((/** @type {any} */ column, /** @type {number} */ i) => {
    const result = results[i];
    lines.push(`## ${column.model}`, '', `${samplingWords(column)}, seed ${state.seed}, up to ${state.max_tokens} tokens`, '');
    if (!result) return;
    result.samples.forEach((sample, n) => {
      if (result.samples.length > 1) lines.push(`### Sample ${n + 1}`, '');
      lines.push(fenced(textOf(sample.tokens)), '');
      if (sample.end) lines.push(`${sample.tokens.length} tokens. ${ending(sample.end.reason, sample.end.message)}`, '');
    });
  });
  return lines.join('\n');
}

/**
 * Messages of OpenAI's form from a file: one JSON object or array, or JSON lines.
 * @param {string} text
 * @returns {{role: string, content: string}[] | null}
 */
export function readMessages(text) {
  const tries = [() => JSON.parse(text), () => JSON.parse(text.split('\n', 1)[0]),
    () => text.split('\n').filter((line) => line.trim()).map((line) => JSON.parse(line))];
  for (const attempt of tries) {
    try {
      const value = attempt();
      const list = Array.isArray(value) ? value : value.messages;
      if (!Array.isArray(list) || list.length === 0) continue;
      const fits = list.every((m) => typeof m?.role === 'string' && typeof m?.content === 'string');
      if (fits) return list.map(({ role, content }) => ({ role, content }));
    } catch {
      continue;
    }
  }
  return null;
}
