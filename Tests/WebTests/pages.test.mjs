import assert from 'node:assert/strict';
import test from 'node:test';
import { prefixTree, sharedLength } from '../../Sources/Serving/Web/js/tree.js';
import { fromFragment, toFragment } from '../../Sources/Serving/Web/js/permalink.js';
import { parts } from '../../Sources/Serving/Web/js/parts.js';
import { learn, probe, read, readTranscript, transcript } from '../../Sources/Serving/Web/js/turns.js';
import { pieceAround, replay } from '../../Sources/Serving/Web/js/merges.js';
import { borders, rows, width } from '../../Sources/Serving/Web/js/rows.js';
import { align, windowAround } from '../../Sources/Serving/Web/js/strips.js';
import { segments } from '../../Sources/Serving/Web/js/graphemes.js';
import { commandLine, curl, openai } from '../../Sources/Serving/Web/js/snippets.js';
import { fenced, markdown, readMessages } from '../../Sources/Serving/Web/js/exports.js';
import { readState, readStops, requestOf, stopLines } from '../../Sources/Serving/Web/js/state.js';
import { families } from '../../Sources/Serving/Web/js/families.js';
import { modelsFor, starters } from '../../Sources/Serving/Web/js/starters.js';
import { ending, explain, speed } from '../../Sources/Serving/Web/js/words.js';

const token = (text, id = 1, more = {}) => ({ id, text, bytes: Array.from(new TextEncoder().encode(text)), special: false, logprob: -1, ...more });
const words = (text) => (text.match(/\s*\S+/g) ?? []).map((word) => token(word, word.length * 1000 + word.charCodeAt(word.length - 1)));

test('samples share branches as long as they agree', () => {
  const tree = prefixTree(['a b c d', 'a b x', 'q', 'a b c d'].map(words));
  assert.equal(tree.length, 2);
  assert.deepEqual(tree[0].samples, [0, 1, 3]);
  assert.equal(tree[0].tokens.map((one) => one.text).join(''), 'a b');
  assert.deepEqual(tree[0].children.map((node) => node.samples), [[0, 3], [1]]);
  assert.deepEqual(tree[0].children[0].ends, [0, 3]);
  assert.equal(tree[0].children[0].from, 2);
  assert.equal(sharedLength(words('a b c'), words('a b d')), 2);
});

test('a link gives back what it was made of, and nonsense gives nothing', async () => {
  const state = { text: '由 😀 \u0000 "quotes" </script>\n'.repeat(40), n: 3, list: [1, { a: null }] };
  for (const value of [state, { text: '' }]) assert.deepEqual(await fromFragment(await toFragment(value)), value);
  for (const bad of ['', '#', '#s=', '#s=%%%', '#z=AAAA', '#demo=zebra', '#s=' + btoa('{')]) {
    assert.equal(await fromFragment(bad), null);
  }
});

test('whatever a link holds becomes a sound state', () => {
  const state = readState({ view: 'x', text: 7, columns: [{ temperature: 99, top_k: 'many', model: {} }, {}, {}, {}, {}],
    seed: -3, n: 1e9, stop: ['a', 1, ''], messages: [null, { role: 'user', content: 'hi' }] }, 'm');
  assert.equal(state.view, 'completion');
  assert.equal(state.text, '');
  assert.equal(state.columns.length, 4);
  assert.deepEqual(state.columns[0], { model: 'm', temperature: 2, top_p: 1, top_k: 0, min_p: 0 });
  assert.deepEqual([state.seed, state.n, state.stop], [0, 16, ['a']]);
  assert.deepEqual(state.messages, [{ role: 'user', content: '' }, { role: 'user', content: 'hi' }]);
  assert.deepEqual(readState(JSON.parse(JSON.stringify(state)), 'm'), state);
});

test('stop texts survive being edited as lines', () => {
  const stops = ['\n\nHuman:', 'a\\n', '\t'];
  assert.deepEqual(readStops(stopLines(stops)), stops);
});

test('thinking, calls and results are found across tokens', () => {
  const text = ['<th', 'ink', '>hm', '</think>', ' So ', '<|call|>', 'calc 1', '<|end|>', '<|result|>', '1', '<|end_result|>', 'one'];
  const tokens = text.map((piece, i) => token(piece, i, i >= 8 && i <= 10 ? { logprob: null } : {}));
  assert.deepEqual(parts(tokens).map((part) => [part.kind, part.from, part.to, part.isOpen, part.isForeign]), [
    ['thinking', 0, 4, false, false], ['text', 4, 5, false, false], ['call', 5, 8, false, false],
    ['result', 8, 11, false, true], ['text', 11, 12, false, false]]);
  assert.deepEqual(parts(tokens.slice(0, 3)).map((part) => [part.kind, part.isOpen]), [['thinking', true]]);
  assert.deepEqual(parts([]), []);
  assert.equal(parts([token('a < b'), token('<'), token('x')]).length, 1);
});

const formats = {
  chatml: (messages) => messages.map((m) => `<|im_start|>${m.role}\n${m.content}<|im_end|>\n`).join('') + '<|im_start|>assistant\n',
  own: (messages) => '<|bos|>' + messages.map((m) => `<|${m.role}|>${m.content}<|end|>`).join('') + '<|assistant|>',
  llama: (messages) => '<|begin_of_text|>' + messages.map((m) => `<|start_header_id|>${m.role}<|end_header_id|>\n\n${m.content}<|eot_id|>`).join('') + '<|start_header_id|>assistant<|end_header_id|>\n\n',
};

test('a template is learned from what it does, and read backwards', () => {
  const talk = [{ role: 'system', content: 'Be short.' }, { role: 'user', content: 'Hi\n<b>you</b>' }, { role: 'assistant', content: 'Yes?' }, { role: 'user', content: '' }];
  for (const [name, format] of Object.entries(formats)) {
    const marks = learn(format(probe));
    assert.ok(marks, name);
    assert.deepEqual(read(format(talk), marks), talk, name);
    assert.equal(read('no turns at all', marks), null);
  }
  assert.equal(learn('a template that merges roles: qXsystemXq qXuserXq'), null);
});

test('a transcript is written and read', () => {
  const talk = [{ role: 'user', content: 'Why?' }, { role: 'assistant', content: 'Because.' }, { role: 'user', content: 'Oh' }];
  assert.deepEqual(readTranscript(transcript(talk)), talk);
  assert.equal(readTranscript('A plain text.'), null);
});

test('merges are replayed with the pair that each joined', () => {
  const steps = replay('aaab', [[97, 97, 97, 98], [256, 97, 98], [256, 257], [258]]);
  assert.deepEqual(steps.map((step) => step.units.map((unit) => unit.bytes.length)), [[1, 1, 1, 1], [2, 1, 1], [2, 2], [4]]);
  assert.deepEqual([steps[1].left.id, steps[1].right.id, steps[1].places], [97, 97, [0]]);
  assert.deepEqual([steps[2].left.id, steps[2].right.id, steps[2].places], [97, 98, [1]]);
  assert.deepEqual(replay('é', [[195, 169], [300]])[1].units[0].bytes, [195, 169]);
  const same = replay('abab', [[97, 98, 97, 98], [256, 256]]);
  assert.deepEqual(same[1].places, [0, 1]);
});

test('the piece around a token reaches from space to space', () => {
  const tokens = ['How', ' st', 'raw', 'berry', ' is'].map((text) => token(text));
  assert.deepEqual(pieceAround(tokens, 2), { from: 1, to: 4 });
  assert.deepEqual(pieceAround(tokens, 0), { from: 0, to: 1 });
  assert.deepEqual(pieceAround(tokens, 4), { from: 4, to: 5 });
});

test('rows hold all segments, end at line ends and keep the width', () => {
  const found = segments(words('one two three\nfour five six seven eight nine ten eleven twelve'));
  const laid = rows(found, 20, 0.2);
  assert.equal(laid[0].from, 0);
  laid.forEach((row, i) => assert.equal(row.to, laid[i + 1]?.from ?? found.length));
  for (const row of laid) {
    const columns = found.slice(row.from, row.to).reduce((sum, one) => sum + width(one.text) + 0.2, 0);
    assert.ok(columns <= 20 || row.to - row.from === 1);
  }
  assert.ok(width('由') > 1.9 && width('e\u0301') === 1 && width('👩‍👧') < 5);
  assert.deepEqual([...borders([token('ab'), token('c')])], [2, 3]);
});

test('characters, bytes and tokens stand under each other', () => {
  const bytes = [[0x61, 0xc3], [0xa9, 0x62]];
  const tokens = [...bytes.map((part, i) => ({ id: i, text: '?', bytes: part, special: false })), token('<|end|>', 9, { special: true })];
  const strips = align(tokens, 0, 3);
  assert.deepEqual(strips.characters.map((one) => [one.text, one.start, one.length, one.isCut]),
    [['a', 0, 1, false], ['é', 1, 2, true], ['b', 3, 1, false], ['<|end|>', 4, 1, false]]);
  assert.deepEqual(strips.tokens.map((one) => [one.start, one.length]), [[0, 2], [2, 2], [4, 1]]);
  assert.equal(strips.bytes[4].value, null);
  const broken = align([{ id: 0, text: '\ufffd', bytes: [0xe2, 0x80], special: false }], 0, 1);
  assert.equal(broken.characters.length, 2);
  const many = words('aa bb cc dd ee ff');
  assert.deepEqual(windowAround(many, segments(many), 3, 9), { from: 2, to: 5 });
});

test('code asks for the same in three ways', () => {
  const request = { model: 'tour/base', prompt: "It's\n\"fine\"", max_tokens: 8, temperature: 0.5, top_p: 0.9, top_k: 40, min_p: 0, seed: 3, n: 2, stop: ['\n'] };
  const shell = curl(request, 'http://127.0.0.1:8080');
  assert.ok(shell.includes('/v1/completions') && shell.includes(`It'\\''s`));
  const python = openai(request, 'http://127.0.0.1:8080');
  assert.ok(python.includes('client.completions.create') && python.includes('extra_body={"top_k": 40}') && python.includes('stop=["\\n"]'));
  assert.ok(commandLine(request).includes('--samples 2') && commandLine(request).includes('--top-k 40'));
  const chat = openai({ ...request, prompt: undefined, messages: [{ role: 'user', content: 'hi' }] }, 'http://h');
  assert.ok(chat.includes('chat.completions.create') && chat.includes('{"role": "user", "content": "hi"}'));
});

test('exports hold hostile text without breaking their form', () => {
  assert.equal(fenced('a ```` b').split('\n')[0], '`````text');
  const state = { ...readState({ text: '```\n# no heading' }, 'm') };
  assert.ok(markdown(state, [{ prompt: [], samples: [{ tokens: words('one two'), end: { reason: 'length' } }] }]).includes('one two'));
  assert.deepEqual(readMessages('{"messages": [{"role": "user", "content": "a"}]}\n{"messages": []}'), [{ role: 'user', content: 'a' }]);
  assert.deepEqual(readMessages('{"role": "user", "content": "a"}\n{"role": "assistant", "content": "b"}').length, 2);
  assert.equal(readMessages('no json'), null);
  assert.deepEqual(requestOf({ ...state, view: 'chat' }, state.columns[0]).messages, []);
});

test('endings and errors are sentences', () => {
  for (const reason of ['stop', 'length', 'cancelled', 'lost', 'reload', 'error', 'other']) assert.match(ending(reason), /\.$/);
  assert.match(explain({ status: 429, retryAfter: 3 }), /busy.*3 seconds/);
  assert.match(explain({ isNetwork: true }), /lyceum serve/);
  assert.match(explain({ status: 400, message: 'Too long' }), /Too long\./);
  assert.match(explain({ status: 500, message: '' }), /failed/);
  assert.equal(speed(50, 1000), '50.0 tokens/s');
  assert.equal(speed(1, 0), null);
});

test('models are found by run, stage and checkpoint', () => {
  const ids = ['tour', 'tour/base@step-5', 'tour/base', 'tour/e7/rm-1', 'a.gguf'];
  const found = families(ids.map((id) => ({ id })));
  assert.deepEqual(found.map((family) => [family.name, family.stages.map((stage) => stage.model.id), family.isFolded]), [
    ['', ['a.gguf'], false], ['tour', ['tour', 'tour/base'], false], ['tour/e7', ['tour/e7/rm-1'], true]]);
  assert.deepEqual(found[1].stages[1].checkpoints.map((model) => model.id), ['tour/base@step-5']);
});

test('a demonstration is given with a model that can give it', () => {
  const base = { id: 'tour/base', kind: 'base', parameters: 3e6 };
  const chat = { id: 'big', kind: 'chat', parameters: 1e8 };
  const by = (id, models) => modelsFor(starters([...models]).find((one) => one.id === id), models).map((model) => model.id);
  assert.deepEqual(by('paris', [base, chat]), ['big']);
  assert.deepEqual(by('paris', [base]), ['tour/base']);
  assert.deepEqual(by('chat', [base, chat]), ['big']);
  assert.deepEqual(by('dream', [base, chat]), ['tour/base']);
  assert.ok(!starters([chat]).some((one) => one.id === 'dream' || one.id === 'stages'));
  assert.deepEqual(starters([]).length, 8);
});
