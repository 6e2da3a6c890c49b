// @ts-check
// The sampler's funnel, computed from the likeliest tokens that the server reports: temperature first,
// then top-k, top-p and min-p, each on what the one before left.

/**
 * @typedef {{temperature: number, top_k: number, top_p: number, min_p: number}} Cuts
 * @typedef {{id: number, text: string, logprob: number}} Candidate
 * @typedef {'' | 'temperature' | 'top-k' | 'top-p' | 'min-p'} Verdict
 * @typedef {{name: Verdict, count: number, mass: number}} Stage what is left after it: how many tokens,
 * and their share of the probability after the temperature
 * @typedef {{rows: {candidate: Candidate, before: number, after: number, verdict: Verdict}[],
 * stages: Stage[], isExact: boolean}} Funnel
 */

/**
 * Tokens beyond the list: their probability falls as a power of their rank, so that the sum is right.
 * @param {number} last the probability of the last token in the list
 * @param {number} listed how long the list is
 * @param {number} rest what the other tokens have together
 * @param {number} vocabulary
 * @returns {(rank: number) => number}
 */
function tail(last, listed, rest, vocabulary) {
  const sum = (/** @type {number} */ s) => powerSum(listed, vocabulary, s) * last;
  let low = 0;
  let high = 60;
  if (sum(low) <= rest) return () => rest / Math.max(1, vocabulary - listed);
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (sum(middle) > rest) low = middle;
    else high = middle;
  }
  return (rank) => last * ((rank + 1) / listed) ** -high;
}

/**
 * Sum over ranks listed..<vocabulary of ((rank + 1) / listed)^-s, by steps and then by the integral.
 * @param {number} listed
 * @param {number} vocabulary
 * @param {number} s
 */
function powerSum(listed, vocabulary, s) {
  const exactTo = Math.min(vocabulary, listed + 200);
  let total = 0;
  for (let rank = listed; rank < exactTo; rank++) total += ((rank + 1) / listed) ** -s;
  if (exactTo >= vocabulary) return total;
  const a = (exactTo + 0.5) / listed;
  const b = (vocabulary + 0.5) / listed;
  const area = s === 1 ? Math.log(b / a) : (b ** (1 - s) - a ** (1 - s)) / (1 - s);
  return total + area * listed;
}

/**
 * @param {Candidate[]} top the likeliest first, log-probabilities at temperature 1
 * @param {Cuts} cuts
 * @param {number} vocabulary how many tokens there are
 * @returns {Funnel}
 */
export function funnel(top, cuts, vocabulary) {
  const listed = top.length;
  if (listed === 0) return { rows: [], stages: [], isExact: true };
  const before = top.map((candidate) => Math.exp(candidate.logprob));
  const unlisted = Math.max(0, vocabulary - listed);
  const rest = unlisted > 0 ? Math.max(0, 1 - before.reduce((a, b) => a + b, 0)) : 0;
  if (cuts.temperature === 0) return greedy(top, before, vocabulary);

  // Weights relative to the likeliest: logits differ as log-probabilities do.
  const power = 1 / cuts.temperature;
  const weights = top.map((candidate) => Math.exp((candidate.logprob - top[0].logprob) * power));
  const beyond = rest > 0 ? tail(before[listed - 1], listed, rest, vocabulary) : () => 0;
  const beyondWeight = (/** @type {number} */ rank) => (beyond(rank) / before[0]) ** power;
  const ranksLeft = cuts.top_k > 0 ? Math.min(cuts.top_k, vocabulary) : vocabulary;
  const all = sumOf(weights) + tailWeight(beyondWeight, listed, vocabulary, rest);

  /** @type {Verdict[]} */
  const verdicts = weights.map((_, rank) => (rank < ranksLeft ? '' : 'top-k'));
  let count = ranksLeft;
  let left =
    sumOf(weights.slice(0, count)) +
    (count > listed ? tailWeight(beyondWeight, listed, count, rest) : 0);
  /** @type {Stage[]} */
  const stages = [
    { name: 'temperature', count: vocabulary, mass: 1 },
    { name: 'top-k', count, mass: left / all },
  ];

  if (cuts.top_p < 1) {
    const limit = cuts.top_p * left;
    let running = 0;
    let kept = 0;
    while (kept < count && running < limit) {
      running += kept < listed ? weights[kept] : beyondWeight(kept);
      kept++;
    }
    for (let rank = kept; rank < Math.min(count, listed); rank++) verdicts[rank] = 'top-p';
    left = running;
    count = Math.max(1, kept);
  }
  stages.push({ name: 'top-p', count, mass: Math.min(1, left / all) });

  if (cuts.min_p > 0) {
    let kept = 0;
    let running = 0;
    while (kept < count) {
      const weight = kept < listed ? weights[kept] : beyondWeight(kept);
      if (weight < cuts.min_p) break;
      running += weight;
      kept++;
    }
    for (let rank = kept; rank < Math.min(count, listed); rank++) verdicts[rank] = 'min-p';
    left = running;
    count = kept;
  }
  stages.push({ name: 'min-p', count, mass: Math.min(1, left / all) });

  return {
    rows: top.map((candidate, rank) => ({
      candidate,
      before: before[rank],
      after: verdicts[rank] === '' ? weights[rank] / left : 0,
      verdict: verdicts[rank],
    })),
    stages,
    // Exact where no token beyond the list plays a part.
    isExact: rest === 0 || ranksLeft <= listed || cuts.temperature === 1,
  };
}

/** @param {number[]} values */
function sumOf(values) {
  return values.reduce((a, b) => a + b, 0);
}

/**
 * @param {(rank: number) => number} weight
 * @param {number} from
 * @param {number} to
 * @param {number} rest
 */
function tailWeight(weight, from, to, rest) {
  if (rest <= 0) return 0;
  // Steps that grow keep this short for a hundred thousand ranks.
  let total = 0;
  let rank = from;
  while (rank < to) {
    const step = Math.max(1, Math.min(to - rank, Math.floor(rank / 64)));
    total += step === 1 ? weight(rank) : step * weight(rank + (step - 1) / 2);
    rank += step;
  }
  return total;
}

/**
 * Temperature 0 takes the likeliest.
 * @param {Candidate[]} top
 * @param {number[]} before
 * @param {number} vocabulary
 * @returns {Funnel}
 */
function greedy(top, before, vocabulary) {
  const one = { count: 1, mass: 1 };
  return {
    rows: top.map((candidate, rank) => ({
      candidate,
      before: before[rank],
      after: rank === 0 ? 1 : 0,
      verdict: rank === 0 ? '' : 'temperature',
    })),
    stages: [
      { name: 'temperature', ...one },
      { name: 'top-k', ...one },
      { name: 'top-p', ...one },
      { name: 'min-p', ...one },
    ],
    isExact: vocabulary >= 1,
  };
}
