// @ts-check
// What a reload should find again. Every tab has its own.

/**
 * @param {string} key
 * @param {any} value not kept where there is no room for it
 */
export function keep(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // A reload then begins afresh.
  }
}

/**
 * @param {string} key
 * @returns {any} null where there is nothing
 */
export function kept(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}
