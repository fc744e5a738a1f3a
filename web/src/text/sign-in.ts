/** What is pasted and typed to come in. */

/** The code in what was pasted: a code, or a link with one in its fragment. */
export function codeIn(pasted: string): string {
  const text = pasted.trim();
  return /#code=([^&\s]+)/.exec(text)?.[1] ?? text;
}

/** What one comes back with from another system in whose account one signs in. */
export interface Returned {
  state: string;
  code: string;
  iss?: string;
}

/** What stands in the address one came back to: what one has to show, or why one has nothing. */
export function returnedIn(search: string): Returned | { refused: string } {
  const said = new URLSearchParams(search);
  const [state, code, iss] = ['state', 'code', 'iss'].map((name) => said.get(name));
  if (state && code) return { state, code, ...(iss && { iss }) };
  return { refused: refusals.get(said.get('error') ?? '') ?? 'The other system let nobody in, and does not say why.' };
}

/** In words of our own: whoever makes up an address is not to have others read here what they like. */
const refusals = new Map([
  ['access_denied', 'You were not let in there, or said no.'],
  ['login_required', 'You are not signed in there.'],
  ['consent_required', 'You did not agree there to sign in here.'],
  ['temporarily_unavailable', 'The other system is busy. Try again in a moment.'],
  ['server_error', 'The other system failed. Try again in a moment.'],
]);

/** A page of ours, whatever was kept of where somebody was. */
export function ownPage(path: string | null): string {
  return path && /^\/(?![/\\])/.test(path) && !path.startsWith('/signed-in') ? path : '/';
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
