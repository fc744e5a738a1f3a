import { signIn } from './actions';
import type { Session } from './types';

/** Takes the one-time code out of the address, so that it stays in no history and no bookmark. */
function takeCode(): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get('code');
  if (code === null) return null;
  history.replaceState(history.state, '', location.pathname + location.search);
  return code;
}

/** Signs in with the code in the address; undefined where there is none. */
export async function signInByLink(): Promise<Session | undefined> {
  const code = takeCode();
  return code === null ? undefined : signIn({ code });
}
