// @ts-check
// The home page: what is served, and where to begin.

import { starterCard } from './cards.js';
import { find, h, replace } from './dom.js';
import { families } from './families.js';
import { toFragment } from './permalink.js';
import { modelFacts, servedModels, startShell } from './shell.js';
import { starters } from './starters.js';
import { counted } from './words.js';

/** @typedef {import('./api.js').ModelInfo} ModelInfo */

/** @param {ModelInfo} model */
async function address(model) {
  return '/playground' + (await toFragment({ view: model.kind === 'chat' ? 'chat' : 'completion', columns: [{ model: model.id }] }));
}

/** @param {import('./families.js').Family} family */
async function familyList(family) {
  const stages = await Promise.all(family.stages.map(async ({ model, checkpoints }) => {
    const links = await Promise.all(checkpoints.map(async (one) =>
      h('a', { href: await address(one) }, one.id.slice(one.id.indexOf('@') + 1))));
    return h('li', {},
      h('a', { href: await address(model) }, h('strong', {}, model.id), h('span', { class: 'note' }, modelFacts(model))),
      links.length > 0 && h('details', {}, h('summary', {}, counted(links.length, 'checkpoint')), h('p', { class: 'note' }, links)));
  }));
  const list = h('ul', { class: 'models' }, stages);
  // Runs of experiments are many; the first families are what one came for.
  return family.isFolded
    ? h('details', { class: 'family' }, h('summary', {}, `${family.name} · ${counted(family.stages.length, 'model')}`), list)
    : list;
}

async function begin() {
  startShell();
  const models = await servedModels();
  replace(find('starter-list'), starters(models).map((starter) => starterCard(starter, { href: `/playground#demo=${starter.id}` })));
  replace(find('models'), await Promise.all(families(models).map(familyList)));
  find('models-note').textContent = models.length === 0
    ? 'None yet. Start the server with a model: lyceum serve runs/tour, or with a GGUF file.'
    : `${counted(models.length, 'model')}, all under /v1 for OpenAI clients too.`;
  document.documentElement.dataset.ready = 'true';
}

begin();
