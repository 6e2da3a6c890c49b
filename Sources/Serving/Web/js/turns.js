// @ts-check
// A conversation is a text with marks. The marks of a model are learned from its own template: it is
// applied to three turns whose words are known.

/**
 * @typedef {{role: string, content: string}} Message
 * @typedef {{start: string, roles: {role: string, before: string, after: string}[], opening: string}} Marks
 * what stands first, around each turn, and where the assistant is to begin
 */

const words = { system: 'qXsystemXq', user: 'qXuserXq', assistant: 'qXanswerXq' };

/** @type {Message[]} */
export const probe = [
  { role: 'system', content: words.system },
  { role: 'user', content: words.user },
  { role: 'assistant', content: words.assistant },
  { role: 'user', content: words.user },
];

/**
 * @param {string} rendered the template's text for ``probe``, with the opening of an answer
 * @returns {Marks | null} null where the turns cannot be told apart
 */
export function learn(rendered) {
  const order = [words.system, words.user, words.assistant, words.user];
  /** @type {string[]} */
  const between = [];
  let at = 0;
  for (const word of order) {
    const found = rendered.indexOf(word, at);
    if (found < 0) return null;
    between.push(rendered.slice(at, found));
    at = found + word.length;
  }
  between.push(rendered.slice(at));
  const [first, systemUser, userAssistant, assistantUser, last] = between;
  // A user's turn begins as the system's does, but for the name of the role.
  const user = suffixes(systemUser).find((mark) => first.endsWith(mark.replace('user', 'system')));
  if (user === undefined || !user.includes('user') || !assistantUser.endsWith(user)) return null;
  const endOfSystem = systemUser.slice(0, systemUser.length - user.length);
  const endOfAssistant = assistantUser.slice(0, assistantUser.length - user.length);
  if (endOfSystem === '' || !userAssistant.startsWith(endOfSystem)) return null;
  const assistant = userAssistant.slice(endOfSystem.length);
  if (assistant === '' || !last.startsWith(endOfSystem)) return null;
  const system = user.replace('user', 'system');
  return {
    start: first.slice(0, first.length - system.length),
    roles: [
      { role: 'system', before: system, after: endOfSystem },
      { role: 'user', before: user, after: endOfSystem },
      { role: 'assistant', before: assistant, after: endOfAssistant },
    ],
    opening: last.slice(endOfSystem.length),
  };
}

/**
 * The ends of a text that begin where a mark may begin, the longest first.
 * @param {string} text
 */
function suffixes(text) {
  return Array.from(text.matchAll(/[<[#]/g), (match) => text.slice(match.index));
}

/**
 * @param {string} text
 * @param {Marks} marks
 * @returns {Message[] | null} null where the text is not a conversation in these marks
 */
export function read(text, marks) {
  let at = 0;
  if (marks.start !== '') {
    if (!text.startsWith(marks.start)) return null;
    at = marks.start.length;
  }
  /** @type {Message[]} */
  const messages = [];
  while (at < text.length) {
    const left = text.slice(at);
    if (left.trim() === '') break;
    if (marks.opening !== '' && left === marks.opening) break;
    const turn = marks.roles.find((role) => role.before !== '' && text.startsWith(role.before, at));
    if (!turn) return null;
    at += turn.before.length;
    // The last turn may still be open.
    const end = turn.after === '' ? -1 : text.indexOf(turn.after, at);
    const stop = end < 0 ? text.length : end;
    messages.push({ role: turn.role, content: text.slice(at, stop) });
    at = end < 0 ? text.length : end + turn.after.length;
  }
  return messages.length > 0 ? messages : null;
}

/**
 * A conversation as plain lines, for a model that knows no turns.
 * @param {Message[]} messages
 */
export function transcript(messages) {
  /** @type {Record<string, string>} */
  const names = { system: 'System', user: 'Human', assistant: 'Assistant' };
  return (
    messages.map((m) => `${names[m.role] ?? m.role}: ${m.content}`).join('\n\n') + '\n\nAssistant:'
  );
}

/**
 * Lines of that kind read back; null where there are none.
 * @param {string} text
 * @returns {Message[] | null}
 */
export function readTranscript(text) {
  /** @type {Record<string, string>} */
  const roles = { System: 'system', Human: 'user', User: 'user', Assistant: 'assistant' };
  const marks = [...text.matchAll(/^(System|Human|User|Assistant):[ \t]?/gm)];
  if (marks.length === 0) return null;
  const messages = marks.map((mark, i) => ({
    role: roles[mark[1]],
    content: text.slice((mark.index ?? 0) + mark[0].length, marks[i + 1]?.index ?? text.length).trim(),
  }));
  const lead = text.slice(0, marks[0].index).trim();
  if (lead !== '') messages.unshift({ role: 'system', content: lead });
  const last = messages[messages.length - 1];
  if (last.role === 'assistant' && last.content === '') messages.pop();
  return messages.length > 0 ? messages : null;
}
