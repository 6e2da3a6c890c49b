// @ts-check
// All tokens of a tokenizer as a table that can be searched.

import * as api from './api.js';
import { h, replace, whenQuiet } from './dom.js';
import { drawn, hex } from './tokens.js';
import { counted, explain } from './words.js';

const pageSize = 50;

export class Vocabulary {
  /** @param {any} place */
  constructor(place) {
    this.model = '';
    this.offset = 0;
    /** @type {AbortController | null} */
    this.asking = null;
    this.search = h('input', { type: 'search', placeholder: 'A text, or bytes as \\xE2', 'aria-label': 'Search the vocabulary',
      spellcheck: 'false', autocomplete: 'off',
      on: { input: whenQuiet(120, () => { this.offset = 0; this.load(); }) } });
    this.count = h('p', { class: 'note', role: 'status' });
    this.body = h('tbody', {});
    this.back = h('button', { class: 'quiet', on: { click: () => this.#turn(-1) } }, 'Back');
    this.next = h('button', { class: 'quiet', on: { click: () => this.#turn(1) } }, 'Next');
    const names = ['Id', 'Text', 'Bytes', 'Length'];
    replace(place,
      h('div', { class: 'vocabulary-head' }, this.search, this.count, h('div', { class: 'actions' }, this.back, this.next)),
      h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Vocabulary' },
        h('table', {}, h('thead', {}, h('tr', {}, names.map((name) => h('th', { scope: 'col' }, name)))), this.body)));
  }

  /** @param {string} model */
  setModel(model) {
    if (model === this.model) return;
    this.model = model;
    this.offset = 0;
    this.isLoaded = false;
  }

  /** @param {number} step */
  #turn(step) {
    this.offset = Math.max(0, this.offset + step * pageSize);
    this.load();
  }

  async load() {
    this.asking?.abort();
    const controller = new AbortController();
    this.asking = controller;
    this.isLoaded = true;
    try {
      const { total, entries } = await api.vocabulary(this.model, this.search.value, this.offset, pageSize, controller.signal);
      const last = this.offset + entries.length;
      this.count.textContent = total === 0 ? 'No token fits.'
        : `${(this.offset + 1).toLocaleString('en')} to ${last.toLocaleString('en')} of ${counted(total, 'token')}`;
      this.back.disabled = this.offset === 0;
      this.next.disabled = last >= total;
      replace(this.body, entries.map((entry) => h('tr', {},
        h('td', {}, entry.id),
        h('td', {}, h('code', { class: `t ${entry.special ? 'special' : `h${entry.id % 4}`}` }, drawn(entry.text) || '∅')),
        h('td', {}, h('code', {}, entry.bytes.map(hex).join(' '))),
        h('td', {}, entry.bytes.length))));
    } catch (error) {
      if (!controller.signal.aborted) this.count.textContent = explain(/** @type {any} */ (error));
    }
  }
}
