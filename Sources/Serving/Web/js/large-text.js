// @ts-check
// The page's side of the worker for long texts.

import { ApiError, serverKey } from './api.js';

/**
 * @typedef {import('./tokens.js').TokenInfo} TokenInfo
 * @typedef {import('./graphemes.js').Segment} Segment
 */

/** The worker's script, vouched for where the browser wants that. */
function address() {
  const path = '/js/large-text-worker.js';
  const types = /** @type {any} */ (globalThis).trustedTypes;
  return types ? types.createPolicy('lyceum', { createScriptURL: () => path }).createScriptURL('') : path;
}

/** @type {Worker | null} */
let worker = null;
let last = 0;

/**
 * @param {any} body as `/tokenize` takes it
 * @param {AbortSignal} signal
 * @returns {Promise<{tokens: TokenInfo[], segments: Segment[]}>}
 */
export function tokenizeLarge(body, signal) {
  worker ??= new Worker(address(), { type: 'module' });
  const own = worker;
  const id = ++last;
  return new Promise((resolve, reject) => {
    /** @type {TokenInfo[]} */
    const tokens = [];
    /** @type {Segment[]} */
    const segments = [];
    const end = () => {
      own.removeEventListener('message', take);
      signal.removeEventListener('abort', stop);
    };
    const take = (/** @type {MessageEvent} */ { data }) => {
      if (data.id !== id) return;
      for (const token of data.tokens ?? []) tokens.push(token);
      for (const segment of data.segments ?? []) segments.push(segment);
      if (data.error) {
        end();
        reject(new ApiError(data.error.message, data.error));
      } else if (data.isDone) {
        end();
        resolve({ tokens, segments });
      }
    };
    const stop = () => {
      end();
      own.postMessage({ id });
      reject(signal.reason);
    };
    own.addEventListener('message', take);
    signal.addEventListener('abort', stop);
    own.postMessage({ id, body, key: serverKey() });
  });
}
