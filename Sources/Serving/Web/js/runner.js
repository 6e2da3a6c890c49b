// @ts-check
// Runs a column: from the page's state to token ids, and from the server's events to samples.

import * as api from './api.js';
import { explain } from './words.js';

/**
 * @typedef {import('./tokens.js').TokenInfo} TokenInfo
 * @typedef {import('./state.js').State} State
 * @typedef {import('./state.js').ColumnState} ColumnState
 * @typedef {{reason: string, message?: string}} End
 * @typedef {{tokens: TokenInfo[], base: number, label: string, end: End | null, firstAfter: number | null,
 * timings: {prefill_ms: number, decode_ms: number} | null, made: number}} Sample what was written after
 * the first `base` tokens of the prompt; `made` tokens of it in the last request
 * @typedef {{prompt: TokenInfo[], samples: Sample[], sampling: ColumnState, isChat: boolean}} Result
 */

/** @param {string} label @param {number} base @param {TokenInfo[]} [tokens] @returns {Sample} */
function emptySample(label, base, tokens = []) {
  return { tokens, base, label, end: null, firstAfter: null, timings: null, made: 0 };
}

export class Runner {
  /** @param {() => void} changed called whenever there is something new to show */
  constructor(changed) {
    this.changed = changed;
    /** @type {Result | null} */
    this.result = null;
    /** @type {string | null} */
    this.error = null;
    /** @type {Set<AbortController>} */
    this.going = new Set();
  }

  get isRunning() {
    return this.going.size > 0;
  }

  stop() {
    for (const controller of this.going) controller.abort();
  }

  clear() {
    this.stop();
    this.result = null;
    this.error = null;
  }

  /** @param {State} state @param {ColumnState} column */
  async run(state, column) {
    this.stop();
    this.error = null;
    this.result = null;
    await this.#guarded(null, async (signal) => {
      const isChat = state.view === 'chat';
      const asked = isChat
        ? { messages: state.messages, add_generation_prompt: true }
        : { content: state.text, add_special: true, parse_special: state.special };
      const { tokens } = await api.tokenize({ model: column.model, ...asked }, signal);
      if (signal.aborted) return;
      const prompt = tokens.map((token) => ({ ...token, isPrompt: true }));
      const samples = Array.from({ length: state.n }, (_, i) => emptySample(`Sample ${i + 1}`, tokens.length));
      this.result = { prompt, samples, sampling: { ...column }, isChat };
      this.changed();
      await this.#follow(this.#body(state, column, tokens, state.n, true), samples, signal);
    });
  }

  /**
   * Goes on from another token than the one that stands at `place`.
   * @param {State} state
   * @param {Sample | null} sample null for a token of the prompt
   * @param {number} place
   * @param {number} id
   */
  async fork(state, sample, place, id) {
    const result = this.result;
    if (!result) return;
    const before = sample ? sample.tokens : result.prompt;
    const old = before[place];
    const top = old.top ?? [];
    const rank = top.findIndex((alternative) => alternative.id === id);
    /** @type {TokenInfo} */
    const instead = {
      ...old, id, text: top[rank].text, bytes: Array.from(new TextEncoder().encode(top[rank].text)),
      logprob: top[rank].logprob, rank, special: false, isPrompt: false,
    };
    const forked = emptySample(
      sample ? `${sample.label}, forked at token ${place + 1}` : `Forked at prompt token ${place + 1}`,
      sample ? sample.base : 0, [...before.slice(0, place), instead]);
    const at = sample ? result.samples.indexOf(sample) : result.samples.length - 1;
    result.samples.splice(at + 1, 0, forked);
    this.changed();
    await this.#continue(state, forked);
    return forked;
  }

  /**
   * Goes on where a sample broke off.
   * @param {State} state
   * @param {Sample} sample
   */
  async goOn(state, sample) {
    sample.end = null;
    this.changed();
    await this.#continue(state, sample);
  }

  /** @param {State} state @param {Sample} sample */
  async #continue(state, sample) {
    const result = this.result;
    if (!result) return;
    this.error = null;
    await this.#guarded(sample, async (signal) => {
      const before = [...result.prompt.slice(0, sample.base), ...sample.tokens];
      sample.made = 0;
      await this.#follow(this.#body(state, result.sampling, before, 1, false), [sample], signal);
    });
  }

  /**
   * @param {State} state
   * @param {ColumnState} column
   * @param {TokenInfo[]} tokens
   * @param {number} n
   * @param {boolean} echo
   */
  #body(state, column, tokens, n, echo) {
    // Where nothing was written yet the server knows what every text begins with.
    const prompt = tokens.length > 0
      ? { prompt_tokens: tokens.map((token) => token.id) } : { prompt: '' };
    return {
      ...column, ...prompt, max_tokens: state.max_tokens,
      seed: state.seed, n, stop: state.stop, top: 20, echo,
    };
  }

  /** @param {any} body @param {Sample[]} samples @param {AbortSignal} signal */
  async #follow(body, samples, signal) {
    const began = performance.now();
    try {
      for await (const event of api.generate(body, signal)) this.#take(event, samples, began);
    } catch (error) {
      if (signal.aborted || error instanceof api.ApiError) throw error;
      // A broken connection: samples without an end are marked below.
    }
    for (const sample of samples) sample.end ??= { reason: signal.aborted ? 'cancelled' : 'lost' };
  }

  /** @param {any} event @param {Sample[]} samples @param {number} began */
  #take(event, samples, began) {
    const sample = samples[event.index ?? 0];
    if (event.type === 'prompt' && this.result) {
      this.result.prompt = event.tokens.map((/** @type {TokenInfo} */ token) => ({ ...token, isPrompt: true }));
      for (const one of samples) one.base = event.tokens.length;
    } else if (event.type === 'token' && sample) {
      sample.firstAfter ??= performance.now() - began;
      sample.tokens.push(event.token);
      sample.made++;
    } else if (event.type === 'end' && sample) {
      sample.end = { reason: event.reason, message: event.message ?? event.error?.message };
      sample.timings = event.timings ?? null;
    } else if (event.type === 'error' || event.error) {
      const message = event.error?.message ?? event.message;
      for (const open of samples) open.end ??= { reason: 'error', message };
    }
    this.changed();
  }

  /** @param {Sample | null} sample what an error belongs to @param {(signal: AbortSignal) => Promise<void>} work */
  async #guarded(sample, work) {
    const controller = new AbortController();
    this.going.add(controller);
    this.changed();
    const result = this.result;
    try {
      await work(controller.signal);
    } catch (error) {
      const isStop = controller.signal.aborted;
      if (!isStop) this.error = explain(error instanceof Error ? /** @type {any} */ (error) : {});
      const open = sample ? [sample] : (this.result?.samples ?? []);
      for (const one of open) one.end ??= { reason: isStop ? 'cancelled' : 'lost' };
      // Nothing came at all: then there is only the error to show.
      if (!isStop && !sample && this.result !== result && this.result?.samples.every((s) => s.tokens.length === 0)) {
        this.result = null;
      }
    } finally {
      this.going.delete(controller);
      this.changed();
    }
  }
}
