/** What is pasted and typed to come in. */

/** The code in what was pasted: a code, or a link with one in its fragment. */
export function codeIn(pasted: string): string {
  const text = pasted.trim();
  return /#code=([^&\s]+)/.exec(text)?.[1] ?? text;
}

/** The least a password has. The stack counts, too; it is said here before anything is sent. */
export const SHORTEST_PASSWORD = 12;

/** What is still missing of a new password; null: nothing that could be told here. */
export function passwordLack(password: string): string | null {
  // As the stack counts: characters, not halves of them.
  const missing = SHORTEST_PASSWORD - Array.from(password).length;
  if (missing <= 0) return null;
  if (!password) return `${SHORTEST_PASSWORD} characters or more. A sentence is easier to keep than a riddle.`;
  return `${missing} more ${missing === 1 ? 'character' : 'characters'}.`;
}
