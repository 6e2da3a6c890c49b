// @ts-check
// Server-sent events from a stream of text that may be cut anywhere.

/** Turns chunks of text into the data of whole events. */
export class EventParser {
  constructor() {
    this.rest = '';
    /** @type {string[]} */
    this.data = [];
    this.isFirst = true;
  }

  /**
   * @param {string} chunk
   * @returns {string[]} the data of the events that this chunk completes
   */
  push(chunk) {
    if (this.isFirst && chunk.length > 0) {
      if (chunk.charCodeAt(0) === 0xfeff) chunk = chunk.slice(1);
      this.isFirst = false;
    }
    this.rest += chunk;
    /** @type {string[]} */
    const events = [];
    let from = 0;
    for (;;) {
      const end = this.#lineEnd(from);
      if (end === null) break;
      this.#line(this.rest.slice(from, end.at), events);
      from = end.next;
    }
    this.rest = this.rest.slice(from);
    return events;
  }

  /**
   * A line ends with CR, LF or both; a CR that ends the text may still be half of both.
   * @param {number} from
   */
  #lineEnd(from) {
    for (let i = from; i < this.rest.length; i++) {
      const c = this.rest.charCodeAt(i);
      if (c === 10) return { at: i, next: i + 1 };
      if (c === 13) {
        if (i + 1 === this.rest.length) return null;
        return { at: i, next: this.rest.charCodeAt(i + 1) === 10 ? i + 2 : i + 1 };
      }
    }
    return null;
  }

  /**
   * @param {string} line
   * @param {string[]} events
   */
  #line(line, events) {
    if (line === '') {
      if (this.data.length > 0) events.push(this.data.join('\n'));
      this.data = [];
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    if (field !== 'data') return;
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    this.data.push(value);
  }
}

/**
 * The JSON objects of an event stream, until `[DONE]` or the end. Whether `[DONE]` came is what the
 * generator returns: a stream that ends without it was cut off.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<any, boolean, void>}
 */
export async function* jsonEvents(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const chunk = done ? decoder.decode() : decoder.decode(value, { stream: true });
      for (const data of parser.push(chunk)) {
        if (data === '[DONE]') return true;
        yield JSON.parse(data);
      }
      if (done) return false;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
