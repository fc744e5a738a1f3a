/** What the pages change: one function per request, and which answers it makes stale. */
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { client, unwrap } from './client';
import { keys } from './keys';
import type { Delivery, GeneratedDockerfile, Proposal, Reply, SignIn } from './types';

interface Name {
  name: string;
}

/** What can be done to a container short of removing it. */
export type ContainerChange = 'start' | 'stop' | 'restart';

const changeContainer: Record<ContainerChange, (path: Name) => Promise<unknown>> = {
  start: (path) => unwrap(client.POST('/api/v1/containers/{name}/start', { params: { path } })),
  stop: (path) => unwrap(client.POST('/api/v1/containers/{name}/stop', { params: { path } })),
  restart: (path) => unwrap(client.POST('/api/v1/containers/{name}/restart', { params: { path } })),
};

/** A mutation that marks the answers under these keys as stale once it is done. */
export function useAction<Input, Output>(act: (input: Input) => Promise<Output>, ...stale: (readonly string[])[]) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: async () => {
      await Promise.all(stale.map((queryKey) => queries.invalidateQueries({ queryKey })));
    },
  });
}

export const useAddProject = () =>
  useAction(
    (body: { location: string; name?: string }) => unwrap(client.POST('/api/v1/projects', { body })),
    keys.projects,
    keys.companions,
  );

export const useRemoveProject = () =>
  useAction(
    (id: string) => unwrap(client.DELETE('/api/v1/projects/{id}', { params: { path: { id } } })),
    keys.projects,
    keys.companions,
  );

/** Generating changes nothing, but people start it: it is an action all the same. */
export const useGenerate = () =>
  useAction((id: string) => unwrap(client.POST('/api/projects/{id}/docker/generate', { params: { path: { id } } })));

export const useSaveDockerfile = () =>
  useAction(
    ({ generated, overwrite }: { generated: GeneratedDockerfile; overwrite: boolean }) =>
      unwrap(
        client.POST('/api/projects/{id}/docker/save', {
          params: { path: { id: generated.project_id } },
          body: { dockerfile: generated.dockerfile, dockerignore: generated.dockerignore, overwrite },
        }),
      ),
    keys.projects,
  );

export const useHandOff = () =>
  useAction(
    (id: string) => unwrap(client.POST('/api/projects/{id}/docker/handoff', { params: { path: { id } } })),
    keys.jobs,
    keys.projects,
  );

export const useRun = () =>
  useAction(
    (folder: string) => unwrap(client.POST('/api/v1/runs', { body: { folder, env: {} } })),
    keys.jobs,
    keys.projects,
  );

export const useVerify = () =>
  useAction(
    (hash: string) => unwrap(client.POST('/api/v1/builds/{hash}/verify', { params: { path: { hash } } })),
    keys.builds,
    keys.jobs,
    keys.projects,
  );

export const useImportProject = () =>
  useAction(
    ({ project, body }: { project: string; body: { description?: string } }) =>
      unwrap(client.POST('/api/v1/projects/{id}/solutions', { params: { path: { id: project } }, body })),
    keys.solutions,
  );

export const useAddConfiguration = () =>
  useAction(
    (said: { name: string; version: string; description: string; configuration: Record<string, never> }) =>
      unwrap(client.POST('/api/v1/solutions', { body: { ...said, kind: 'configuration' } })),
    keys.solutions,
  );

export const useRemoveSolution = () =>
  useAction(
    (reference: string) => unwrap(client.DELETE('/api/v1/solutions/{reference}', { params: { path: { reference } } })),
    keys.solutions,
  );

export const useCancelJob = () =>
  useAction((id: string) => unwrap(client.POST('/api/v1/jobs/{id}/cancel', { params: { path: { id } } })), keys.jobs);

export const useChangeContainer = () =>
  useAction(
    ({ name, change }: { name: string; change: ContainerChange }) => changeContainer[change]({ name }),
    keys.containers,
    keys.companions,
  );

export const useRemoveContainer = () =>
  useAction(
    (name: string) => unwrap(client.DELETE('/api/v1/containers/{name}', { params: { path: { name } } })),
    keys.containers,
    keys.companions,
    keys.projects,
  );

export const useLaunchCompanion = () =>
  useAction(
    (body: { container: string; name?: string }) => unwrap(client.POST('/api/v1/companions/launch', { body })),
    keys.companions,
    keys.containers,
  );

/** Yes to the content that was read, and to no other. */
export const useApprove = () =>
  useAction(
    ({ proposal, container }: { proposal: Proposal; container: string | undefined }) =>
      unwrap(
        client.POST('/api/v1/proposals/{code}/approve', {
          params: { path: { code: proposal.code } },
          body: { digest: proposal.digest, ...(container ? { container } : {}) },
        }),
      ),
    keys.proposals,
    keys.containers,
  );

export const useDeny = () =>
  useAction(
    (code: string) => unwrap(client.POST('/api/v1/proposals/{code}/deny', { params: { path: { code } } })),
    keys.proposals,
  );

export const useSendMessage = () =>
  useAction(async ({ name, content }: { name: string; content: string }): Promise<Reply | Delivery> => {
    const path = '/api/v1/companions/{name}/message';
    const sent = await unwrap(client.POST(path, { params: { path: { name } }, body: { content } }));
    // The same address streams text to who asks for a stream; here one answer was asked for.
    if (typeof sent === 'string') throw new Error('The stack answered with a stream that nobody asked for');
    return sent;
  });

/** Has a message that was given up wait again. */
export const useRetryMessage = () =>
  useAction(
    (id: string) => unwrap(client.POST('/api/v1/messages/{id}/retry', { params: { path: { id } } })),
    keys.waitingMessages,
  );

export const useDropMessage = () =>
  useAction(
    (id: string) => unwrap(client.DELETE('/api/v1/messages/{id}', { params: { path: { id } } })),
    keys.waitingMessages,
  );

export const useSignOut = () => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(client.DELETE('/api/v1/session')),
    onSuccess: () => {
      queries.setQueryData(keys.session, null);
      // Nothing of what one person saw is left for the next.
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.session[0] });
    },
  });
};

/** Trades a one-time code, or a name and a password, for a session cookie. */
export const signIn = (body: SignIn) => unwrap(client.POST('/api/v1/session', { body }));
