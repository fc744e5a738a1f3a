/** The audit log: what the pages read of it, and its check. */
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';

import { useAction } from './actions';
import { client, unwrap } from './client';
import { keys } from './keys';

/** No event tells of a denial: whoever looks is shown new ones this often. */
const NEW_ENTRIES_MS = 5000;
const LISTED = 50;

export interface AuditWanted {
  principal: string;
  action: string;
  decision: string;
  request: string;
}

/** Requests that were denied or changed something, newest first, a page at a time. */
export const useAudit = ({ principal, action, decision, request }: AuditWanted) =>
  useInfiniteQuery({
    queryKey: [...keys.audit, principal, action, decision, request],
    queryFn: ({ pageParam }) =>
      unwrap(
        client.GET('/api/v1/audit', {
          params: {
            query: {
              limit: LISTED,
              ...(principal && { principal }),
              ...(action && { action }),
              ...(decision && { decision }),
              ...(request && { request }),
              ...(pageParam !== null && { before: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as number | null,
    getNextPageParam: ({ next }) => next ?? undefined,
    placeholderData: keepPreviousData,
    // Whoever went back into the past reads there.
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : NEW_ENTRIES_MS),
  });

export const useVerifyAudit = () =>
  useAction(() => unwrap(client.POST('/api/v1/audit/verification', { body: { checkpoints: [] } })));
