import assert from 'node:assert/strict';
import test from 'node:test';
import { EventParser, jsonEvents } from '../../Sources/Serving/Web/js/sse.js';

/** A small generator of random numbers, so that a failure can be seen again. */
function dice(seed) {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

test('events come out the same however the text is cut', () => {
  const stream = ': a comment\r\n\r\ndata: {"a": 1}\n\nevent: x\ndata: one\ndata: two\r\r\ndata:three\n\ndata\n\ndata: [DONE]\n\n';
  const whole = new EventParser().push(stream);
  assert.deepEqual(whole, ['{"a": 1}', 'one\ntwo', 'three', '', '[DONE]']);
  const roll = dice(7);
  for (let round = 0; round < 500; round++) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < stream.length;) {
      const next = at + Math.floor(roll() * 9);
      events.push(...parser.push(stream.slice(at, next)));
      at = next;
    }
    assert.deepEqual(events, whole);
  }
});

test('an event is not given out before its empty line', () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push('data: half'), []);
  assert.deepEqual(parser.push(' and half\n'), []);
  assert.deepEqual(parser.push('\n'), ['half and half']);
});

test('a mark of byte order at the start is no part of a field', () => {
  assert.deepEqual(new EventParser().push('\ufeffdata: x\n\n'), ['x']);
});

test('a character cut between two chunks of bytes is whole again, and a cut stream is told from a done one', async () => {
  const bytes = new TextEncoder().encode('data: {"text": "é😀"}\n\ndata: [DONE]\n\ndata: {"never": 1}\n\n');
  const read = async (source) => {
    const stream = new ReadableStream({
      start(controller) {
        for (const byte of source) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const found = [];
    const events = jsonEvents(stream);
    for (;;) {
      const { value, done } = await events.next();
      if (done) return { found, isWhole: value };
      found.push(value);
    }
  };
  assert.deepEqual(await read(bytes), { found: [{ text: 'é😀' }], isWhole: true });
  assert.deepEqual(await read(bytes.slice(0, 30)), { found: [{ text: 'é😀' }], isWhole: false });
});
