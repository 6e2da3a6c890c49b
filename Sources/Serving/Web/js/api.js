// @ts-check
// The server's endpoints.

import { jsonEvents } from './sse.js';

/**
 * @typedef {{id: string, kind: 'base' | 'chat', context: number, vocabulary: number,
 * parameters: number, family: string, quantisation: string | null, tokenizer: string,
 * loaded: boolean}} ModelInfo
 * @typedef {import('./tokens.js').TokenInfo} TokenInfo
 * @typedef {{role: string, content: string}} Message
 */

/** What went wrong, as far as it is known. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {{status?: number, retryAfter?: number | null, isNetwork?: boolean, code?: string | null}} [facts]
   */
  constructor(message, facts = {}) {
    super(message);
    this.status = facts.status;
    this.retryAfter = facts.retryAfter ?? null;
    this.isNetwork = facts.isNetwork ?? false;
    this.code = facts.code ?? null;
  }
}

/** The key of a server that asks for one, for as long as the tab is open. */
export function serverKey() {
  try {
    return sessionStorage.getItem('lyceum.key');
  } catch {
    return null;
  }
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @param {string | null} [key]
 * @returns {Promise<Response>} one that succeeded
 */
async function request(path, options = {}, key = serverKey()) {
  const headers = new Headers(options.headers);
  if (key) headers.set('Authorization', `Bearer ${key}`);
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError('The server cannot be reached.', { isNetwork: true });
  }
  if (response.ok) return response;
  let message = '';
  let code = null;
  try {
    const body = await response.json();
    message = String(body.error?.message ?? '');
    code = body.error?.code ?? null;
  } catch {
    message = response.statusText;
  }
  const wait = Number(response.headers.get('Retry-After'));
  throw new ApiError(message, {
    status: response.status, code, retryAfter: Number.isFinite(wait) && wait > 0 ? wait : null,
  });
}

/**
 * @param {string} path
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 * @param {string | null} [key]
 */
function post(path, body, signal, key) {
  return request(path, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal,
  }, key);
}

/** @returns {Promise<ModelInfo[]>} */
export async function models() {
  return (await (await request('/api/models')).json()).models;
}

/**
 * @param {any} body as the server's `/api/generate` takes it
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<any, boolean, void>} its events; whether the stream came to its end
 */
export async function* generate(body, signal) {
  const response = await post('/api/generate', body, signal);
  if (!response.body) return false;
  return yield* jsonEvents(response.body);
}

/**
 * @param {{model: string, content?: string, messages?: Message[], add_special?: boolean,
 * parse_special?: boolean, add_generation_prompt?: boolean}} body
 * @param {AbortSignal} [signal]
 * @param {string | null} [key] where there is no storage to find it in
 * @returns {Promise<{tokens: TokenInfo[], count: number}>}
 */
export async function tokenize(body, signal, key) {
  return (await post('/tokenize', body, signal, key)).json();
}

/** @param {string} model @param {Message[]} messages @returns {Promise<string>} */
export async function applyTemplate(model, messages) {
  return (await (await post('/apply-template', { model, messages })).json()).prompt;
}

/**
 * @param {string} model
 * @param {string} text
 * @param {AbortSignal} [signal]
 * @returns {Promise<{text: string, steps: number[][]}[]>}
 */
export async function merges(model, text, signal) {
  return (await (await post('/api/merges', { model, text }, signal)).json()).pieces;
}

/**
 * @param {string} model
 * @param {string} q
 * @param {number} offset
 * @param {number} limit
 * @param {AbortSignal} [signal]
 * @returns {Promise<{total: number, entries: TokenInfo[]}>}
 */
export async function vocabulary(model, q, offset, limit, signal) {
  const query = new URLSearchParams({ model, q, offset: String(offset), limit: String(limit) });
  return (await request(`/api/vocabulary?${query}`, { signal })).json();
}

/**
 * @param {string} model
 * @returns {Promise<{model: string, kind: string, vocabulary: number, pattern: string | null,
 * special: {id: number, text: string}[]}>}
 */
export async function tokenizerInfo(model) {
  return (await request(`/tokenizer_info?${new URLSearchParams({ model })}`)).json();
}
