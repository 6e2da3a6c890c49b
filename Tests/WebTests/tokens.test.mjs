import assert from 'node:assert/strict';
import test from 'node:test';
import { bits, describe, drawnToken, level, percent, spoken, textOf, totals, visible } from '../../Sources/Serving/Web/js/tokens.js';
import { characters, segments } from '../../Sources/Serving/Web/js/graphemes.js';

const bytesOf = (text) => Array.from(new TextEncoder().encode(text));
const token = (text, more = {}) => ({ id: 1, text, bytes: bytesOf(text), special: false, ...more });

test('surprise is in bits and falls into six levels', () => {
  const at = (chance) => token('x', { logprob: Math.log(chance) });
  assert.equal(bits(at(0.25)), 2);
  assert.deepEqual([1, 0.5, 0.3, 0.1, 0.02, 0.001].map((chance) => level(at(chance))), [0, 1, 2, 3, 4, 5]);
  assert.equal(level(token('first')), -1);
  const sum = totals([token('first'), at(0.5), at(0.125)]);
  assert.deepEqual([sum.bits, sum.scored, sum.bitsPerToken, sum.bitsPerByte], [4, 2, 2, 2]);
});

test('what cannot be seen is named, joiners inside a cluster stay', () => {
  assert.equal(visible('a\u202eb\u0000\u200b'), 'a⟦RLO⟧b⟦NUL⟧⟦ZWSP⟧');
  assert.equal(visible('👩‍👧'), '👩‍👧');
  assert.equal(visible('\u200d'), '⟦ZWJ⟧');
  assert.equal(drawnToken({ text: '\ufffd', bytes: [0xe2, 0x80] }), 'E2 80');
  assert.equal(drawnToken({ text: ' a', bytes: [32, 97] }), '·a');
});

test('a screen reader hears spaces, probability and rank', () => {
  assert.equal(spoken(' the'), 'space, the');
  assert.equal(spoken('\n\n'), '2 new lines');
  assert.equal(describe(token(' the', { logprob: Math.log(0.834), rank: 0 })), 'space, the, 83 %, rank 1');
  assert.equal(percent(0.00001), '1 in 100 k');
  assert.equal(percent(0.99999999), '100 %');
  assert.equal(percent(0.9998), '>99.9 %');
});

/** Every way to cut the bytes of a text into tokens of a few bytes. */
function* cuts(text, rounds) {
  const bytes = bytesOf(text);
  let seed = 3;
  for (let round = 0; round < rounds; round++) {
    const tokens = [];
    for (let at = 0; at < bytes.length;) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const next = at + 1 + (seed >>> 16) % 4;
      const part = bytes.slice(at, next);
      tokens.push({ id: at, text: new TextDecoder().decode(new Uint8Array(part)), bytes: part, special: false });
      at = next;
    }
    yield tokens;
  }
}

const hard = ['A family 👩‍👩‍👧‍👦, a flag 🇰🇷 🇩🇪, a wave 👋🏽.', 'e\u0301\u0302 Grüße\r\nzwei', '由非營利組織', 'مرحبا بالعالم', '안녕하세요 नमस्ते', 'plain'];

test('segments together are the text and all tokens, and cut no character', () => {
  for (const text of hard) {
    const borders = new Set([0]);
    let at = 0;
    for (const part of characters(text)) borders.add((at += part.text.length));
    for (const tokens of cuts(text, 200)) {
      const found = segments(tokens);
      assert.equal(found.map((one) => one.text).join(''), text);
      assert.equal(textOf(tokens), text);
      let next = 0;
      let length = 0;
      for (const one of found) {
        assert.equal(one.from, next);
        next = one.to;
        length += one.text.length;
        assert.ok(borders.has(length), `${JSON.stringify(text)} is cut at ${length}`);
      }
      assert.equal(next, tokens.length);
    }
  }
});

test('a broken character is shown as broken and holds nothing up', () => {
  const tokens = [token('a'), { id: 2, text: '\ufffd', bytes: [0xf0, 0x9f], special: false }, token('b'), { id: 3, text: '\ufffd', bytes: [0xe2], special: false }];
  assert.deepEqual(segments(tokens).map((one) => one.text), ['a', '\ufffd', 'b', '\ufffd']);
});

test('special tokens stand alone', () => {
  const tokens = [token('e'), token('<|end|>', { special: true }), token('\u0301')];
  assert.deepEqual(segments(tokens).map((one) => one.text), ['e', '<|end|>', '\u0301']);
  assert.equal(textOf(tokens, false), 'e\u0301');
});
