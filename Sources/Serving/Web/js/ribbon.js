// @ts-check
// A token string that can be walked through: marked by surprise, one stop for the Tab key.

import { h } from './dom.js';
import { segments } from './graphemes.js';
import { parts } from './parts.js';
import { describe, hex, level, visible } from './tokens.js';
import { counted } from './words.js';

/**
 * @typedef {import('./tokens.js').TokenInfo} TokenInfo
 * @typedef {import('./parts.js').Part} Part
 * @typedef {{choose: (index: number) => void, alternative: (step: number) => void, enter: () => void,
 * close: () => void}} Actions
 */

const labels = { text: '', thinking: 'Thinking', call: 'Tool call', result: 'Tool result' };

export class Ribbon {
  /** @param {string} label @param {Actions} actions */
  constructor(label, actions) {
    this.label = label;
    this.actions = actions;
    this.element = h('div', { class: 'ribbon' });
    /** @type {TokenInfo[]} */
    this.tokens = [];
    /** @type {{part: Part, box: any, list: any, summary: any, lastSegment: number}[]} */
    this.shown = [];
    /** @type {any[]} */
    this.options = [];
    this.chosen = -1;
    /** @type {any} */
    this.stopped = null;
    /** The option that Tab reaches. */
    this.stop = 0;
    this.element.addEventListener('click', (/** @type {any} */ event) => {
      const option = event.target.closest('[data-i]');
      if (option) this.choose(Number(option.dataset.i));
    });
    this.element.addEventListener('keydown', (/** @type {any} */ event) => this.#key(event));
  }

  /**
   * Shows tokens of which those shown before are the start.
   * @param {TokenInfo[]} tokens
   */
  update(tokens) {
    const hadFocus = this.element.contains(document.activeElement);
    this.tokens = tokens;
    const now = parts(tokens);
    let keep = 0;
    while (keep < this.shown.length && keep < now.length && this.#goesOn(this.shown[keep], now[keep])) keep++;
    for (const gone of this.shown.splice(keep)) gone.box.remove();
    this.options.length = Math.min(this.options.length, now[keep]?.from ?? tokens.length);
    now.forEach((part, i) => {
      if (i >= this.shown.length) this.shown.push(this.#open(part));
      this.#fill(this.shown[i], part);
    });
    this.#showStop();
    if (hadFocus && !this.element.contains(document.activeElement)) this.options[this.stop]?.focus();
  }

  /** @param {{part: Part}} shown @param {Part} now */
  #goesOn({ part }, now) {
    return part.kind === now.kind && part.from === now.from && part.to <= now.to &&
      part.isForeign === now.isForeign;
  }

  /** @param {Part} part */
  #open(part) {
    const list = h('div', { class: 'tokens', role: 'listbox', 'aria-label': this.#name(part),
      'aria-orientation': 'horizontal' });
    if (part.kind === 'text') {
      this.element.append(list);
      return { part: { ...part, to: part.from }, box: list, list, summary: null, lastSegment: part.from };
    }
    const summary = h('summary', {});
    const box = h('details', { class: `part ${part.kind}`,
      open: part.kind !== 'thinking' || part.isOpen }, summary, list);
    this.element.append(box);
    return { part: { ...part, to: part.from }, box, list, summary, lastSegment: part.from };
  }

  /** @param {Part} part */
  #name(part) {
    return part.kind === 'text' ? this.label : `${this.label}: ${labels[part.kind]}`;
  }

  /** @param {any} shown @param {Part} part */
  #fill(shown, part) {
    const wasOpen = shown.part.isOpen;
    if (part.to > shown.part.to) {
      // What comes may belong to the last character that is shown.
      const from = shown.lastSegment;
      for (const option of this.options.splice(from, shown.part.to - from)) option.remove();
      let last = from;
      const added = document.createDocumentFragment();
      for (const segment of segments(this.tokens, from, part.to)) {
        last = segment.from;
        for (let i = segment.from; i < segment.to; i++) {
          const option = this.#option(i, segment);
          this.options[i] = option;
          added.append(option);
        }
      }
      shown.list.append(added);
      shown.lastSegment = last;
    }
    shown.part = part;
    if (!shown.summary) return;
    if (wasOpen && !part.isOpen && part.kind === 'thinking') shown.box.open = false;
    const origin = part.kind === 'result'
      ? part.isForeign ? ' · not written by the model' : ' · written by the model itself' : '';
    shown.summary.textContent =
      `${labels[part.kind]} · ${counted(part.to - part.from, 'token')}${origin}${part.isOpen ? ' …' : ''}`;
  }

  /** @param {number} index @param {{text: string, from: number, to: number}} segment */
  #option(index, segment) {
    const token = this.tokens[index];
    const strength = level(token);
    const names = ['t', strength < 0 ? 'given' : `b${strength}`];
    if (token.special) names.push('special');
    if (token.isPrompt) names.push('prompt');
    const isWhole = segment.to - segment.from === 1;
    if (!isWhole && index > segment.from) names.push('rest');
    const bytes = token.bytes.map(hex).join(' ');
    const shared = isWhole ? describe(token) : `${describe({ ...token, text: segment.text })}, bytes ${bytes}`;
    const option = h('span', { class: names.join(' '), role: 'option', tabindex: -1, 'data-i': index,
      'aria-selected': index === this.chosen ? 'true' : 'false', 'aria-label': shared });
    if (isWhole || index === segment.from) write(option, token.special ? token.text : segment.text);
    return option;
  }

  /** @param {number} index @param {{focus?: boolean, quiet?: boolean}} [how] */
  choose(index, how = {}) {
    const { focus = true, quiet = false } = how;
    if (index < 0 || index >= this.options.length) return;
    this.options[this.chosen]?.setAttribute('aria-selected', 'false');
    this.chosen = index;
    this.stop = index;
    this.#showStop();
    const option = this.options[index];
    option.setAttribute('aria-selected', 'true');
    const details = option.closest('details');
    if (details && !details.open) details.open = true;
    if (focus) option.focus();
    if (!quiet) this.actions.choose(index);
  }

  release() {
    this.options[this.chosen]?.setAttribute('aria-selected', 'false');
    this.chosen = -1;
  }

  #showStop() {
    const now = this.options[this.stop];
    if (this.stopped === now) return;
    this.stopped?.setAttribute('tabindex', '-1');
    now?.setAttribute('tabindex', '0');
    this.stopped = now;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const from = Number(/** @type {any} */ (event.target).dataset?.i);
    if (Number.isNaN(from)) return;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowRight: () => this.choose(from + 1),
      ArrowLeft: () => this.choose(from - 1),
      Home: () => this.choose(0),
      End: () => this.choose(this.options.length - 1),
      ArrowDown: () => (this.chosen < 0 ? this.choose(from) : this.actions.alternative(1)),
      ArrowUp: () => (this.chosen < 0 ? this.choose(from) : this.actions.alternative(-1)),
      Enter: () => (this.chosen < 0 ? this.choose(from) : this.actions.enter()),
      ' ': () => this.choose(from),
      Escape: () => this.actions.close(),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

/**
 * Text with its line ends both seen and kept.
 * @param {any} place
 * @param {string} text
 */
export function write(place, text) {
  if (text === '') {
    place.append(h('i', {}, '∅'));
    return;
  }
  text.split('\n').forEach((line, i) => {
    if (i > 0) place.append(h('i', {}, '↵'), '\n');
    if (line !== '') place.append(visible(line).replace(/\t/g, '→\t'));
  });
}
