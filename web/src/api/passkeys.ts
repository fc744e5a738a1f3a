/** Passkeys: which somebody has, adding one, signing in with one. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { creation, made, request, shown, whyNot } from '../text/passkey';
import { signIn, useAction } from './actions';
import { client, unwrap } from './client';
import { keys } from './keys';

/** When one was used is announced by no event. */
const LAST_USED_MS = 15_000;

const at = (name: string) => ({ params: { path: { name } } });
const one = (name: string, id: string) => ({ params: { path: { name, id } } });

/** Whether this browser can have passkeys at all. */
export const hasPasskeys = (): boolean => window.isSecureContext && 'PublicKeyCredential' in window;

export const usePasskeys = (name: string) =>
  useQuery({
    queryKey: keys.passkeys(name),
    queryFn: async () => (await unwrap(client.GET('/api/v1/people/{name}/passkeys', at(name)))).items,
    refetchInterval: LAST_USED_MS,
  });

/** Has the device make a passkey, and the stack keep what it may know of it. */
export const useAddPasskey = (name: string) =>
  useAction(
    async (about: string) => {
      const asked = await unwrap(client.POST('/api/v1/people/{name}/passkey-challenges', at(name)));
      const credential = await asking(() => navigator.credentials.create(creation(asked.options)));
      const body = { about, credential: made(credential) as Record<string, never> };
      return unwrap(client.POST('/api/v1/people/{name}/passkeys', { ...at(name), body }));
    },
    keys.passkeys(name),
    keys.people,
  );

export const useRenamePasskey = (name: string) =>
  useAction(
    ({ id, about }: { id: string; about: string }) =>
      unwrap(client.PATCH('/api/v1/people/{name}/passkeys/{id}', { ...one(name, id), body: { about } })),
    keys.passkeys(name),
  );

export const useRemovePasskey = (name: string) =>
  useAction(
    (id: string) => unwrap(client.DELETE('/api/v1/people/{name}/passkeys/{id}', one(name, id))),
    keys.passkeys(name),
    keys.people,
  );

/** Signs in with whichever passkey is at hand; whose it is, it says itself. */
export const useSignInWithPasskey = () => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const asked = await unwrap(client.POST('/api/v1/sign-in'));
      const credential = await asking(() => navigator.credentials.get(request(asked.options)));
      return signIn({ passkey: shown(credential) as Record<string, never> });
    },
    onSuccess: (session) => queries.setQueryData(keys.session, session),
  });
};

async function asking(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await ask();
    if (credential === null) throw new Error('The browser gave nothing.');
    return credential as PublicKeyCredential;
  } catch (error) {
    throw whyNot(error);
  }
}
