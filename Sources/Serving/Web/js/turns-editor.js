// @ts-check
// A conversation that can be edited turn by turn.

import { h, replace, icon, icons } from './dom.js';

/** @typedef {{role: string, content: string}} Message */

const roles = ['system', 'user', 'assistant', 'tool'];

export class TurnsEditor {
  /** @param {any} place @param {(messages: Message[]) => void} changed */
  constructor(place, changed) {
    this.changed = changed;
    /** @type {Message[]} */
    this.messages = [];
    this.list = h('ol', { class: 'turns' });
    replace(place, this.list,
      h('button', { class: 'quiet add', on: { click: () => this.add() } }, icon(icons.add), 'Add a turn'));
  }

  /** @param {Message[]} messages */
  set(messages) {
    this.messages = messages.map((message) => ({ ...message }));
    if (this.messages.length === 0) this.messages.push({ role: 'user', content: '' });
    replace(this.list, this.messages.map((message) => this.#turn(message)));
  }

  /** A turn of the other side, ready to be written. */
  add() {
    const last = this.messages[this.messages.length - 1]?.role;
    const message = { role: last === 'user' ? 'assistant' : 'user', content: '' };
    this.messages.push(message);
    const turn = this.#turn(message);
    this.list.append(turn);
    turn.querySelector('textarea').focus();
    this.changed(this.messages);
  }

  focusLast() {
    const texts = this.list.querySelectorAll('textarea');
    texts[texts.length - 1]?.focus();
  }

  /** @param {Message} message */
  #turn(message) {
    const names = roles.includes(message.role) ? roles : [...roles, message.role];
    const turn = h('li', { class: `turn ${message.role}` },
      h('div', { class: 'turn-head' },
        h('select', { 'aria-label': 'Role', on: { change: (/** @type {any} */ event) => {
          message.role = event.target.value;
          turn.className = `turn ${message.role}`;
          this.changed(this.messages);
        } } }, names.map((role) => h('option', { value: role, selected: role === message.role }, role)))),
      h('button', { class: 'quiet round', 'aria-label': 'Remove this turn', on: { click: () => {
          const at = this.messages.indexOf(message);
          this.messages.splice(at, 1);
          turn.remove();
          if (this.messages.length === 0) this.set([]);
          this.list.children[Math.min(at, this.list.children.length - 1)]?.querySelector('textarea').focus();
          this.changed(this.messages);
        } } }, icon(icons.close)));
    const text = h('textarea', { rows: 1, 'aria-label': 'Text of the turn', dir: 'auto', spellcheck: 'false', value: message.content,
        on: { input: (/** @type {any} */ event) => {
          message.content = event.target.value;
          grow(event.target);
          this.changed(this.messages);
        } } });
    turn.firstChild.after(text);
    requestAnimationFrame(() => grow(text));
    return turn;
  }
}

/**
 * As high as its text, where the browser does not do it by itself.
 * @param {any} area
 */
export function grow(area) {
  if (CSS.supports('field-sizing', 'content')) return;
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight + 2}px`;
}
