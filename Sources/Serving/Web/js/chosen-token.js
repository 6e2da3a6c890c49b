// @ts-check
// The chosen token of the tokenizer page: its facts, the three strips, the merges that made it.

import * as api from './api.js';
import { h, replace } from './dom.js';
import { pieceAround, replay } from './merges.js';
import { align, windowAround } from './strips.js';
import { drawn, drawnToken, hex, textOf, visible } from './tokens.js';
import { counted, explain } from './words.js';

/** @typedef {import('./tokens.js').TokenInfo} TokenInfo */

export class ChosenToken {
  /** @param {any} place @param {(index: number) => void} choose */
  constructor(place, choose) {
    this.place = place;
    this.onChoose = choose;
    /** @type {AbortController | null} */
    this.asking = null;
    this.timer = 0;
  }

  hide() {
    this.asking?.abort();
    clearInterval(this.timer);
    this.place.hidden = true;
  }

  /**
   * @param {string} model
   * @param {TokenInfo[]} tokens
   * @param {import('./graphemes.js').Segment[]} segments of all tokens
   * @param {number} index
   */
  show(model, tokens, segments, index) {
    this.asking?.abort();
    clearInterval(this.timer);
    const token = tokens[index];
    this.place.hidden = false;
    this.merges = h('div', { class: 'merges' });
    const bytes = token.bytes.map(hex).join(' ');
    /** @type {[string, string][]} */
    const facts = [
      ['Id', token.id.toLocaleString('en')],
      ['Place', `${(index + 1).toLocaleString('en')} of ${tokens.length.toLocaleString('en')}`],
      ['Bytes', bytes || 'none'],
      ['Kind', token.special ? 'special token: it stands for no text' : counted(token.bytes.length, 'byte')],
    ];
    replace(this.place,
      h('div', { class: 'about' },
        h('h2', {}, h('span', { class: 'visually-hidden' }, 'Token '), h('code', { class: 'chip big' }, drawnToken(token))),
        h('dl', { class: 'facts' }, facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))))),
      h('div', { class: 'strips' }, h('h3', {}, 'Characters, bytes, tokens'), this.#strips(tokens, segments, index)),
      token.special ? null : this.merges);
    if (!token.special) this.#ask(model, tokens, index);
  }

  /**
   * @param {TokenInfo[]} tokens
   * @param {import('./graphemes.js').Segment[]} segments
   * @param {number} index
   */
  #strips(tokens, segments, index) {
    const beside = matchMedia('(min-width: 58rem)').matches ? 280 : 0;
    const room = Math.max(8, Math.min(40, Math.floor((this.place.clientWidth - beside - 125) / 27)));
    const { from, to } = windowAround(tokens, segments, index, room);
    const strips = align(tokens, from, to);
    /** @param {number} start @param {number} length @param {string} names @param {string} text */
    const cell = (start, length, names, text) => {
      const element = h('span', { class: names }, text);
      element.style.gridColumn = `${start + 1} / span ${length}`;
      return element;
    };
    const mark = (/** @type {number} */ token) => `h${token % 4}${token === index ? ' here' : ''}`;
    const more = from > 0 || to < tokens.length;
    /** @param {string} name @param {any[]} cells */
    const strip = (name, cells) => {
      const line = h('div', { class: 'strip' }, cells);
      line.style.gridTemplateColumns = `repeat(${strips.columns}, minmax(1.55rem, auto))`;
      return [h('span', { class: 'strip-name' }, `${name} `, h('b', {}, cells.length)), line];
    };
    return [
      h('div', { class: 'strip-scroll', tabindex: 0, role: 'group', 'aria-label': 'Characters, bytes and tokens, aligned' },
        strip('Characters', strips.characters.map((one) =>
          cell(one.start, one.length, `cell ${mark(one.token)}${one.isCut ? ' cut' : ''}`, drawn(one.text)))),
        strip('Bytes', strips.bytes.map((one, i) =>
          cell(i, 1, `cell byte ${mark(one.token)}`, one.value === null ? '–' : hex(one.value)))),
        strip('Tokens', strips.tokens.map((one) => {
          const button = h('button', { class: `cell token ${mark(one.index)}`,
            'aria-label': `Token ${visible(tokens[one.index].text)}, ${tokens[one.index].id}`,
            on: { click: () => this.onChoose(one.index) } }, String(tokens[one.index].id));
          button.style.gridColumn = `${one.start + 1} / span ${Math.max(1, one.length)}`;
          return button;
        }))),
      more ? h('p', { class: 'note' }, 'Around the chosen token.') : null,
    ].filter(Boolean);
  }

  /** @param {string} model @param {TokenInfo[]} tokens @param {number} index */
  async #ask(model, tokens, index) {
    const place = this.merges;
    const controller = new AbortController();
    this.asking = controller;
    const { from, to } = pieceAround(tokens, index);
    const text = textOf(tokens.slice(from, to));
    const before = tokens.slice(from, index).reduce((sum, token) => sum + token.bytes.length, 0);
    try {
      const pieces = await api.merges(model, text, controller.signal);
      let at = 0;
      const encoder = new TextEncoder();
      const piece = pieces.find((one) => {
        at += encoder.encode(one.text).length;
        return at > before;
      });
      if (piece) this.#replay(place, piece);
    } catch (error) {
      if (controller.signal.aborted) return;
      replace(place, h('p', { class: 'note' }, explain(/** @type {any} */ (error))));
    }
  }

  /** @param {any} place @param {{text: string, steps: number[][]}} piece */
  #replay(place, piece) {
    const steps = replay(piece.text, piece.steps);
    const heading = h('h3', {}, 'How it was merged');
    if (steps.length < 2) {
      replace(place, heading, h('p', { class: 'note' }, 'Nothing to merge: it stands in the vocabulary as it is.'));
      return;
    }
    const decoder = new TextDecoder();
    const show = (/** @type {number[]} */ bytes) => {
      const text = decoder.decode(new Uint8Array(bytes));
      return text.includes('�') ? bytes.map(hex).join(' ') : drawn(text);
    };
    const line = h('div', { class: 'units' });
    const said = h('p', { class: 'sentence' });
    const slider = h('input', { type: 'range', min: 0, max: steps.length - 1, step: 1, value: String(steps.length - 1),
      'aria-label': 'Merges done', on: { input: () => draw(Number(slider.value)) } });
    const draw = (/** @type {number} */ at) => {
      slider.value = String(at);
      const step = steps[at];
      replace(line, step.units.map((unit) => h('span', { class: `unit${unit.merged ? ' merged' : ''}` },
        h('code', {}, show(unit.bytes)), h('small', {}, unit.id))));
      said.textContent = at === 0
        ? `Before any merge: ${counted(step.units.length, 'unit')}.`
        : `Merge ${at} of ${steps.length - 1}: ${step.left ? show(step.left.bytes) : ''} and ${step.right ? show(step.right.bytes) : ''} become one.`;
      slider.setAttribute('aria-valuetext', said.textContent);
    };
    const play = h('button', { class: 'quiet', on: { click: () => {
      clearInterval(this.timer);
      if (play.textContent === 'Pause') {
        play.textContent = 'Play';
        return;
      }
      play.textContent = 'Pause';
      let at = Number(slider.value) >= steps.length - 1 ? 0 : Number(slider.value);
      draw(at);
      this.timer = window.setInterval(() => {
        at += 1;
        draw(at);
        if (at >= steps.length - 1) {
          clearInterval(this.timer);
          play.textContent = 'Play';
        }
      }, 700);
    } } }, 'Play');
    replace(place, heading, line, h('div', { class: 'replay' }, slider, play), said);
    draw(steps.length - 1);
  }
}
