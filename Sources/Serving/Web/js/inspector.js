// @ts-check
// One token closely: what else was likely, how sure the model was, what the sampler cut.

import { h, replace, icon, icons } from './dom.js';
import { funnel } from './sampler.js';
import { bits, drawn, drawnToken, hex, percent, probability, spoken } from './tokens.js';
import { counted, fixed } from './words.js';
import { say } from './shell.js';

/**
 * @typedef {import('./tokens.js').TokenInfo} TokenInfo
 * @typedef {import('./sampler.js').Cuts} Cuts
 * @typedef {{token: TokenInfo, position: number, vocabulary: number, cuts: Cuts, model: string,
 * fork: ((id: number) => void) | null, use: (cuts: Cuts) => void, back: () => void}} Subject
 */

/** @type {{name: keyof Cuts, label: string, min: number, max: number, step: number}[]} */
const knobs = [
  { name: 'temperature', label: 'Temperature', min: 0, max: 2, step: 0.05 },
  { name: 'top_k', label: 'Top-k', min: 0, max: 50, step: 1 },
  { name: 'top_p', label: 'Top-p', min: 0.01, max: 1, step: 0.01 },
  { name: 'min_p', label: 'Min-p', min: 0, max: 0.5, step: 0.01 },
];

export class Inspector {
  /** @param {any} place an aside */
  constructor(place) {
    this.place = place;
    /** @type {Subject | null} */
    this.subject = null;
    this.marked = -1;
    place.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape') this.close();
    });
  }

  /** @param {Subject} subject */
  show(subject) {
    this.subject = subject;
    /** @type {Cuts} */
    this.cuts = { ...subject.cuts };
    this.marked = -1;
    this.place.hidden = false;
    const { token } = subject;
    const top = token.top ?? [];
    this.list = h('ol', { class: 'alternatives' });
    this.stages = h('ol', { class: 'stages' });
    this.note = h('p', { class: 'note' });
    replace(
      this.place,
      h('header', {},
        h('h2', {}, h('span', { class: 'visually-hidden' }, 'Token '), h('code', { class: 'chip big' }, drawnToken(token))),
        h('button', { class: 'quiet round', 'aria-label': 'Close the token', on: { click: () => this.close() } }, icon(icons.close))),
      h('p', { class: 'sentence' }, sentence(token)),
      facts(token),
      top.length > 0 && [
        h('h3', {}, 'What could have come here'),
        h('p', { class: 'note' }, subject.fork ? 'Choose another to go on from it.' : 'The likeliest.',
          h('span', { class: 'keys' }, ' Keys: ← → tokens, ↑ ↓ others, ↵ goes on from one.')),
        this.list,
        h('h3', {}, 'What the sampler leaves'),
        this.stages, this.note,
        h('div', { class: 'actions' },
          h('button', { class: 'quiet', on: { click: () => { this.cuts = { ...subject.cuts }; this.#knobs(); this.#draw(); } } }, 'Reset'),
          h('button', { class: 'quiet', on: { click: () => subject.use({ ...this.cutsNow }) } }, 'Use these in the column')),
      ]);
    if (top.length === 0) return;
    this.#knobs();
    this.#draw();
  }

  get cutsNow() {
    return /** @type {Cuts} */ (this.cuts);
  }

  /**
   * The alternative before or after, marked and said.
   * @param {number} step
   */
  mark(step) {
    const top = this.subject?.token.top ?? [];
    if (top.length === 0) return;
    this.marked = Math.max(0, Math.min(top.length - 1, this.marked + step));
    this.#draw();
    const { text, logprob } = top[this.marked];
    say(`${this.marked + 1}: ${spoken(text)}, ${percent(Math.exp(logprob))}`);
    this.list.querySelectorAll('.choice')[this.marked]?.scrollIntoView({ block: 'nearest' });
  }

  /** Forks at what is marked. */
  enter() {
    const alternative = this.subject?.token.top?.[this.marked];
    if (alternative && alternative.id !== this.subject?.token.id) this.subject?.fork?.(alternative.id);
  }

  close() {
    const subject = this.subject;
    this.subject = null;
    this.place.hidden = true;
    replace(this.place);
    subject?.back();
  }

  #knobs() {
    replace(this.stages, knobs.map((knob) => {
      const output = h('output', {});
      const input = h('input', { type: 'range', min: knob.min, max: knob.max, step: knob.step,
        value: String(this.cutsNow[knob.name]), 'aria-label': knob.label,
        on: { input: () => { this.cutsNow[knob.name] = Number(input.value); this.#draw(); } } });
      return h('li', {},
        h('span', { class: 'name' }, knob.label), output, input,
        h('span', { class: 'mass', 'aria-hidden': 'true' }, h('span', {})), h('small', {}));
    }));
  }

  #draw() {
    const subject = /** @type {Subject} */ (this.subject);
    const { token } = subject;
    const result = funnel(token.top ?? [], this.cutsNow, subject.vocabulary);
    const about = result.isExact ? '' : 'about ';
    result.stages.forEach((stage, i) => {
      const row = this.stages.children[i];
      row.querySelector('output').textContent = setting(knobs[i].name, this.cutsNow[knobs[i].name]);
      row.querySelector('.mass > span').style.width = `${stage.mass * 100}%`;
      row.querySelector('small').textContent =
        `leaves ${about}${counted(stage.count, 'token')}, ${percent(stage.mass)}`;
    });
    this.note.textContent = result.isExact ? '' :
      'Only the likeliest tokens are known to the page: what lies beyond is estimated.';
    const widest = Math.max(...result.rows.map((row) => Math.max(row.before, row.after)));
    /** @type {any[]} */
    const rows = [];
    result.rows.forEach(({ candidate, before, after, verdict }, i) => {
      if (verdict !== '' && verdict !== result.rows[i - 1]?.verdict) {
        rows.push(h('li', { class: 'divider', 'aria-hidden': 'true' }, `cut by ${verdict}`));
      }
      rows.push(this.#row(candidate, before / widest, after / widest, verdict, i));
    });
    replace(this.list, rows);
    const isListed = (token.top ?? []).some((alternative) => alternative.id === token.id);
    if (!isListed && token.logprob != null) {
      this.list.append(h('li', { class: 'written far' }, h('div', { class: 'row' },
        h('code', {}, drawnToken(token)), h('span', { class: 'bar' }),
        h('span', { class: 'value' }, percent(Math.exp(token.logprob))),
        h('small', {}, `written, rank ${((token.rank ?? 0) + 1).toLocaleString('en')}`))));
    }
  }

  /**
   * @param {import('./sampler.js').Candidate} candidate
   * @param {number} before its share of the widest bar, as the model has it
   * @param {number} after the same, as the sampler draws
   * @param {string} verdict
   * @param {number} place
   */
  #row(candidate, before, after, verdict, place) {
    const subject = /** @type {Subject} */ (this.subject);
    const isWritten = candidate.id === subject.token.id;
    const chance = percent(Math.exp(candidate.logprob));
    const bar = h('span', { class: 'bar', 'aria-hidden': 'true' }, h('span', { class: 'before' }), h('span', { class: 'after' }));
    bar.children[0].style.width = `${before * 100}%`;
    bar.children[1].style.width = `${after * 100}%`;
    const content = [h('code', {}, drawn(candidate.text) || '∅'), bar, h('span', { class: 'value' }, chance),
      h('small', {}, isWritten ? 'written' : '')];
    const names = ['choice', isWritten && 'written', verdict !== '' && 'cut', place === this.marked && 'marked'];
    const spokenName = `${spoken(candidate.text)}, ${chance}${verdict !== '' ? `, cut by ${verdict}` : ''}`;
    const canFork = subject.fork && !isWritten;
    return h('li', { class: names.filter(Boolean).join(' ') }, canFork
      ? h('button', { 'aria-label': `Go on from: ${spokenName}`, on: { click: () => subject.fork?.(candidate.id) } }, content)
      : h('div', { class: 'row' }, content));
  }
}

/** @param {keyof Cuts} name @param {number} value */
function setting(name, value) {
  if (name === 'temperature') return value === 0 ? '0, the likeliest' : fixed(value, 2);
  if (name === 'top_k') return value === 0 ? 'off' : String(value);
  if (name === 'top_p') return value >= 1 ? 'off' : fixed(value, 2);
  return value === 0 ? 'off' : fixed(value, 2);
}

/** @param {TokenInfo} token */
function sentence(token) {
  const chance = probability(token.logprob);
  const surprise = bits(token);
  if (chance === null || surprise === null) {
    return token.isPrompt ? 'Nothing predicted this token: it stands first.' : 'The model did not write this token.';
  }
  const rank = token.rank == null ? '' : token.rank === 0 ? ', the likeliest of all' : `, number ${(token.rank + 1).toLocaleString('en')} of all`;
  return `The model gave it ${percent(chance)}${rank}.`;
}

/** @param {TokenInfo} token */
function facts(token) {
  const surprise = bits(token);
  /** @type {[string, string][]} */
  const rows = [['Id', String(token.id)], ['Bytes', token.bytes.map(hex).join(' ') || 'none']];
  if (token.special) rows.push(['Kind', 'special token']);
  if (surprise !== null) rows.push(['Surprise', `${fixed(surprise, 2)} bits`]);
  if (token.entropy != null) rows.push(['Entropy', `${fixed(token.entropy / Math.LN2, 2)} bits expected`]);
  if (token.kept) rows.push(['Drawn from', counted(token.kept, 'token')]);
  return h('dl', { class: 'facts' }, rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

