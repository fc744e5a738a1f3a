/** Policies: what the pages read of them, ask them, and change. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { actionsIn } from '../text/cedar';
import { useAction } from './actions';
import { client, unwrap } from './client';
import { keys } from './keys';
import type { PolicyQuestion } from './types';

export const usePolicies = () =>
  useQuery({
    queryKey: keys.policies,
    queryFn: async () => (await unwrap(client.GET('/api/v1/policies'))).items,
  });

/** What policies can speak of, in Cedar's own words. It is another one only with another version of the stack. */
export const usePolicySchema = (enabled = true) =>
  useQuery({
    queryKey: keys.policySchema,
    queryFn: async () => (await unwrap(client.GET('/api/v1/policy-schema'))).schema,
    staleTime: Infinity,
    enabled,
  });

/** Every action there is, by name; none while they are asked for. */
export const useKnownActions = () => {
  const schema = usePolicySchema().data;
  return schema ? actionsIn(schema) : [];
};

/** What is wrong with a text. What was said of the text before stands until there is more to say. */
export const usePolicyFaults = (text: string) =>
  useQuery({
    queryKey: ['policy-check', text],
    queryFn: async () => (await unwrap(client.POST('/api/v1/policy-checks', { body: { text } }))).faults,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
  });

export const useAskPolicies = () =>
  useAction((body: PolicyQuestion) => unwrap(client.POST('/api/v1/policy-questions', { body })));

export const useKeepPolicy = () =>
  useAction(
    ({ name, text }: { name: string; text: string }) =>
      unwrap(client.PUT('/api/v1/policies/{name}', { params: { path: { name } }, body: { text } })),
    keys.policies,
  );

export const useRemovePolicy = () =>
  useAction(
    (name: string) => unwrap(client.DELETE('/api/v1/policies/{name}', { params: { path: { name } } })),
    keys.policies,
  );
