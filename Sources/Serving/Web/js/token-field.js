// @ts-check
// Very many tokens to look at and walk through: rows in blocks, of which only those near view exist.

import { h, replace } from './dom.js';
import { segments } from './graphemes.js';
import { rows } from './rows.js';
import { drawn, hex, spoken, visible } from './tokens.js';

/**
 * @typedef {import('./tokens.js').TokenInfo} TokenInfo
 * @typedef {import('./graphemes.js').Segment} Segment
 * @typedef {{element: any, rows: import('./rows.js').Row[], key: string, isFilled: boolean}} Block
 * @typedef {{text: 'text' | 'ids', spaces: boolean}} Look
 */

const rowsInBlock = 20;
const rowHeight = 2.1;

/** Lets the page paint and take input. */
export function breath() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

export class TokenField {
  /** @param {string} label @param {(index: number) => void} choose */
  constructor(label, choose) {
    this.label = label;
    this.onChoose = choose;
    this.element = h('div', { class: 'field', role: 'listbox', 'aria-label': label, 'aria-orientation': 'horizontal' });
    /** @type {TokenInfo[]} */
    this.tokens = [];
    /** @type {Segment[]} */
    this.segments = [];
    /** @type {Block[]} */
    this.blocks = [];
    /** @type {Look} */
    this.look = { text: 'text', spaces: false };
    /** @type {Set<number> | null} tokens whose end another tokenizer does not share */
    this.differing = null;
    this.chosen = -1;
    this.stop = 0;
    this.version = 0;
    this.columns = 0;
    /** @type {any} */
    this.ruler = null;
    this.observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const block = this.blocks.find((one) => one.element === entry.target);
        if (block && entry.isIntersecting) this.#fill(block);
      }
    }, { root: this.element, rootMargin: '300px' });
    new ResizeObserver(() => {
      const columns = this.#measure();
      if (columns === this.columns) return;
      this.columns = columns;
      if (this.segments.length > 0) this.#layout();
    }).observe(this.element);
    this.element.addEventListener('click', (/** @type {any} */ event) => {
      const option = event.target.closest('[data-i]');
      if (option) this.choose(Number(option.dataset.i));
    });
    this.element.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => this.#key(event));
  }

  /**
   * @param {TokenInfo[]} tokens
   * @param {Segment[] | null} known where they were found elsewhere
   */
  async show(tokens, known) {
    const version = ++this.version;
    const found = known ?? segments(tokens);
    if (tokens.length > 20_000) await breath();
    if (version !== this.version) return;
    this.tokens = tokens;
    this.segments = found;
    if (this.chosen >= tokens.length) this.chosen = -1;
    this.stop = Math.min(this.stop, Math.max(0, tokens.length - 1));
    this.#layout();
  }

  /** @param {Look} look */
  setLook(look) {
    this.look = look;
    for (const block of this.blocks) block.key = '';
    this.#layout();
  }

  /** @param {Set<number> | null} differing */
  setDiffering(differing) {
    this.differing = differing;
    for (const block of this.blocks) if (block.isFilled) this.#fill(block, true);
  }

  #measure() {
    this.ruler ??= h('span', { class: 'ruler', 'aria-hidden': 'true' }, '0'.repeat(20));
    if (!this.ruler.isConnected) this.element.append(this.ruler);
    const letter = this.ruler.getBoundingClientRect().width / 20 || 9;
    const style = getComputedStyle(this.element);
    const room = this.element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return Math.max(8, Math.floor(room / letter));
  }

  #layout() {
    // Measured when its size changes, not at every key: that would lay out the page once more.
    if (this.columns === 0) this.columns = this.#measure();
    const laid = this.look.text === 'ids'
      ? rows(this.segments.map((segment) => ({ ...segment, text: this.#ids(segment) })), this.columns, 0.7)
      : rows(this.segments, this.columns, 0.25);
    /** @type {import('./rows.js').Row[][]} */
    const groups = [];
    for (let i = 0; i < laid.length; i += rowsInBlock) groups.push(laid.slice(i, i + rowsInBlock));
    const hadFocus = this.element.contains(document.activeElement);
    // Blocks before an edit and of the same content stay as they are.
    groups.forEach((group, i) => {
      const key = this.#key_(group);
      const old = this.blocks[i];
      if (old && old.key === key) {
        old.rows = group;
        return;
      }
      if (old) {
        Object.assign(old, { rows: group, key });
        old.element.style.containIntrinsicBlockSize = `auto ${group.length * rowHeight}rem`;
        if (old.isFilled) this.#fill(old, true);
        return;
      }
      const element = h('div', { class: 'block', role: 'presentation' });
      element.style.containIntrinsicBlockSize = `auto ${group.length * rowHeight}rem`;
      element.style.minBlockSize = `${group.length * rowHeight}rem`;
      this.blocks.push({ element, rows: group, key, isFilled: false });
      this.element.append(element);
      this.observer.observe(element);
    });
    for (const gone of this.blocks.splice(groups.length)) {
      this.observer.unobserve(gone.element);
      gone.element.remove();
    }
    if (this.blocks[0]) this.#fill(this.blocks[0]);
    if (this.tokens.length > 0) this.option(this.stop)?.setAttribute('tabindex', '0');
    if (hadFocus && !this.element.contains(document.activeElement)) this.option(this.stop)?.focus();
  }

  /**
   * What decides how a block looks.
   * @param {import('./rows.js').Row[]} group
   */
  #key_(group) {
    const from = this.segments[group[0].from];
    const last = this.segments[group[group.length - 1].to - 1];
    let hash = from.from;
    for (let i = from.from; i < last.to; i++) hash = (Math.imul(hash, 31) + this.tokens[i].id) | 0;
    return `${from.from} ${last.to} ${hash} ${group.map((row) => row.to - row.from).join()}`;
  }

  /** @param {Segment} segment */
  #ids(segment) {
    let text = '';
    for (let i = segment.from; i < segment.to; i++) text += (i > segment.from ? ' ' : '') + this.tokens[i].id;
    return text;
  }

  /** @param {Block} block @param {boolean} [again] */
  #fill(block, again = false) {
    if (block.isFilled && !again) return;
    block.isFilled = true;
    replace(block.element, block.rows.map((row) => {
      const line = h('div', { class: 'row', role: 'presentation' });
      for (let s = row.from; s < row.to; s++) this.#append(line, this.segments[s]);
      return line;
    }));
    block.element.style.minBlockSize = '';
  }

  /** @param {any} line @param {Segment} segment */
  #append(line, segment) {
    for (let i = segment.from; i < segment.to; i++) {
      const token = this.tokens[i];
      const isWhole = segment.to - segment.from === 1;
      const isRest = i > segment.from;
      const names = `t h${i % 4}${token.special ? ' special' : ''}${isRest ? ' rest' : ''}` +
        (this.differing?.has(i) ? ' differs' : '');
      const text = token.special ? token.text : segment.text;
      const said = (token.special ? `special token ${token.text}` : spoken(text)) +
        (isWhole ? '' : `, bytes ${token.bytes.map(hex).join(' ')}`) + `, ${token.id}`;
      const option = document.createElement('span');
      option.className = names;
      option.setAttribute('role', 'option');
      option.setAttribute('tabindex', i === this.stop ? '0' : '-1');
      option.setAttribute('aria-selected', i === this.chosen ? 'true' : 'false');
      option.setAttribute('aria-label', said);
      option.dataset.i = String(i);
      if (this.look.text === 'ids') option.textContent = String(token.id);
      else if (!isRest) option.textContent = this.#shown(text);
      line.append(option);
    }
  }

  /** @param {string} text */
  #shown(text) {
    if (text === '') return '∅';
    if (this.look.spaces) return drawn(text);
    // A line ends by the row, so that its mark is all there is to see.
    return visible(text).replace(/\n/g, '↵').replace(/\t/g, '→   ');
  }

  /**
   * The element of a token, made if need be.
   * @param {number} index
   */
  option(index) {
    const block = this.blocks.find((one) => {
      const last = one.rows[one.rows.length - 1];
      return this.segments[last.to - 1].to > index;
    });
    if (!block) return null;
    this.#fill(block);
    return block.element.querySelector(`[data-i="${index}"]`);
  }

  /** @param {number} index @param {{focus?: boolean, quiet?: boolean}} [how] */
  choose(index, how = {}) {
    const { focus = true, quiet = false } = how;
    if (index < 0 || index >= this.tokens.length) return;
    const before = this.chosen >= 0 ? this.option(this.chosen) : null;
    before?.setAttribute('aria-selected', 'false');
    this.option(this.stop)?.setAttribute('tabindex', '-1');
    this.chosen = index;
    this.stop = index;
    const option = this.option(index);
    option?.setAttribute('aria-selected', 'true');
    option?.setAttribute('tabindex', '0');
    if (focus) option?.focus();
    if (!quiet) this.onChoose(index);
  }

  release() {
    if (this.chosen >= 0) this.option(this.chosen)?.setAttribute('aria-selected', 'false');
    this.chosen = -1;
  }

  /** @param {number} index @param {number} step rows down or up */
  #vertical(index, step) {
    const here = this.option(index);
    const line = here?.parentElement;
    if (!line) return index;
    let next = step > 0 ? line.nextElementSibling : line.previousElementSibling;
    if (!next) {
      const block = this.blocks[this.blocks.findIndex((one) => one.element === line.parentElement) + step];
      if (!block) return step > 0 ? this.tokens.length - 1 : 0;
      this.#fill(block);
      next = step > 0 ? block.element.firstElementChild : block.element.lastElementChild;
    }
    const left = here.getBoundingClientRect().left;
    let best = index;
    let distance = Infinity;
    for (const option of next?.querySelectorAll('[data-i]') ?? []) {
      const away = Math.abs(option.getBoundingClientRect().left - left);
      if (away < distance) {
        distance = away;
        best = Number(option.dataset.i);
      }
    }
    return best;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.metaKey) return;
    const from = Number(/** @type {any} */ (event.target).dataset?.i);
    if (Number.isNaN(from)) return;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowRight: () => this.choose(from + 1),
      ArrowLeft: () => this.choose(from - 1),
      ArrowDown: () => this.choose(this.#vertical(from, 1)),
      ArrowUp: () => this.choose(this.#vertical(from, -1)),
      Home: () => this.choose(0),
      End: () => this.choose(this.tokens.length - 1),
      Enter: () => this.choose(from),
      ' ': () => this.choose(from),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
