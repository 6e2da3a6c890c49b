// @ts-check
// Taking a page along: code, link, files.

import { copy, download, h, replace } from './dom.js';
import { markdown, readMessages } from './exports.js';
import { toFragment } from './permalink.js';
import { requestOf } from './state.js';
import { body, commandLine, curl, openai } from './snippets.js';
import { openDialog, say } from './shell.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {import('./runner.js').Result} Result
 */

/**
 * A text that can be copied.
 * @param {string} text
 * @param {string} label
 */
export function copyable(text, label) {
  const button = h('button', { class: 'quiet', on: { click: async () => {
    const done = await copy(text);
    button.textContent = done ? 'Copied' : 'Select the text and copy it';
    say(done ? `${label} copied` : '');
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  } } }, 'Copy');
  return h('figure', { class: 'code' },
    h('figcaption', {}, label, button),
    h('pre', { tabindex: 0, 'aria-label': label }, h('code', {}, text)));
}

/** @param {State} state */
export function showCode(state) {
  const place = h('div', {});
  const show = (/** @type {number} */ i) => {
    const request = requestOf(state, state.columns[i]);
    replace(place,
      copyable(curl(request, location.origin), 'curl'),
      copyable(openai(request, location.origin), 'Python, with the openai package'),
      copyable(commandLine(request), 'Command line'),
      copyable(JSON.stringify(body(request), null, 2), 'The request alone'));
  };
  const select = h('select', { on: { change: () => show(select.selectedIndex) } },
    state.columns.map((column, i) => h('option', {}, `${i + 1}: ${column.model}`)));
  show(0);
  openDialog('The same as code', [
    state.columns.length > 1 && h('label', { class: 'inline' }, 'Column', select), place,
  ].filter(Boolean));
}

/**
 * @param {State} state
 * @param {(Result | null)[]} results
 * @param {(value: any) => void} load
 */
export async function showShare(state, results, load) {
  const link = location.origin + location.pathname + (await toFragment(state));
  const note = h('p', { class: 'note', role: 'status' });
  const file = h('input', { type: 'file', accept: '.json,.jsonl,application/json', class: 'visually-hidden',
    'aria-label': 'Open a file', on: { change: async () => {
      const text = await file.files[0]?.text();
      if (text === undefined) return;
      const messages = readMessages(text);
      let value = null;
      try {
        value = JSON.parse(text);
      } catch {
        // Lines of JSON are messages.
      }
      if (messages && !value?.columns) load({ ...state, view: 'chat', messages });
      else if (value && (value.columns || value.state)) load(value.state ?? value);
      else {
        note.textContent = 'That file holds neither a page of the playground nor messages.';
        return;
      }
      dialog.close();
    } } });
  const dialog = openDialog('Share', [
    h('p', {}, 'The link holds the prompt and all settings in its fragment, which no server sees.'),
    copyable(link, 'Link'),
    h('div', { class: 'actions' },
      h('button', { on: { click: () => download('playground.json', 'application/json', JSON.stringify({ state, results }, null, 1)) } }, 'Save as JSON'),
      h('button', { on: { click: () => download('playground.md', 'text/markdown', markdown(state, results)) } }, 'Save as markdown'),
      h('button', { on: { click: () => file.click() } }, 'Open a file'), file),
    note,
  ]);
}
