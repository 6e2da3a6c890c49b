// @ts-check
// Starter cards: a demonstration each, with its first words as tokens.

import { h } from './dom.js';

/** @typedef {import('./starters.js').Starter} Starter */

/**
 * @param {Starter} starter
 * @param {{href?: string, choose?: () => void}} way a link on the home page, a button in the playground
 */
export function starterCard(starter, way) {
  const text = starter.text ?? starter.messages?.[0]?.content ?? '';
  const words = (text.match(/\s*\S+/g) ?? []).slice(0, 7);
  const sample = h('span', { class: 'words', 'aria-hidden': 'true' },
    words.map((word, i) => h('span', { class: `t b${[4, 1, 0, 2, 0, 3, 1][i]}` }, word.replace(/\n/g, ' '))), ' …');
  const nothing = h('span', { class: 'words', 'aria-hidden': 'true' }, h('span', { class: 't special' }, '<|bos|>'), ' …');
  const kind = starter.needs === 'chat' ? 'Chat' : 'Completion';
  const content = [h('small', {}, kind), h('strong', {}, starter.title), h('span', { class: 'what' }, starter.what), text === '' ? nothing : sample];
  return h('li', {}, way.href
    ? h('a', { class: 'starter', href: way.href }, content)
    : h('button', { class: 'starter', on: { click: () => way.choose?.() } }, content));
}
