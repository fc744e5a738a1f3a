/** What the pages read: one hook per resource. */
import { keepPreviousData, queryOptions, useInfiniteQuery, useQuery } from '@tanstack/react-query';

import { client, unwrap } from './client';
import { newestEvents } from './event-feed';
import { keys } from './keys';
import { isMissing, ProblemError } from './problem';
import { type Deed, may } from '../text/may';
import type { Session } from './types';

/** How often a page that shows measurements, which no event announces, asks again. */
const MEASUREMENTS_MS = 3000;

/** How often lists ask again: companions' sentences say how long ago something was. */
const SENTENCES_MS = 15_000;

/** Who is signed in; null: nobody. */
export const sessionQuery = queryOptions({
  queryKey: keys.session,
  queryFn: async (): Promise<Session | null> => {
    try {
      return await unwrap(client.GET('/api/v1/session'));
    } catch (error) {
      if (error instanceof ProblemError && error.problem.status === 401) return null;
      throw error;
    }
  },
});

export const useSession = () => useQuery(sessionQuery);

/** Whether whoever is signed in is likely to be allowed something: the stack decides, this only spares them a refusal. */
export const useMay = (deed: Deed): boolean => may(useSession().data?.roles ?? [], deed);

export const useProjects = (enabled = true) =>
  useQuery({
    queryKey: keys.projects,
    queryFn: async () => (await unwrap(client.GET('/api/v1/projects'))).items,
    enabled,
    refetchInterval: SENTENCES_MS,
  });

export const useProject = (id: string) =>
  useQuery({
    queryKey: keys.project(id),
    queryFn: () => unwrap(client.GET('/api/v1/projects/{id}', { params: { path: { id } } })),
  });

export const useContainers = (enabled = true) =>
  useQuery({
    queryKey: keys.containers,
    queryFn: async () => (await unwrap(client.GET('/api/v1/containers'))).items,
    enabled,
    refetchInterval: SENTENCES_MS,
  });

export const useContainer = (name: string) =>
  useQuery({
    queryKey: keys.container(name),
    queryFn: () => unwrap(client.GET('/api/v1/containers/{name}', { params: { path: { name } } })),
    refetchInterval: (query) => (isMissing(query.state.error) ? false : MEASUREMENTS_MS),
  });

/** What a container used since so long ago; a longer look back changes less often. */
export const useContainerHistory = (name: string, since: string) =>
  useQuery({
    queryKey: keys.containerHistory(name, since),
    queryFn: () =>
      unwrap(
        client.GET('/api/v1/containers/{name}/history', {
          params: { path: { name }, query: { metric: 'memory,processor,received,sent', since, points: 240 } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: since.endsWith('m') ? MEASUREMENTS_MS : SENTENCES_MS,
  });

export const useBuilds = (enabled = true) =>
  useQuery({
    queryKey: keys.builds,
    queryFn: async () => (await unwrap(client.GET('/api/v1/builds'))).items,
    enabled,
  });

export const useBuild = (hash: string | null | undefined) =>
  useQuery({
    queryKey: keys.build(hash ?? ''),
    queryFn: () => unwrap(client.GET('/api/v1/builds/{hash}', { params: { path: { hash: hash ?? '' } } })),
    enabled: Boolean(hash),
  });

export const useRegistryEntry = (reference: string) =>
  useQuery({
    queryKey: keys.registry(reference),
    queryFn: () => unwrap(client.GET('/api/v1/registry/{reference}', { params: { path: { reference } } })),
  });

export const useSolutions = () =>
  useQuery({
    queryKey: keys.solutions,
    queryFn: async () => (await unwrap(client.GET('/api/v1/solutions'))).items,
  });

export const useSolution = (reference: string) =>
  useQuery({
    queryKey: keys.solution(reference),
    queryFn: () => unwrap(client.GET('/api/v1/solutions/{reference}', { params: { path: { reference } } })),
  });

export const useCompanions = (enabled = true) =>
  useQuery({
    queryKey: keys.companions,
    queryFn: async () => (await unwrap(client.GET('/api/v1/companions'))).items,
    enabled,
    refetchInterval: SENTENCES_MS,
  });

/** Also those that are over, newest first. */
export const useProposals = () =>
  useQuery({
    queryKey: keys.proposals,
    queryFn: async () => (await unwrap(client.GET('/api/v1/proposals', { params: { query: { all: true } } }))).items,
  });

/** What was said to whom, newest first, a page at a time. */
export const useExchanges = ({ to, outcome }: { to: string; outcome: string }) =>
  useInfiniteQuery({
    queryKey: [...keys.exchanges, to, outcome],
    queryFn: ({ pageParam }) =>
      unwrap(
        client.GET('/api/v1/exchanges', {
          params: {
            query: { ...(to && { to }), ...(outcome && { outcome }), ...(pageParam && { cursor: pageParam }) },
          },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next ?? undefined,
    placeholderData: keepPreviousData,
  });

/** Messages for somebody who is away, and those that were given up. */
export const useWaitingMessages = () =>
  useQuery({
    queryKey: keys.waitingMessages,
    queryFn: async () => (await unwrap(client.GET('/api/v1/messages'))).items,
  });

export const useJobs = () =>
  useQuery({
    queryKey: keys.jobs,
    queryFn: async () => (await unwrap(client.GET('/api/v1/jobs'))).items,
  });

/** The newest events, newest first. */
export const eventsQuery = queryOptions({
  queryKey: keys.events,
  queryFn: newestEvents,
  // The live feed keeps it up to date.
  staleTime: Infinity,
});

export const useEvents = () => useQuery(eventsQuery);

/** So often a model that has not answered yet is asked after; each time the stack waits a while for it. */
const ASKED_AFTER = 3;

/** What a model says after an answer; null where it says nothing. */
export const useThought = (key: string | null | undefined) =>
  useQuery({
    queryKey: keys.explanation(key ?? ''),
    queryFn: async () => {
      for (let asked = 0; asked < ASKED_AFTER; asked++) {
        const path = { key: key ?? '' };
        const outcome = await unwrap(client.GET('/api/v1/explanations/{key}', { params: { path } }));
        if (outcome.state !== 'asking') return outcome.thought ?? null;
      }
      return null;
    },
    enabled: Boolean(key),
    // The answer is there already; that nobody explains it is no failure.
    retry: false,
    staleTime: Infinity,
  });
