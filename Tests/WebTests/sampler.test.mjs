import assert from 'node:assert/strict';
import test from 'node:test';
import { funnel } from '../../Sources/Serving/Web/js/sampler.js';

const list = (chances) => chances.map((chance, id) => ({ id, text: `t${id}`, logprob: Math.log(chance) }));
const plain = { temperature: 1, top_k: 0, top_p: 1, min_p: 0 };

/** The sampler as the server does it, over all tokens. */
function whole(chances, cuts) {
  let kept = chances.map((chance) => chance ** (1 / cuts.temperature));
  const all = kept.reduce((a, b) => a + b, 0);
  if (cuts.top_k > 0) kept = kept.slice(0, cuts.top_k);
  if (cuts.top_p < 1) {
    const limit = cuts.top_p * kept.reduce((a, b) => a + b, 0);
    let running = 0;
    kept = kept.filter((weight) => {
      const stays = running < limit;
      if (stays) running += weight;
      return stays;
    });
  }
  kept = kept.filter((weight) => weight >= cuts.min_p * kept[0]);
  const left = kept.reduce((a, b) => a + b, 0);
  return { count: kept.length, mass: left / all, chances: kept.map((weight) => weight / left) };
}

test('with the whole vocabulary listed the funnel is the sampler', () => {
  const raw = Array.from({ length: 30 }, (_, i) => 1 / (i + 1) ** 1.3);
  const sum = raw.reduce((a, b) => a + b, 0);
  const chances = raw.map((weight) => weight / sum);
  for (const temperature of [0.3, 0.8, 1, 1.7]) {
    for (const top_k of [0, 1, 7, 50]) {
      for (const top_p of [1, 0.9, 0.3]) {
        for (const min_p of [0, 0.05, 0.5]) {
          const cuts = { temperature, top_k, top_p, min_p };
          const found = funnel(list(chances), cuts, 30);
          const right = whole(chances, cuts);
          const last = found.stages[3];
          assert.equal(last.count, right.count, JSON.stringify(cuts));
          assert.ok(Math.abs(last.mass - right.mass) < 1e-9);
          right.chances.forEach((chance, i) => assert.ok(Math.abs(found.rows[i].after - chance) < 1e-9));
          assert.ok(found.isExact);
        }
      }
    }
  }
});

test('of a long tail only the head is listed: counts and shares come close', () => {
  const raw = Array.from({ length: 50_000 }, (_, i) => 1 / (i + 1) ** 1.4);
  const sum = raw.reduce((a, b) => a + b, 0);
  const chances = raw.map((weight) => weight / sum);
  for (const cuts of [plain, { ...plain, temperature: 0.7 }, { ...plain, temperature: 1.5 },
    { ...plain, top_p: 0.95 }, { ...plain, temperature: 1.3, min_p: 0.002 }]) {
    const found = funnel(list(chances.slice(0, 20)), cuts, 50_000).stages[3];
    const right = whole(chances, cuts);
    assert.ok(Math.abs(found.mass - right.mass) < 0.03, `${JSON.stringify(cuts)}: ${found.mass} for ${right.mass}`);
    assert.ok(Math.abs(found.count / right.count - 1) < 0.25, `${JSON.stringify(cuts)}: ${found.count} for ${right.count}`);
  }
});

test('inside the list nothing needs estimating', () => {
  const found = funnel(list([0.5, 0.2, 0.1]), { ...plain, temperature: 0.5, top_k: 3 }, 1000);
  assert.ok(found.isExact);
  assert.deepEqual(found.rows.map((row) => row.verdict), ['', '', '']);
});

test('each cut has its name', () => {
  const found = funnel(list([0.5, 0.25, 0.15, 0.06, 0.04]), { temperature: 1, top_k: 4, top_p: 0.9, min_p: 0.4 }, 5);
  assert.deepEqual(found.rows.map((row) => row.verdict), ['', '', 'min-p', 'top-p', 'top-k']);
  assert.deepEqual(funnel(list([0.6, 0.4]), { ...plain, temperature: 0 }, 2).rows.map((row) => row.verdict), ['', 'temperature']);
  assert.deepEqual(funnel([], plain, 10).rows, []);
});
