// @ts-check
// A column: a model with its sampling, the prompt as it reads it, and what it writes.

import { h, replace, icon, icons } from './dom.js';
import { Ribbon } from './ribbon.js';
import { samplingWords } from './exports.js';
import { limits, number } from './state.js';
import { prefixTree, sharedLength } from './tree.js';
import { textOf, totals } from './tokens.js';
import { canGoOn, counted, duration, ending, fixed, speed } from './words.js';
import { modelFacts, modelOptions } from './shell.js';

/**
 * @typedef {import('./runner.js').Runner} Runner
 * @typedef {import('./runner.js').Sample} Sample
 * @typedef {import('./state.js').ColumnState} ColumnState
 * @typedef {import('./api.js').ModelInfo} ModelInfo
 * @typedef {import('./tokens.js').TokenInfo} TokenInfo
 * @typedef {{models: () => ModelInfo[], changed: () => void, rerun: (column: Column) => void,
 * remove: (column: Column) => void, goOn: (column: Column, sample: Sample) => void,
 * adopt: (column: Column, sample: Sample) => void, layout: () => 'cards' | 'tree',
 * choose: (column: Column, sample: Sample | null, token: TokenInfo, place: number, ribbon: Ribbon) => void,
 * alternative: (step: number) => void, enter: () => void, close: () => void,
 * canReply: () => boolean, reference: (column: Column) => TokenInfo[] | null}} Page
 */

/** @type {[keyof ColumnState & keyof typeof limits, string, string][]} */
const fields = [
  ['temperature', 'Temperature', '0 takes the likeliest token'],
  ['top_k', 'Top-k', '0 for all'],
  ['top_p', 'Top-p', '1 for all'],
  ['min_p', 'Min-p', '0 for all'],
];

export class Column {
  /** @param {ColumnState} settings @param {Runner} runner @param {Page} page */
  constructor(settings, runner, page) {
    this.settings = settings;
    this.runner = runner;
    this.page = page;
    /** @type {Map<Sample, {card: any, ribbon: Ribbon, foot: any, head: any, actions: any, state: string}>} */
    this.cards = new Map();
    this.element = h('section', { class: 'column' });
    /** @type {{ribbon: Ribbon, summary: any, box: any, tokens: TokenInfo[] | null} | null} */
    this.prompt = null;
    /** @type {string | null} */
    this.shownError = null;
    /** @type {import('./runner.js').Result | null} */
    this.drawn = null;
    this.treeShape = '';
    this.#frame();
  }

  get model() {
    return this.page.models().find((model) => model.id === this.settings.model);
  }

  #frame() {
    const select = h('select', { class: 'model', 'aria-label': 'Model', on: { change: () => {
      this.settings.model = select.value;
      this.page.changed();
      this.facts.textContent = this.model ? modelFacts(this.model) : '';
    } } }, modelOptions(this.page.models(), this.settings.model));
    if (!this.model) select.prepend(h('option', { value: this.settings.model, selected: true }, `${this.settings.model} (not served)`));
    this.facts = h('p', { class: 'note' }, this.model ? modelFacts(this.model) : 'This model is not served now. Choose another.');
    this.summary = h('summary', {});
    this.inputs = h('div', { class: 'fields' }, fields.map(([name, label, hint]) => {
      const { min, max, step } = limits[name];
      return h('label', {}, label,
        h('input', { type: 'number', min, max, step, inputmode: 'decimal', 'data-name': name,
          value: String(this.settings[name]), on: { change: (/** @type {any} */ event) => {
            this.set({ [name]: number(name, event.target.value) });
          } } }),
        h('small', {}, hint));
    }));
    this.removal = h('button', { class: 'quiet round', 'aria-label': 'Remove this column', on: { click: () => this.page.remove(this) } }, icon(icons.close));
    this.body = h('div', { class: 'answers' });
    this.promptPlace = h('div', {});
    this.trouble = h('div', { role: 'alert' });
    replace(this.element,
      h('header', {}, h('h2', { class: 'visually-hidden' }, 'Model'), select, this.removal), this.facts,
      h('details', { class: 'sampling' }, this.summary, this.inputs),
      this.trouble, this.promptPlace, this.body);
    this.set({});
  }

  /** @param {Partial<ColumnState>} settings */
  set(settings) {
    Object.assign(this.settings, settings);
    this.summary.textContent = samplingWords(this.settings);
    for (const input of this.inputs.querySelectorAll('input')) {
      input.value = String(this.settings[/** @type {keyof ColumnState} */ (input.dataset.name)]);
    }
    this.page.changed();
  }

  /** @param {string} name @param {boolean} isOnly */
  place(name, isOnly) {
    this.element.setAttribute('aria-label', name);
    this.removal.hidden = isOnly;
  }

  /** Shows what the runner has. */
  draw() {
    const { result, error, isRunning } = this.runner;
    this.element.setAttribute('aria-busy', String(isRunning));
    if (error !== this.shownError) {
      this.shownError = error;
      replace(this.trouble, error && h('div', { class: 'notice' }, h('p', {}, error),
        h('button', { class: 'quiet', on: { click: () => this.page.rerun(this) } }, 'Try again')));
    }
    if (!result) {
      this.cards.clear();
      this.prompt = null;
      replace(this.promptPlace);
      replace(this.body, isRunning && h('p', { class: 'note waiting' }, 'Waiting for the server …'));
      this.drawn = null;
      return;
    }
    if (this.drawn !== result) {
      this.drawn = result;
      this.cards.clear();
      this.prompt = null;
      this.treeShape = '';
      replace(this.body);
    }
    this.#drawPrompt(result);
    if (this.page.layout() === 'tree' && result.samples.length > 1) this.#drawTree(result.samples);
    else this.#drawCards(result.samples);
  }

  /** @param {import('./runner.js').Result} result */
  #drawPrompt(result) {
    if (!this.prompt) {
      const ribbon = new Ribbon('Prompt', this.#actions(null));
      const summary = h('summary', {});
      const box = h('details', { class: 'prompt-tokens', open: !result.isChat && result.prompt.length <= 400 }, summary, ribbon.element);
      this.prompt = { ribbon, summary, box, tokens: null };
      // A long prompt is drawn when it is opened.
      box.addEventListener('toggle', () => this.prompt?.tokens && box.open && this.prompt.ribbon.update(this.prompt.tokens));
      replace(this.promptPlace, box);
    }
    if (this.prompt.tokens === result.prompt) return;
    if (this.prompt.tokens) {
      // The same tokens, now with their scores.
      const fresh = new Ribbon('Prompt', this.#actions(null));
      this.prompt.ribbon.element.replaceWith(fresh.element);
      this.prompt.ribbon = fresh;
    }
    this.prompt.tokens = result.prompt;
    if (this.prompt.box.open) this.prompt.ribbon.update(result.prompt);
    const { bitsPerToken } = totals(result.prompt);
    this.prompt.summary.textContent = `Prompt · ${counted(result.prompt.length, 'token')}` +
      (bitsPerToken === null ? '' : ` · ${fixed(bitsPerToken, 1)} bits each`);
  }

  /** @param {Sample | null} sample */
  #actions(sample) {
    const { alternative, enter, close } = this.page;
    return {
      choose: (/** @type {number} */ place) => {
        const ribbon = sample ? this.cards.get(sample)?.ribbon : this.prompt?.ribbon;
        const tokens = sample ? sample.tokens : this.runner.result?.prompt;
        if (ribbon && tokens) this.page.choose(this, sample, tokens[place], place, ribbon);
      },
      alternative, enter, close,
    };
  }

  /** @param {Sample[]} samples */
  #drawCards(samples) {
    if (this.treeShape) {
      this.treeShape = '';
      replace(this.body);
      this.cards.clear();
    }
    samples.forEach((sample, i) => {
      let card = this.cards.get(sample);
      if (!card) {
        card = this.#card(sample);
        this.cards.set(sample, card);
      }
      if (this.body.children[i] !== card.card) this.body.insertBefore(card.card, this.body.children[i] ?? null);
      const state = `${sample.tokens.length} ${sample.end?.reason} ${samples.length}`;
      if (card.state === state) return;
      card.state = state;
      card.ribbon.update(sample.tokens);
      card.head.textContent = samples.length > 1 ? sample.label : '';
      this.#foot(sample, card);
    });
  }

  /** @param {Sample} sample */
  #card(sample) {
    const ribbon = new Ribbon('Written tokens', this.#actions(sample));
    const head = h('h3', {});
    const foot = h('div', { class: 'foot' });
    const actions = h('div', { class: 'actions' });
    const card = h('article', { class: 'card' }, head, ribbon.element, foot, actions);
    return { card, ribbon, foot, head, actions, state: '' };
  }

  /** @param {Sample} sample @param {{foot: any, actions: any}} card */
  #foot(sample, card) {
    const { end, tokens } = sample;
    const words = [counted(tokens.length, 'token')];
    const waits = !end && tokens.length === 0;
    if (waits) words[0] = this.model?.loaded === false ? 'Loading the model; the first time takes longest …' : 'Reading the prompt …';
    else if (this.model) this.model.loaded = true;
    if (end) {
      // The clock runs from the first token; of a few tokens it says nothing.
      const rate = sample.timings && sample.made > 8 && speed(sample.made - 1, sample.timings.decode_ms);
      if (rate) words.push(rate);
      if (sample.firstAfter !== null) words.push(`first after ${duration(sample.firstAfter)}`);
      const { bitsPerToken } = totals(tokens);
      if (bitsPerToken !== null) words.push(`${fixed(bitsPerToken, 1)} bits each`);
      const reference = this.page.reference(this);
      if (reference && this.runner.result?.samples[0] === sample) {
        const shared = sharedLength(reference, tokens);
        words.push(shared === tokens.length && shared === reference.length ? 'the same as the first column' : `parts from the first column at token ${shared + 1}`);
      }
    }
    const used = sample.base + tokens.length;
    const context = this.model?.context ?? 0;
    const meter = h('span', { class: 'meter' }, h('span', {}));
    meter.firstChild.style.width = `${context > 0 ? Math.min(100, (used / context) * 100) : 0}%`;
    replace(card.foot,
      end && h('p', { class: `ending ${end.reason}` }, ending(end.reason, end.message)),
      h('p', { class: 'note' }, words.join(' · ')),
      context > 0 && !waits && h('p', { class: 'note context' }, meter, `${used.toLocaleString('en')} of ${context.toLocaleString('en')} tokens of context`));
    replace(card.actions,
      end && canGoOn(end.reason) && h('button', { class: 'quiet', on: { click: () => this.page.goOn(this, sample) } }, 'Go on'),
      end && tokens.length > 0 && !this.page.canReply() && h('button', { class: 'quiet', on: { click: () => this.page.adopt(this, sample) } },
        this.runner.result?.isChat ? 'Keep and reply' : 'Add to the prompt'));
  }

  /** @param {Sample[]} samples */
  #drawTree(samples) {
    const shape = `${samples.map((s) => s.tokens.length).join()} ${this.runner.isRunning}`;
    if (shape === this.treeShape) return;
    this.treeShape = shape;
    this.cards.clear();
    const words = counted(samples.length, 'sample');
    replace(this.body, h('div', { class: 'tree' },
      h('p', { class: 'note' }, `${words}, ${counted(new Set(samples.map((s) => textOf(s.tokens))).size, 'different text')}`),
      this.#branches(prefixTree(samples.map((sample) => sample.tokens)), samples)));
  }

  /** @param {import('./tree.js').Node[]} nodes @param {Sample[]} samples @returns {any} */
  #branches(nodes, samples) {
    return h('ul', {}, nodes.map((node) => {
      const sample = samples[node.samples[0]];
      const share = `${node.samples.length} of ${samples.length}`;
      /** @type {Ribbon} */
      const ribbon = new Ribbon(`Branch of ${share}`, {
        ...this.#actions(sample),
        choose: (place) => this.page.choose(this, sample, node.tokens[place], node.from + place, ribbon),
      });
      ribbon.update(node.tokens);
      return h('li', {}, h('span', { class: 'share', title: `Samples that share this branch: ${share}` }, `${node.samples.length}×`), ribbon.element,
        node.children.length > 0 && this.#branches(node.children, samples));
    }));
  }
}
