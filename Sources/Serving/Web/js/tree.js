// @ts-check
// Several continuations of one prompt as a prefix tree.

/**
 * @typedef {import('./tokens.js').TokenInfo} TokenInfo
 * @typedef {{from: number, tokens: TokenInfo[], samples: number[], children: Node[], ends: number[]}} Node
 * a run of tokens that `samples` share, the place where it begins, and the samples that end with it
 */

/**
 * @param {TokenInfo[][]} samples
 * @returns {Node[]} the roots, those that most samples share first
 */
export function prefixTree(samples) {
  return grow(samples, samples.map((_, i) => i).filter((i) => samples[i].length > 0), 0);
}

/**
 * @param {TokenInfo[][]} samples
 * @param {number[]} members
 * @param {number} depth
 * @returns {Node[]}
 */
function grow(samples, members, depth) {
  /** @type {Map<number, number[]>} */
  const groups = new Map();
  for (const member of members) {
    const token = samples[member][depth];
    const group = groups.get(token.id);
    if (group) group.push(member);
    else groups.set(token.id, [member]);
  }
  const nodes = [...groups.values()].map((group) => {
    let end = depth + 1;
    const goesOn = () =>
      group.every((i) => samples[i].length > end) &&
      group.every((i) => samples[i][end].id === samples[group[0]][end].id);
    while (goesOn()) end++;
    const ends = group.filter((i) => samples[i].length === end);
    const further = group.filter((i) => samples[i].length > end);
    return {
      from: depth,
      tokens: samples[group[0]].slice(depth, end),
      samples: group,
      children: further.length > 0 ? grow(samples, further, end) : [],
      ends,
    };
  });
  return nodes.sort((a, b) => b.samples.length - a.samples.length || a.samples[0] - b.samples[0]);
}

/**
 * How many tokens two sequences share from the start.
 * @param {{id: number}[]} a
 * @param {{id: number}[]} b
 */
export function sharedLength(a, b) {
  let i = 0;
  while (i < a.length && i < b.length && a[i].id === b[i].id) i++;
  return i;
}
