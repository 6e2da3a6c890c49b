// @ts-check
// Numbers, reasons and errors as people say them.

/** @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = one + 's') {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** @param {number} value @param {number} digits */
export function fixed(value, digits) {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/**
 * 134515008 as 135 M.
 * @param {number} count
 */
export function short(count) {
  if (count >= 1e9) return `${fixed(count / 1e9, count < 1e10 ? 1 : 0)} B`;
  if (count >= 1e6) return `${fixed(count / 1e6, count < 1e7 ? 1 : 0)} M`;
  if (count >= 1e3) return `${fixed(count / 1e3, count < 1e4 ? 1 : 0)} k`;
  return String(count);
}

/**
 * Tokens in a second.
 * @param {number} tokens
 * @param {number} milliseconds
 */
export function speed(tokens, milliseconds) {
  if (!(milliseconds > 0) || tokens < 1) return null;
  const rate = tokens / (milliseconds / 1000);
  return `${rate >= 100 ? Math.round(rate).toLocaleString('en') : fixed(rate, 1)} tokens/s`;
}

/** @param {number} milliseconds */
export function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${fixed(milliseconds / 1000, milliseconds < 10_000 ? 1 : 0)} s`;
}

/**
 * Why it ended.
 * @param {string} reason
 * @param {string} [message] the error's own words
 */
export function ending(reason, message) {
  switch (reason) {
    case 'stop': return 'Ended by itself: the model wrote its end token or a stop text.';
    case 'length': return 'Cut off: all the tokens it was given are used up.';
    case 'cancelled': return 'Stopped by you.';
    case 'lost': return 'The connection broke. What had come is kept.';
    case 'reload': return 'The page was reloaded while it wrote. What had come is kept.';
    case 'error': return message ?? 'The server failed at it. What had come is kept.';
    default: return `Ended: ${reason}.`;
  }
}

/**
 * Whether more can be asked for.
 * @param {string} reason
 */
export function canGoOn(reason) {
  return reason !== 'stop';
}

/**
 * An error in words, and what to do.
 * @param {{status?: number, message?: string, retryAfter?: number | null, isNetwork?: boolean}} error
 */
export function explain(error) {
  if (error.isNetwork) {
    return 'The server cannot be reached. See whether “lyceum serve” still runs, then try again.';
  }
  const said = (error.message ?? '').trim().replace(/([^.!?])$/, '$1.');
  switch (error.status) {
    case 429: {
      const wait = error.retryAfter ? ` in ${counted(error.retryAfter, 'second')}` : ' in a moment';
      return `The server is busy: every place is taken. Try again${wait}.`;
    }
    case 401:
    case 403:
      return `The server refused. ${said}`;
    case 404:
      return said || 'The server does not know that. Reload the page to see what it serves now.';
    case 413:
      return `That is more than the server takes at once. ${said}`;
    case 503:
      return 'The server is starting or stopping. Try again in a moment.';
    default:
      if (error.status !== undefined && error.status >= 500) {
        return `The server failed at it. ${said} Try again; if it stays so, its log says more.`;
      }
      return said || 'That did not work.';
  }
}
