// @ts-check
// The talk's demonstrations of a base model, each ready to run.

/**
 * @typedef {{id: string, title: string, what: string, view: 'completion' | 'chat', text?: string,
 * messages?: {role: string, content: string}[], n?: number, max_tokens?: number,
 * temperature?: number, stop?: string[], needs: 'base' | 'chat', stages?: string[]}} Starter `stages`:
 *   the columns, by how the ids of their models end; such a card is shown where those are served
 */

/** @type {Starter[]} */
const all = [
  {
    id: 'sum', title: 'It does not answer, it continues', view: 'completion', needs: 'base',
    what: 'A base model takes a question for the start of a document. Three samples, three documents.',
    text: 'What is 2 + 2?', n: 3, max_tokens: 40, temperature: 1,
  },
  {
    id: 'paris', title: 'A list from memory', view: 'completion', needs: 'base',
    what: 'What stood in many pages is remembered well; what stood in few is made up.',
    text: 'Here is my top 10 list of the top landmarks to see in Paris:\n\n1.', max_tokens: 120,
    temperature: 0.7,
  },
  {
    id: 'zebra', title: 'Recited or made up', view: 'completion', needs: 'base',
    what: 'The start of a famous article. Where the marks grow thin, the model recites.',
    text: 'Zebras are African equines with distinctive black-and-white striped coats. There are three living species:',
    max_tokens: 80, temperature: 0,
  },
  {
    id: 'universes', title: 'Parallel universes', view: 'completion', needs: 'base',
    what: 'About what it cannot know the model guesses, each time another way. See them as a tree.',
    text: 'The winner of the 2032 presidential election was', n: 8, max_tokens: 24, temperature: 1,
  },
  {
    id: 'shots', title: 'Learning from the prompt', view: 'completion', needs: 'base',
    what: 'Ten pairs, and an eleventh to finish: the pattern is picked up while reading.',
    text: [
      'butterfly: 나비', 'ocean: 바다', 'whisper: 속삭임', 'mountain: 산', 'thunder: 천둥', 'gentle: 부드러운',
      'freedom: 자유', 'umbrella: 우산', 'cinnamon: 계피', 'moonlight: 달빛', 'teacher:',
    ].join('\n'),
    max_tokens: 12, temperature: 0,
  },
  {
    id: 'assistant', title: 'An assistant by prompt alone', view: 'completion', needs: 'base',
    what: 'A transcript makes a base model answer. Without a stop it would write the next question too.',
    text: [
      'Here is a conversation between a helpful assistant and a person.', '',
      'Human: What is the capital of Italy?', '', 'Assistant: The capital of Italy is Rome.', '',
      'Human: How many legs has a spider?', '', 'Assistant: A spider has eight legs.', '',
      'Human: Why is the sky blue?', '', 'Assistant:',
    ].join('\n'),
    max_tokens: 120, temperature: 0.7, stop: ['\n\nHuman:'],
  },
  {
    id: 'dream', title: 'Dreams of a corpus', view: 'completion', needs: 'base',
    what: 'Begin with nothing: what comes is what the texts that it learned from were like.',
    text: '', n: 3, max_tokens: 90, temperature: 0.8, stages: ['/base'],
  },
  {
    id: 'stages', title: 'The same question, before and after practice', view: 'chat', needs: 'chat',
    what: 'Two stages of a tour: one imitates worked examples, one has practised since.',
    messages: [{ role: 'user', content: 'Valence electrons in S4H3Be4K2?' }], max_tokens: 90, temperature: 0.8, stages: ['/sft', '/rl'],
  },
  {
    id: 'chat', title: 'A conversation is a token string', view: 'chat', needs: 'chat',
    what: 'Ask, then switch to Completion and see the same conversation with its special tokens.',
    messages: [{ role: 'user', content: 'What is the capital of France?' }], max_tokens: 120,
    temperature: 0.7,
  },
  {
    id: 'spell', title: 'Tokens, not letters', view: 'chat', needs: 'chat',
    what: 'The word is a few tokens to the model. Choose one in the tokenizer to see why this is hard.',
    messages: [{ role: 'user', content: 'How many times does the letter r occur in strawberry?' }],
    max_tokens: 120, temperature: 0.7,
  },
];

/** From so many parameters on a model knows some English. */
const enough = 30_000_000;

/**
 * @typedef {import('./api.js').ModelInfo} ModelInfo
 */

/**
 * The demonstrations that the served models can give.
 * @param {ModelInfo[]} models
 */
export function starters(models) {
  return all.filter((starter) => !starter.stages || modelsFor(starter, models).length === starter.stages.length);
}

/**
 * The models that a demonstration is best given with: one for each column.
 * @param {Starter} starter
 * @param {ModelInfo[]} models
 * @returns {ModelInfo[]}
 */
export function modelsFor(starter, models) {
  if (starter.stages) {
    return starter.stages.flatMap((stage) => models.find((model) => model.id.endsWith(stage)) ?? []);
  }
  const largest = (/** @type {ModelInfo[]} */ list) => [...list].sort((a, b) => b.parameters - a.parameters)[0];
  const fitting = largest(models.filter((model) => model.kind === starter.needs));
  // A text can be continued by a chat model too: better than by a model that knows no words.
  const any = starter.view === 'completion' ? largest(models) : undefined;
  const best = (fitting?.parameters ?? 0) < enough && (any?.parameters ?? 0) >= enough ? any : fitting;
  return best ? [best] : models.slice(0, 1);
}
