// @ts-check
// The home page: what is served, and where to begin.

import { starterCard } from './cards.js';
import { find, h, replace } from './dom.js';
import { toFragment } from './permalink.js';
import { modelFacts, servedModels, startShell } from './shell.js';
import { starters } from './starters.js';
import { counted } from './words.js';

/** @param {import('./api.js').ModelInfo} model */
async function modelCard(model) {
  const state = { view: model.kind === 'chat' ? 'chat' : 'completion', columns: [{ model: model.id }] };
  return h('li', {}, h('a', { href: '/playground' + (await toFragment(state)) },
    h('strong', {}, model.id), h('span', { class: 'note' }, modelFacts(model)),
    model.loaded ? null : h('span', { class: 'note' }, 'loaded when first asked')));
}

async function begin() {
  startShell();
  replace(find('starter-list'), starters.map((starter) => starterCard(starter, { href: `/playground#demo=${starter.id}` })));
  const models = await servedModels();
  replace(find('models'), await Promise.all(models.map(modelCard)));
  find('models-note').textContent = models.length === 0
    ? 'None yet. Start the server with a model: lyceum serve runs/tour, or with a GGUF file.'
    : `${counted(models.length, 'model')}, all under /v1 for OpenAI clients too.`;
  document.documentElement.dataset.ready = 'true';
}

begin();
