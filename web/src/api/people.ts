/** People: what the pages read of them, and what they change. */
import { useQuery } from '@tanstack/react-query';

import { useAction } from './actions';
import { client, unwrap } from './client';
import { keys } from './keys';

/** When somebody was last here is announced by no event. */
const LAST_USED_MS = 15_000;

const at = (name: string) => ({ params: { path: { name } } });

export const usePeople = () =>
  useQuery({
    queryKey: keys.people,
    queryFn: async () => (await unwrap(client.GET('/api/v1/people'))).items,
  });

export const usePerson = (name: string, enabled = true) =>
  useQuery({
    queryKey: keys.person(name),
    queryFn: () => unwrap(client.GET('/api/v1/people/{name}', at(name))),
    enabled,
  });

export const usePersonSessions = (name: string) =>
  useQuery({
    queryKey: keys.personSessions(name),
    queryFn: async () => (await unwrap(client.GET('/api/v1/people/{name}/sessions', at(name)))).items,
    refetchInterval: LAST_USED_MS,
  });

export const usePersonTokens = (name: string) =>
  useQuery({
    queryKey: keys.personTokens(name),
    queryFn: async () => (await unwrap(client.GET('/api/v1/people/{name}/tokens', at(name)))).items,
    refetchInterval: LAST_USED_MS,
  });

export const useAddPerson = () =>
  useAction((body: { name: string; roles: string[] }) => unwrap(client.POST('/api/v1/people', { body })), keys.people);

export const useChangePerson = (name: string) =>
  useAction(
    (body: { roles?: string[]; disabled?: boolean }) =>
      unwrap(client.PATCH('/api/v1/people/{name}', { ...at(name), body })),
    keys.people,
    keys.session,
    keys.personSessions(name),
  );

export const useRemovePerson = () =>
  useAction((name: string) => unwrap(client.DELETE('/api/v1/people/{name}', at(name))), keys.people);

/** A link with which somebody comes in once. */
export const usePersonLink = () =>
  useAction((name: string) => unwrap(client.POST('/api/v1/people/{name}/link', at(name))));

export const useChangePassword = (name: string) =>
  useAction(
    (body: { old?: string; new: string }) =>
      unwrap(client.PUT('/api/v1/people/{name}/password', { ...at(name), body })),
    keys.people,
    keys.personSessions(name),
  );

export const useEndSession = (name: string) =>
  useAction(
    (id: string) => unwrap(client.DELETE('/api/v1/people/{name}/sessions/{id}', { params: { path: { name, id } } })),
    keys.personSessions(name),
  );

/** Ends all of somebody's but the one that asks. */
export const useEndSessions = (name: string) =>
  useAction(() => unwrap(client.DELETE('/api/v1/people/{name}/sessions', at(name))), keys.personSessions(name));

export const useAddToken = (name: string) =>
  useAction(
    (body: { about?: string; roles?: string[]; days?: number }) =>
      unwrap(client.POST('/api/v1/people/{name}/tokens', { ...at(name), body })),
    keys.personTokens(name),
  );

export const useRemoveToken = (name: string) =>
  useAction(
    (id: string) => unwrap(client.DELETE('/api/v1/people/{name}/tokens/{id}', { params: { path: { name, id } } })),
    keys.personTokens(name),
  );
