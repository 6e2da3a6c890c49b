// @ts-check
// The same request as code: curl, the openai package of Python, our own command line.

/**
 * @typedef {{model: string, prompt?: string, messages?: {role: string, content: string}[],
 * max_tokens: number, temperature: number, top_p: number, top_k: number, min_p: number, seed: number,
 * n: number, stop: string[]}} Request
 */

/**
 * For a shell: in single quotes.
 * @param {string} text
 */
export function shellQuoted(text) {
  if (/^[A-Za-z0-9_./:@=-]+$/.test(text)) return text;
  return `'${text.replace(/'/g, `'\\''`)}'`;
}

/**
 * A value as Python writes it.
 * @param {any} value
 * @param {string} [indent]
 * @returns {string}
 */
export function python(value, indent = '') {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return JSON.stringify(value).replace(/\\u2028|\\u2029/g, (c) => c);
  const inner = indent + '    ';
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    if (value.every((item) => typeof item !== 'object')) {
      return `[${value.map((item) => python(item)).join(', ')}]`;
    }
    return `[\n${value.map((item) => inner + python(item, inner)).join(',\n')},\n${indent}]`;
  }
  const pairs = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${python(item)}`);
  return `{${pairs.join(', ')}}`;
}

/**
 * Only what differs from the defaults of the API.
 * @param {Request} request
 */
export function body(request) {
  /** @type {Record<string, any>} */
  const found = { model: request.model };
  if (request.messages) found.messages = request.messages;
  else found.prompt = request.prompt ?? '';
  found.max_tokens = request.max_tokens;
  found.temperature = request.temperature;
  if (request.top_p < 1) found.top_p = request.top_p;
  if (request.top_k > 0) found.top_k = request.top_k;
  if (request.min_p > 0) found.min_p = request.min_p;
  found.seed = request.seed;
  if (request.n > 1) found.n = request.n;
  if (request.stop.length > 0) found.stop = request.stop;
  return found;
}

/** @param {Request} request @param {string} origin */
export function curl(request, origin) {
  const path = request.messages ? '/v1/chat/completions' : '/v1/completions';
  const json = JSON.stringify({ ...body(request), stream: true }, null, 2);
  return [
    `curl -N ${origin}${path} \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d ${shellQuoted(json)}`,
  ].join('\n');
}

/** @param {Request} request @param {string} origin */
export function openai(request, origin) {
  const fields = body(request);
  /** @type {Record<string, any>} */
  const extra = {};
  for (const name of ['top_k', 'min_p']) {
    if (name in fields) extra[name] = fields[name];
    delete fields[name];
  }
  const call = request.messages ? 'client.chat.completions.create' : 'client.completions.create';
  const text = request.messages ? 'chunk.choices[0].delta.content or ""' : 'chunk.choices[0].text';
  const lines = Object.entries({ ...fields, stream: true }).map(
    ([key, value]) => `    ${key}=${python(value, '    ')},`);
  if (Object.keys(extra).length > 0) lines.push(`    extra_body=${python(extra)},`);
  return [
    'from openai import OpenAI',
    '',
    `client = OpenAI(base_url="${origin}/v1", api_key="none")`,
    `stream = ${call}(`,
    ...lines,
    ')',
    'for chunk in stream:',
    '    if chunk.choices:',
    `        print(${text}, end="", flush=True)`,
  ].join('\n');
}

/** @param {Request} request */
export function commandLine(request) {
  const words = ['lyceum', request.messages ? 'chat' : 'complete', shellQuoted(request.model)];
  if (!request.messages) words.push(shellQuoted(request.prompt ?? ''));
  const options = [];
  if (!request.messages && request.n > 1) options.push(`--samples ${request.n}`);
  options.push(`--max-tokens ${request.max_tokens}`, `--temperature ${request.temperature}`);
  if (request.top_k > 0) options.push(`--top-k ${request.top_k}`);
  if (request.top_p < 1) options.push(`--top-p ${request.top_p}`);
  if (request.min_p > 0) options.push(`--min-p ${request.min_p}`);
  options.push(`--seed ${request.seed}`);
  return `${words.join(' ')} \\\n  ${options.join(' ')}`;
}
