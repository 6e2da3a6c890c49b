// @ts-check
// Beside the page: asks for the tokens of a long text, reads the reply and finds the segments. The page
// gets both in slices, so that it never has to work for long.

import { tokenize } from './api.js';
import { segments } from './graphemes.js';

const slice = 2000;
/** @type {AbortController | null} */
let asking = null;

addEventListener('message', async (/** @type {MessageEvent} */ message) => {
  const { id, body, key } = message.data;
  asking?.abort();
  if (!body) return;
  const controller = new AbortController();
  asking = controller;
  const post = (/** @type {any} */ value) => postMessage({ id, ...value });
  try {
    const { tokens } = await tokenize(body, controller.signal, key);
    const found = segments(tokens);
    for (let at = 0; at < tokens.length; at += slice) post({ tokens: tokens.slice(at, at + slice) });
    for (let at = 0; at < found.length; at += slice) post({ segments: found.slice(at, at + slice) });
    post({ isDone: true });
  } catch (error) {
    if (controller.signal.aborted) return;
    const { message: text, status, retryAfter, isNetwork } = /** @type {any} */ (error);
    post({ error: { message: String(text), status, retryAfter, isNetwork } });
  }
});
