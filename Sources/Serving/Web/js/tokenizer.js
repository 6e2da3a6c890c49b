// @ts-check
// The tokenizer page: a text or a conversation, the tokens it becomes, and each token closely.

import * as api from './api.js';
import { ChosenToken } from './chosen-token.js';
import { copy, find, h, replace, whenQuiet } from './dom.js';
import { tokenizeLarge } from './large-text.js';
import { fromFragment, toFragment } from './permalink.js';
import { borders } from './rows.js';
import { complain, hush, say, servedModels, startShell } from './shell.js';
import { keep, kept } from './store.js';
import { breath, TokenField } from './token-field.js';
import { hex } from './tokens.js';
import { TurnsEditor } from './turns-editor.js';
import { Vocabulary } from './vocabulary.js';
import { counted, explain, fixed } from './words.js';

/** @typedef {import('./tokens.js').TokenInfo} TokenInfo */

/** Characters from which on a worker does what takes long. */
const large = 20_000;
const storageKey = 'lyceum.tokenizer';
const first = 'How many times does the letter r occur in strawberry?';

/** Texts that show what a tokenizer does. @type {[string, string][]} */
const samples = [
  ['Strawberry', 'strawberry\n Strawberry\nSTRAWBERRY\nstr aw berry'],
  ['Numbers', '127 + 677 = 804\n1275 + 6773 = 8041\n3.11 is smaller than 3.9'],
  ['Code', 'for i in range(1, 101):\n    if i % 15 == 0:\n        print("FizzBuzz")\n    elif i % 3 == 0:\n        print("Fizz")'],
  ['Emoji', 'A family 👩‍👩‍👧‍👦, a flag 🇰🇷, a wave 👋🏽, é and e\u0301.'],
  ['Languages', 'Hello, how are you?\nGrüß Gott, wie geht es Ihnen?\n안녕하세요, 만나서 반가워요.\n由非營利組織\nПривет, как дела?'],
];

/** @type {api.ModelInfo[]} */
let models = [];
/**
 * @type {{view: 'text' | 'chat', text: string, special: boolean, opening: boolean, model: string,
 * other: string, messages: api.Message[], chosen: number}}
 */
let state = { view: 'text', text: first, special: false, opening: true, model: '', other: '', messages: [], chosen: -1 };
/** @type {TokenInfo[]} */
let tokens = [];
/** @type {AbortController | null} */
let asking = null;

const editor = find('text');
const field = new TokenField('Tokens', (index) => chooseToken(index));
const otherField = new TokenField('Tokens of the other', () => {});
const chosen = new ChosenToken(find('chosen'), (index) => field.choose(index));
const vocabulary = new Vocabulary(find('vocabulary-place'));
const turns = new TurnsEditor(find('turns'), (messages) => {
  state.messages = messages;
  update();
});
const save = whenQuiet(400, () => keep(storageKey, state, (value) => ({ ...value, text: value.text.slice(0, 500_000) })));
const soon = whenQuiet(180, () => encode());

/** At once for a page of text; for a book, when the typing pauses. */
function update() {
  save();
  const size = state.view === 'text' ? state.text.length : 0;
  if (size > large) soon();
  else soon.now();
}

/**
 * @param {string} model
 * @param {AbortSignal} signal
 * @returns {Promise<{tokens: TokenInfo[], segments: import('./graphemes.js').Segment[] | null}>}
 */
async function tokensOf(model, signal) {
  const { view, messages, text, special, opening } = state;
  if (view === 'text' && text === '') return { tokens: [], segments: [] };
  const body = view === 'chat'
    ? { model, messages, add_generation_prompt: opening }
    : { model, content: text, add_special: false, parse_special: special };
  if (view === 'text' && text.length > large) return tokenizeLarge(body, signal);
  return { tokens: (await api.tokenize(body, signal)).tokens, segments: null };
}

async function encode() {
  asking?.abort();
  const controller = new AbortController();
  asking = controller;
  if (state.model === '') return;
  try {
    const found = await tokensOf(state.model, controller.signal);
    if (found.tokens.length > large) await breath();
    if (controller.signal.aborted) return;
    tokens = found.tokens;
    hush();
    showCounts();
    await field.show(tokens, found.segments);
    if (controller.signal.aborted) return;
    if (state.chosen >= 0 && state.chosen < tokens.length) {
      field.choose(state.chosen, { focus: false, quiet: true });
      chosen.show(state.model, tokens, field.segments, state.chosen);
    } else {
      state.chosen = -1;
      chosen.hide();
    }
    find('field-note').hidden = tokens.length > 0;
    await compare(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) complain(explain(/** @type {any} */ (error)), { label: 'Try again', act: () => encode() });
  }
}

/** @param {AbortSignal} signal */
async function compare(signal) {
  find('comparison').hidden = state.other === '';
  if (state.other === '') {
    field.setDiffering(null);
    return;
  }
  const { tokens: others, segments } = await tokensOf(state.other, signal);
  await breath();
  if (signal.aborted) return;
  const mine = borders(tokens);
  const theirs = borders(others);
  field.setDiffering(outside(tokens, theirs));
  await otherField.show(others, segments);
  otherField.setDiffering(outside(others, mine));
  let shared = 0;
  for (const border of mine) if (theirs.has(border)) shared++;
  const bytes = others.reduce((sum, token) => sum + token.bytes.length, 0);
  const fewer = tokens.length === others.length ? 'Both need as many tokens.'
    : `${tokens.length < others.length ? 'The first' : 'The other'} needs ${counted(Math.abs(tokens.length - others.length), 'token')} fewer.`;
  find('comparison-note').textContent =
    `${counted(others.length, 'token')}, ${fixed(bytes / Math.max(1, others.length), 2)} bytes each. ${fewer} ` +
    `${counted(shared, 'border')} in the same place; borders that only one of them has are dashed.`;
}

/**
 * Tokens that end where the other tokenizer has no border.
 * @param {TokenInfo[]} list
 * @param {Set<number>} other
 */
function outside(list, other) {
  const found = new Set();
  let at = 0;
  list.forEach((token, i) => {
    at += token.bytes.length;
    if (!other.has(at)) found.add(i);
  });
  return found;
}

function showCounts() {
  let bytes = 0;
  for (const token of tokens) bytes += token.special ? 0 : token.bytes.length;
  const text = state.view === 'text' ? state.text : state.messages.map((message) => message.content).join('');
  let characters = 0;
  for (const _ of text) characters++;
  find('count').textContent = tokens.length.toLocaleString('en');
  find('count-word').textContent = tokens.length === 1 ? 'token' : 'tokens';
  const facts = [counted(characters, 'character'), counted(bytes, 'byte')];
  if (tokens.length > 0) facts.push(`${fixed(bytes / tokens.length, 2)} bytes a token`);
  const special = tokens.filter((token) => token.special).length;
  if (special > 0) facts.push(counted(special, 'special token'));
  find('count-facts').textContent = facts.join(' · ');
}

/** @param {number} index */
function chooseToken(index) {
  state.chosen = index;
  chosen.show(state.model, tokens, field.segments, index);
  save();
}

/** One entry for every tokenizer, however many models share it. */
function tokenizers() {
  /** @type {Map<string, api.ModelInfo[]>} */
  const groups = new Map();
  for (const model of models) groups.set(model.tokenizer, [...(groups.get(model.tokenizer) ?? []), model]);
  return [...groups.values()].map((group) => ({
    // A model that can chat has a template for turns.
    model: (group.find((model) => model.kind === 'chat') ?? group[0]).id,
    name: group[0].id + (group.length > 1 ? ` and ${group.length - 1} more` : ''),
    vocabulary: group[0].vocabulary,
    ids: group.map((model) => model.id),
  }));
}

function showTokenizers() {
  const list = tokenizers();
  const current = list.find((one) => one.ids.includes(state.model)) ?? list[0];
  state.model = current?.model ?? '';
  const option = (/** @type {any} */ one, /** @type {string} */ now) =>
    h('option', { value: one.model, selected: one.model === now }, `${one.name} · ${one.vocabulary.toLocaleString('en')}`);
  replace(find('tokenizer'), list.map((one) => option(one, state.model)));
  const others = list.filter((one) => one.model !== state.model);
  if (!others.some((one) => one.model === state.other)) state.other = '';
  replace(find('other'), h('option', { value: '' }, 'nothing'), others.map((one) => option(one, state.other)));
  find('compare').hidden = others.length === 0;
  vocabulary.setModel(state.model);
  if (find('vocabulary').open) vocabulary.load();
  showInfo();
}

async function showInfo() {
  const model = state.model;
  if (model === '') return;
  try {
    const info = await api.tokenizerInfo(model);
    if (model !== state.model) return;
    replace(find('info'),
      h('p', {}, `Byte-pair encoding over ${info.kind === 'characters' ? 'characters' : 'bytes'}, ${counted(info.vocabulary, 'token')}.`),
      info.pattern ? h('p', {}, 'Text is first cut by this pattern; merges never cross its cuts. ', h('code', {}, info.pattern)) : null,
      info.special.length > 0 ? h('p', {}, 'Special tokens: ') : null,
      h('ul', { class: 'specials' }, info.special.map((special) =>
        h('li', {}, h('code', { class: 't special' }, special.text), ' ', h('small', {}, special.id)))));
  } catch {
    replace(find('info'), h('p', { class: 'note' }, 'The server tells nothing about this tokenizer.'));
  }
}

function showState() {
  const isChat = state.view === 'chat';
  find(isChat ? 'view-chat' : 'view-text').checked = true;
  find('text-view').hidden = isChat;
  find('turns-view').hidden = !isChat;
  if (editor.value !== state.text) editor.value = state.text;
  find('special').checked = state.special;
  find('opening').checked = state.opening;
  if (isChat) {
    turns.set(state.messages.length > 0 ? state.messages : [
      { role: 'user', content: 'What is 2 + 2?' }, { role: 'assistant', content: '2 + 2 = 4' },
      { role: 'user', content: 'What if it was *?' }, { role: 'assistant', content: '2 * 2 = 4, same as 2 + 2!' },
    ]);
    state.messages = turns.messages;
  }
}

/** @param {string} text */
function setText(text) {
  state.text = text;
  state.view = 'text';
  state.chosen = -1;
  showState();
  update();
}

const copies = {
  'copy-ids': () => JSON.stringify(tokens.map((token) => token.id)),
  'copy-python': () => `ids = [${tokens.map((token) => token.id).join(', ')}]`,
  'copy-bytes': () => tokens.map((token) => token.bytes.map((byte) => '\\x' + hex(byte)).join('')).join('\n'),
};

function listen() {
  editor.addEventListener('input', () => {
    state.text = editor.value;
    update();
  });
  find('special').addEventListener('change', () => { state.special = find('special').checked; update(); });
  find('opening').addEventListener('change', () => { state.opening = find('opening').checked; update(); });
  find('tokenizer').addEventListener('change', () => {
    state.model = find('tokenizer').value;
    showTokenizers();
    update();
  });
  find('other').addEventListener('change', () => {
    state.other = find('other').value;
    update();
  });
  for (const view of /** @type {const} */ (['text', 'chat'])) {
    find(`view-${view}`).addEventListener('change', () => {
      state.view = view;
      state.chosen = -1;
      showState();
      update();
    });
  }
  const look = () => {
    const now = { text: /** @type {'text' | 'ids'} */ (find('look-ids').checked ? 'ids' : 'text'), spaces: find('spaces').checked };
    field.setLook(now);
    otherField.setLook(now);
  };
  for (const id of ['look-text', 'look-ids', 'spaces']) find(id).addEventListener('change', look);
  for (const [id, text] of Object.entries(copies)) {
    find(id).addEventListener('click', async () => {
      const done = await copy(text());
      say(done ? 'Copied' : 'The browser does not allow copying here');
      const button = find(id);
      const label = button.dataset.label ??= button.textContent;
      button.textContent = done ? 'Copied' : 'Not allowed';
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }
  find('link').addEventListener('click', async () => {
    const address = location.origin + location.pathname + (await toFragment(state));
    history.replaceState(null, '', address);
    say((await copy(address)) ? 'Link copied; it holds the text' : 'The link is in the address bar');
    find('link').textContent = 'Copied';
    setTimeout(() => { find('link').textContent = 'Link'; }, 1500);
  });
  find('try').addEventListener('click', async (/** @type {MouseEvent} */ event) => {
    event.preventDefault();
    const columns = [{ model: state.model }];
    const { view, text, messages, special } = state;
    location.href = '/playground' + (await toFragment(
      view === 'chat' ? { view, messages, columns } : { view: 'completion', text, special, columns }));
  });
  find('vocabulary').addEventListener('toggle', () => {
    if (find('vocabulary').open && !vocabulary.isLoaded) vocabulary.load();
  });
  addEventListener('pagehide', save.now);
}

async function begin() {
  startShell();
  listen();
  replace(find('field-place'), field.element);
  replace(find('other-place'), otherField.element);
  replace(find('samples'), samples.map(([name, text]) =>
    h('button', { class: 'quiet', on: { click: () => setText(text) } }, name)));
  const linked = await fromFragment(location.hash);
  const draft = linked ?? kept(storageKey);
  if (draft && typeof draft === 'object') {
    const text = (/** @type {any} */ value) => (typeof value === 'string' ? value : '');
    state = {
      view: draft.view === 'chat' ? 'chat' : 'text', text: text(draft.text), special: draft.special === true,
      opening: draft.opening !== false, model: text(draft.model), other: text(draft.other),
      messages: (Array.isArray(draft.messages) ? draft.messages : []).map((/** @type {any} */ message) => ({
        role: text(message?.role) || 'user', content: text(message?.content) })),
      chosen: Number.isInteger(draft.chosen) ? draft.chosen : -1,
    };
  }
  showState();
  models = await servedModels();
  if (models.length === 0 && find('notice').childElementCount === 0) {
    complain('The server serves no models, so there is no tokenizer. Start it with one: lyceum serve runs/tour');
  }
  showTokenizers();
  await encode();
  document.documentElement.dataset.ready = 'true';
}

begin();
