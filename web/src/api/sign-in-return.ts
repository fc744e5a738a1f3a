/** Signing in with an account of another system: there, and back. */
import { useMutation, useQuery } from '@tanstack/react-query';

import { ownPage, returnedIn } from '../text/sign-in';
import { signIn } from './actions';
import { client, unwrap } from './client';
import { keys } from './keys';
import type { Session } from './types';

/** The page to which other systems send people back. */
const RETURN = '/signed-in';
/** Where somebody was when they left. */
const FROM = 'ergon.signing-in.from';

/** What one can sign in with here. */
export const useSignInWays = () =>
  useQuery({
    queryKey: keys.signInWays,
    queryFn: () => unwrap(client.GET('/api/v1/sign-in')),
  });

/** Leaves for another system, to say there who one is. */
export const useSignInThere = () =>
  useMutation({
    mutationFn: async (name: string) => {
      const begun = await unwrap(client.POST('/api/v1/sign-in/{name}', { params: { path: { name } } }));
      keep(location.pathname + location.search);
      location.assign(begun.url);
      // The page is left: until it is, nothing else is to be pressed.
      await new Promise(() => undefined);
    },
  });

/** Signs in with what stands in the address one came back to; undefined where one did not come back. */
export async function signInByReturn(): Promise<Session | undefined> {
  if (location.pathname !== RETURN) return undefined;
  const returned = returnedIn(location.search);
  // It stays in no history and no bookmark.
  history.replaceState(history.state, '', ownPage(kept()));
  if ('refused' in returned) throw new Error(returned.refused);
  return signIn({ returned });
}

function keep(place: string): void {
  try {
    sessionStorage.setItem(FROM, place);
  } catch {
    // Storage may be forbidden; then one comes back to the first page.
  }
}

function kept(): string | null {
  try {
    const place = sessionStorage.getItem(FROM);
    sessionStorage.removeItem(FROM);
    return place;
  } catch {
    return null;
  }
}
