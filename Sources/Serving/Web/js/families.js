// @ts-check
// Models as people think of them: runs, their stages, and the checkpoints of a stage.

/**
 * @typedef {import('./api.js').ModelInfo} ModelInfo
 * @typedef {{model: ModelInfo, checkpoints: ModelInfo[]}} Stage
 * @typedef {{name: string, stages: Stage[], isFolded: boolean}} Family
 */

/**
 * `tour` and `tour/base@step-500` belong to the run `tour`, `tour/e7/rl` to `tour/e7`; what has no run
 * stands by itself in the family without a name.
 * @param {ModelInfo[]} models
 * @returns {Family[]} those without a run first, runs within runs last and folded
 */
export function families(models) {
  const runs = new Set(models.flatMap(({ id }) => (id.includes('/') ? [run(id)] : [])));
  /** @type {Map<string, Map<string, Stage>>} */
  const found = new Map([['', new Map()]]);
  // Stages before their checkpoints.
  for (const model of [...models].sort((a, b) => Number(a.id.includes('@')) - Number(b.id.includes('@')))) {
    const stage = model.id.split('@')[0];
    const name = stage.includes('/') ? run(stage) : runs.has(stage) ? stage : '';
    const stages = found.get(name) ?? new Map();
    found.set(name, stages);
    const known = stages.get(stage);
    if (known) known.checkpoints.push(model);
    else stages.set(stage, { model, checkpoints: [] });
  }
  return [...found].filter(([, stages]) => stages.size > 0)
    .map(([name, stages]) => ({ name, stages: [...stages.values()], isFolded: name.includes('/') }))
    .sort((a, b) => Number(a.isFolded) - Number(b.isFolded));
}

/** @param {string} id */
function run(id) {
  return id.slice(0, id.lastIndexOf('/'));
}
