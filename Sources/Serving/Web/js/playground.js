// @ts-check
// The playground: one prompt, one to four columns that continue it, one token looked at closely.

import * as api from './api.js';
import { starterCard } from './cards.js';
import { Column } from './column.js';
import { find, oncePerFrame, replace, whenQuiet } from './dom.js';
import { Inspector } from './inspector.js';
import { fromFragment } from './permalink.js';
import { Runner } from './runner.js';
import { showCode, showShare } from './share.js';
import { complain, hush, say, servedModels, startShell } from './shell.js';
import { modelsFor, starters } from './starters.js';
import { limits, mostColumns, number, readState, readStops, stopLines } from './state.js';
import { keep, kept } from './store.js';
import { learn, probe, read, readTranscript, transcript } from './turns.js';
import { textOf } from './tokens.js';
import { grow, TurnsEditor } from './turns-editor.js';
import { counted, explain } from './words.js';

/**
 * @typedef {import('./state.js').State} State
 * @typedef {import('./runner.js').Sample} Sample
 * @typedef {import('./tokens.js').TokenInfo} TokenInfo
 * @typedef {import('./ribbon.js').Ribbon} Ribbon
 */

const storageKey = 'lyceum.playground';
/** @type {api.ModelInfo[]} */
let models = [];
/** @type {State} */
let state = readState(null, '');
/** @type {Column[]} */
let columns = [];
/** What a view was made from, so that switching back loses nothing. */
let origin = { text: '', messages: '' };
/** @type {{column: Column, sample: Sample | null, place: number, ribbon: Ribbon} | null} */
let chosen = null;

const editor = find('text');
const inspector = new Inspector(find('inspector'));
const turns = new TurnsEditor(find('turns'), (messages) => {
  state.messages = messages;
  changed();
});

const save = whenQuiet(400, saveNow);
const draw = oncePerFrame(drawNow);

/** The page is being left: what breaks off now is not the server's doing. */
let leavingAt = -Infinity;

function saveNow() {
  if (performance.now() - leavingAt < 2000) return;
  const results = columns.map((column) => column.runner.result);
  const light = (/** @type {any} */ value) => ({ ...value, results: results.map((result) => result && {
    ...result, samples: result.samples.map((sample) => ({ ...sample, tokens: sample.tokens.map(({ top, ...token }) => token) })),
    prompt: result.prompt.map(({ top, ...token }) => token),
  }) });
  keep(storageKey, { state, results }, light);
}

function changed() {
  find('starters').hidden = !isEmpty();
  find('run').disabled = models.length === 0;
  save();
}

function isEmpty() {
  const isBlank = state.view === 'chat'
    ? state.messages.every((message) => message.content === '') : state.text === '';
  return isBlank && columns.every((column) => !column.runner.result && !column.runner.isRunning);
}

// ---- Columns -------------------------------------------------------------------------------------

/** @param {import('./state.js').ColumnState} settings */
function makeColumn(settings) {
  const runner = new Runner(() => {
    draw();
    save();
  });
  return new Column(settings, runner, {
    models: () => models,
    changed,
    layout: () => state.layout,
    canReply,
    reference: (column) => {
      const first = columns[0];
      return column === first ? null : (first?.runner.result?.samples[0]?.tokens ?? null);
    },
    rerun: () => run(),
    remove: (column) => {
      column.runner.stop();
      const at = columns.indexOf(column);
      columns.splice(at, 1);
      state.columns.splice(at, 1);
      placeColumns();
      find('compare').focus();
    },
    goOn: (column, sample) => follow(() => column.runner.goOn(state, sample)),
    adopt,
    choose: (column, sample, token, place, ribbon) => {
      if (chosen && chosen.ribbon !== ribbon) chosen.ribbon.release();
      chosen = { column, sample, place, ribbon };
      const result = column.runner.result;
      const canFork = result !== null && !column.runner.isRunning && (token.top?.length ?? 0) > 0;
      inspector.show({
        token, position: place, model: column.settings.model,
        vocabulary: column.model?.vocabulary ?? 50_000,
        cuts: result?.sampling ?? column.settings,
        fork: canFork ? (id) => fork(id) : null,
        use: (cuts) => {
          column.set(cuts);
          say('The column now samples that way');
        },
        back: () => {
          ribbon.release();
          if (ribbon.element.isConnected) ribbon.options[place]?.focus();
          chosen = null;
        },
      });
    },
    alternative: (step) => inspector.mark(step),
    enter: () => inspector.enter(),
    close: () => inspector.close(),
  });
}

function placeColumns() {
  columns.forEach((column, i) => column.place(`Column ${i + 1}: ${column.settings.model}`, columns.length === 1));
  const place = find('columns');
  place.dataset.count = String(columns.length);
  replace(place, columns.map((column) => column.element));
  find('compare').hidden = columns.length >= mostColumns;
  drawNow();
  changed();
}

function drawNow() {
  for (const column of columns) column.draw();
  const isRunning = columns.some((column) => column.runner.isRunning);
  find('run').hidden = isRunning;
  find('stop').hidden = !isRunning;
  const most = Math.max(0, ...columns.map((column) => column.runner.result?.samples.length ?? 0));
  find('layout').hidden = most < 2;
  find('legend').hidden = most < 1;
  const result = columns[0]?.runner.result;
  find('reply').hidden = isRunning || !canReply() || result?.samples[0].tokens.length === 0;
  if (isEmpty() === find('starters').hidden) changed();
}

/** Whether there is one answer, so that it is clear what a reply would reply to. */
function canReply() {
  const result = columns[0]?.runner.result;
  return columns.length === 1 && result?.isChat === true && result.samples.length === 1;
}

// ---- Running -------------------------------------------------------------------------------------

async function run() {
  hush();
  if (inspector.subject) inspector.close();
  if (state.view === 'chat') {
    const base = columns.find((column) => column.model?.kind === 'base');
    if (base) {
      complain(`${base.settings.model} is a base model: it knows no turns, it only continues a text.`,
        { label: 'Write the turns as a text', act: () => {
          origin = { text: '', messages: '' };
          switchTo('completion', base.settings.model);
        } });
      return;
    }
  }
  await follow(() => Promise.all(columns.map((column) => column.runner.run(state, column.settings))));
}

/** @param {() => Promise<any>} work */
async function follow(work) {
  say('Writing');
  await work();
  drawNow();
  saveNow();
  const samples = columns.flatMap((column) => column.runner.result?.samples ?? []);
  const errors = columns.filter((column) => column.runner.error).length;
  if (errors > 0) return;
  say(`Ready: ${counted(samples.reduce((sum, sample) => sum + sample.tokens.length, 0), 'token')}`);
}

function stop() {
  for (const column of columns) column.runner.stop();
  find('run').hidden = false;
  find('run').focus();
}

/** @param {number} id */
async function fork(id) {
  if (!chosen) return;
  const { column, sample, place } = chosen;
  inspector.close();
  state.layout = 'cards';
  showLayout();
  const work = column.runner.fork(state, sample, place, id);
  drawNow();
  // The fork's own token is where reading goes on.
  const samples = column.runner.result?.samples ?? [];
  const made = samples[sample ? samples.indexOf(sample) + 1 : samples.length - 1];
  const card = column.cards.get(made);
  card?.ribbon.choose(place, { quiet: true });
  card?.card.scrollIntoView({ block: 'nearest' });
  await follow(() => work);
}

/**
 * The answer becomes part of the prompt.
 * @param {Column} column
 * @param {Sample} sample
 */
function adopt(column, sample) {
  const result = column.runner.result;
  if (!result) return;
  if (result.isChat) {
    state.messages = [...state.messages, { role: 'assistant', content: textOf(sample.tokens, false) }, { role: 'user', content: '' }];
  } else {
    state.text += textOf(sample.tokens.filter((token) => !token.isPrompt), state.special);
  }
  for (const each of columns) each.runner.clear();
  showPrompt();
  drawNow();
  changed();
  if (result.isChat) turns.focusLast();
  else editor.focus();
}

/** @param {SubmitEvent} event */
function reply(event) {
  event.preventDefault();
  const box = find('reply-text');
  const sample = columns[0].runner.result?.samples[0];
  if (!sample || box.value.trim() === '') return;
  state.messages = [...state.messages, { role: 'assistant', content: textOf(sample.tokens, false) }, { role: 'user', content: box.value }];
  box.value = '';
  grow(box);
  showPrompt();
  run();
}

// ---- Two views of one token string ---------------------------------------------------------------

/** @param {'completion' | 'chat'} view @param {string} [model] */
async function switchTo(view, model = columns[0]?.settings.model) {
  if (view === state.view) return;
  const kind = models.find((one) => one.id === model)?.kind;
  try {
    if (view === 'completion') await toText(model, kind);
    else await toTurns(model, kind);
    state.view = view;
    for (const column of columns) column.runner.clear();
  } catch (error) {
    complain(explain(/** @type {any} */ (error)));
  }
  showPrompt();
  drawNow();
  changed();
}

/** @param {string} model @param {string | undefined} kind */
async function toText(model, kind) {
  const messages = JSON.stringify(state.messages);
  if (state.messages.every((message) => message.content === '')) return;
  if (messages === origin.messages && origin.text !== '') {
    state.text = origin.text;
    return;
  }
  state.special = kind === 'chat';
  state.text = kind === 'chat' ? await api.applyTemplate(model, state.messages) : transcript(state.messages);
  origin = { text: state.text, messages };
}

/** @param {string} model @param {string | undefined} kind */
async function toTurns(model, kind) {
  if (state.text === '' || state.text === origin.text) return;
  const marks = kind === 'chat' ? learn(await api.applyTemplate(model, probe)) : null;
  const found = (marks && read(state.text, marks)) ?? readTranscript(state.text);
  if (!found) say('This text has no turns: all of it became one message of the user');
  state.messages = found ?? [{ role: 'user', content: state.text }];
  origin = { text: state.text, messages: JSON.stringify(state.messages) };
}

// ---- The page ------------------------------------------------------------------------------------

function showPrompt() {
  const isChat = state.view === 'chat';
  find(isChat ? 'view-chat' : 'view-completion').checked = true;
  find('completion').hidden = isChat;
  find('turns').hidden = !isChat;
  if (editor.value !== state.text) editor.value = state.text;
  find('special').checked = state.special;
  if (isChat) turns.set(state.messages);
  state.messages = isChat ? turns.messages : state.messages;
  find('run').firstChild.textContent = isChat ? 'Answer' : 'Continue';
  grow(editor);
}

function showSettings() {
  for (const name of /** @type {const} */ (['max_tokens', 'seed', 'n'])) find(name).value = String(state[name]);
  find('stops').value = stopLines(state.stop);
  showLayout();
}

function showLayout() {
  find(state.layout === 'tree' ? 'layout-tree' : 'layout-cards').checked = true;
}

/** @param {any} value @param {any[]} [results] */
function load(value, results = []) {
  for (const column of columns) column.runner.stop();
  state = readState(value, firstModel('base')?.id ?? '');
  columns = state.columns.map(makeColumn);
  columns.forEach((column, i) => {
    const result = results[i];
    if (!result) return;
    for (const sample of result.samples) sample.end ??= { reason: 'reload' };
    column.runner.result = result;
  });
  showPrompt();
  showSettings();
  placeColumns();
}

/** @param {'base' | 'chat' | undefined} kind */
function firstModel(kind) {
  return models.find((model) => model.kind === kind) ?? models[0];
}

/** @param {import('./starters.js').Starter} starter */
function start(starter) {
  const plain = { top_k: 0, top_p: 1, min_p: 0 };
  const { n = 1, max_tokens = 64, stop = [] } = starter;
  const layout = n >= 6 ? 'tree' : 'cards';
  load({ ...state, text: '', messages: [], ...starter, n, max_tokens, stop, layout, special: false,
    columns: modelsFor(starter, models).map((model) => ({ ...plain, model: model.id, temperature: starter.temperature })) });
  find('run').focus();
}

/** Draft first, so that nothing typed while models are fetched is lost. */
async function begin() {
  startShell();
  listen();
  const draft = kept(storageKey);
  const linked = await fromFragment(location.hash);
  models = await servedModels();
  const cards = starters(models);
  const demo = cards.find((starter) => location.hash === `#demo=${starter.id}`);
  replace(find('starter-list'), cards.map((starter) => starterCard(starter, { choose: () => start(starter) })));
  try {
    load(linked ?? draft?.state ?? {}, linked ? [] : (draft?.results ?? []));
  } catch {
    // What an older page left behind and cannot be drawn any more.
    load(draft?.state ?? {});
  }
  if (demo) start(demo);
  if (location.hash) history.replaceState(null, '', location.pathname);
  if (models.length === 0 && find('notice').childElementCount === 0) {
    complain('The server serves no models. Start it with a model: lyceum serve runs/tour, or a GGUF file.');
  }
  document.documentElement.dataset.ready = 'true';
}

function listen() {
  editor.addEventListener('input', () => {
    state.text = editor.value;
    grow(editor);
    changed();
  });
  find('special').addEventListener('change', () => { state.special = find('special').checked; save(); });
  find('run').addEventListener('click', run);
  find('stop').addEventListener('click', stop);
  find('reply').addEventListener('submit', reply);
  const box = find('reply-text');
  box.addEventListener('input', () => grow(box));
  box.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      find('reply').requestSubmit();
    }
  });
  find('view-completion').addEventListener('change', () => switchTo('completion'));
  find('view-chat').addEventListener('change', () => switchTo('chat'));
  for (const name of /** @type {const} */ (['max_tokens', 'seed', 'n'])) {
    find(name).addEventListener('change', () => {
      state[name] = number(name, find(name).value);
      find(name).value = String(state[name]);
      save();
    });
    Object.assign(find(name), { min: limits[name].min, max: limits[name].max, step: limits[name].step });
  }
  find('stops').addEventListener('change', () => {
    state.stop = readStops(find('stops').value);
    save();
  });
  for (const layout of /** @type {const} */ (['cards', 'tree'])) {
    find(`layout-${layout}`).addEventListener('change', () => {
      state.layout = layout;
      drawNow();
      save();
    });
  }
  find('compare').addEventListener('click', () => {
    const last = state.columns[state.columns.length - 1];
    const unused = models.find((model) => model.kind === models.find((one) => one.id === last.model)?.kind &&
      !state.columns.some((column) => column.model === model.id));
    const settings = { ...last, model: unused?.id ?? last.model };
    state.columns.push(settings);
    columns.push(makeColumn(settings));
    placeColumns();
    columns[columns.length - 1].element.querySelector('select').focus();
  });
  find('code').addEventListener('click', () => showCode(state));
  find('share').addEventListener('click', () => showShare(state, columns.map((column) => column.runner.result), (value) => load(value)));
  find('clear').addEventListener('click', () => {
    load({ columns: state.columns, view: state.view });
    (state.view === 'chat' ? turns.list.querySelector('textarea') : editor).focus();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !document.querySelector('dialog')) {
      event.preventDefault();
      if (!find('run').hidden) run();
    } else if (event.key === 'Escape' && !find('stop').hidden && !inspector.subject) {
      stop();
    }
  });
  addEventListener('beforeunload', () => {
    saveNow();
    leavingAt = performance.now();
  });
  addEventListener('pagehide', saveNow);
}

begin();
