// @ts-check
// What a reload should find again. Every tab has its own.

/** @param {string} key @param {any} value @param {(value: any) => any} lighten without what is large */
export function keep(key, value, lighten) {
  for (const candidate of [value, lighten(value)]) {
    const text = JSON.stringify(candidate);
    if (text.length > 2_000_000) continue;
    try {
      sessionStorage.setItem(key, text);
      return;
    } catch {
      continue;
    }
  }
}

/** @param {string} key @returns {any} null where there is nothing */
export function kept(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}
