// @ts-check
// What all pages share: the switch of light and dark, what is said aloud, dialogs, the list of models.

import { h, find, replace } from './dom.js';
import { models } from './api.js';
import { families } from './families.js';
import { explain, short } from './words.js';

/** @typedef {import('./api.js').ModelInfo} ModelInfo */

const themes = ['auto', 'light', 'dark'];

/** The switch, and what another tab switches. */
export function startShell() {
  const button = find('theme');
  const root = document.documentElement;
  const show = () => {
    button.textContent = { auto: 'Auto', light: 'Light', dark: 'Dark' }[root.dataset.theme ?? 'auto'];
  };
  button.addEventListener('click', () => {
    const now = themes.indexOf(root.dataset.theme ?? 'auto');
    const next = themes[(now + 1) % themes.length];
    apply(next);
    show();
    say(`Colours: ${next}`);
    try {
      localStorage.setItem('lyceum.theme', next);
    } catch {
      // The choice then holds for this page only.
    }
  });
  addEventListener('storage', (event) => {
    if (event.key !== 'lyceum.theme') return;
    apply(event.newValue ?? 'auto');
    show();
  });
  show();
}

/** @param {string} theme */
function apply(theme) {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

/**
 * Said by a screen reader, seen by nobody.
 * @param {string} text
 */
export function say(text) {
  find('status').textContent = text;
}

/**
 * An error in words, with what can be done about it.
 * @param {string} text
 * @param {{label: string, act: () => void}} [action]
 */
export function complain(text, action) {
  const place = find('notice');
  const close = () => replace(place);
  replace(
    place,
    h('div', { class: 'notice' },
      h('p', {}, text),
      action && h('button', { class: 'quiet', on: { click: () => { close(); action.act(); } } }, action.label),
      h('button', { class: 'quiet', on: { click: close } }, 'Dismiss')));
}

export function hush() {
  replace(find('notice'));
}

/**
 * The models, or an empty list after an error was told; a server that wants a key is asked with one.
 * @returns {Promise<ModelInfo[]>}
 */
export async function servedModels() {
  try {
    return await models();
  } catch (error) {
    const again = { label: 'Try again', act: () => location.reload() };
    const known = /** @type {any} */ (error);
    if (known.status === 401) askForKey();
    else complain(explain(known), again);
    return [];
  }
}

function askForKey() {
  const input = h('input', { type: 'password', autocomplete: 'off', required: true, 'aria-label': 'Key' });
  const form = h('form', { class: 'actions', on: { submit: (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    sessionStorage.setItem('lyceum.key', input.value);
    location.reload();
  } } }, input, h('button', { class: 'primary' }, 'Use this key'));
  openDialog('This server wants a key', [
    h('p', {}, 'It was started with --api-key. The key stays in this tab.'), form,
  ]);
  input.focus();
}

/**
 * Models grouped by their runs.
 * @param {ModelInfo[]} list
 * @param {string} chosen
 */
export function modelOptions(list, chosen) {
  /** @param {ModelInfo} model */
  const option = (model) => h('option', { value: model.id, selected: model.id === chosen }, model.id);
  return families(list).flatMap((family) => {
    const options = family.stages.flatMap((stage) => [stage.model, ...stage.checkpoints].map(option));
    return family.name === '' ? options : [h('optgroup', { label: family.name }, options)];
  });
}

/** @param {ModelInfo} model */
export function modelFacts(model) {
  const facts = [model.kind === 'base' ? 'base model' : 'chat model'];
  if (model.parameters > 0) facts.push(`${short(model.parameters)} parameters`);
  facts.push(`context ${model.context.toLocaleString('en')}`);
  if (model.quantisation) facts.push(model.quantisation);
  return facts.join(' · ');
}

/**
 * A dialog that closes by Escape, its button or a click beside it.
 * @param {string} title
 * @param {Node[]} content
 */
export function openDialog(title, content) {
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' },
    h('div', { class: 'dialog' },
      h('header', {},
        h('h2', { id: 'dialog-title' }, title),
        h('button', { class: 'quiet', on: { click: () => dialog.close() } }, 'Close')),
      content));
  dialog.addEventListener('click', (/** @type {MouseEvent} */ event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
