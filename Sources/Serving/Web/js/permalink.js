// @ts-check
// State in the fragment of an address: it is never sent to a server. `#s=` base64url of JSON, packed
// where the browser can (`#z=`).

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

/** @param {string} text */
export function fromBase64(text) {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

/**
 * @param {Uint8Array} bytes
 * @param {CompressionStream | DecompressionStream} stream
 */
async function through(bytes, stream) {
  const source = new Blob([/** @type {any} */ (bytes)]).stream().pipeThrough(
    /** @type {any} */ (stream));
  return new Uint8Array(await new Response(source).arrayBuffer());
}

/**
 * @param {unknown} state
 * @returns {Promise<string>} a fragment with its number sign
 */
export async function toFragment(state) {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  if (typeof CompressionStream === 'undefined' || bytes.length < 200) return '#s=' + toBase64(bytes);
  return '#z=' + toBase64(await through(bytes, new CompressionStream('deflate-raw')));
}

/**
 * @param {string} fragment
 * @returns {Promise<any>} null where there is none, or where it cannot be read
 */
export async function fromFragment(fragment) {
  try {
    const kind = fragment.slice(0, 3);
    if (kind !== '#s=' && kind !== '#z=') return null;
    let bytes = fromBase64(fragment.slice(3));
    if (kind === '#z=') bytes = await through(bytes, new DecompressionStream('deflate-raw'));
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}
