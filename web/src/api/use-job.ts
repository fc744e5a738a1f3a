import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { client, unwrap } from './client';
import { isActive, withLines, withStep } from './job-progress';
import { keys } from './keys';
import type { Job, JobLogLine, JobStep } from './types';

/** Everything a job has written so far; the stack hands it out in pieces. */
async function wholeLog(id: string): Promise<readonly JobLogLine[]> {
  const log: JobLogLine[] = [];
  for (;;) {
    const query = { after: log.at(-1)?.number ?? 0 };
    const { items } = await unwrap(client.GET('/api/v1/jobs/{id}/log', { params: { path: { id }, query } }));
    if (!items.length) return log;
    log.push(...items);
  }
}

/** A job and its log, live for as long as it changes. */
export function useJob(id: string | null | undefined) {
  const queries = useQueryClient();
  const job = useQuery({
    queryKey: keys.job(id ?? ''),
    queryFn: () => unwrap(client.GET('/api/v1/jobs/{id}', { params: { path: { id: id ?? '' } } })),
    enabled: Boolean(id),
  });
  const log = useQuery({
    queryKey: keys.jobLog(id ?? ''),
    queryFn: () => wholeLog(id ?? ''),
    enabled: Boolean(id),
    staleTime: Infinity,
  });
  const active = job.data ? isActive(job.data) : false;
  const logKnown = log.data !== undefined;

  useEffect(() => {
    if (!id || !active || !logKnown) return undefined;
    let waiting: JobLogLine[] = [];
    let frame = 0;
    const source = new EventSource(`/api/v1/jobs/${encodeURIComponent(id)}/follow`);

    const flush = () => {
      frame = 0;
      const lines = waiting;
      waiting = [];
      queries.setQueryData<readonly JobLogLine[]>(keys.jobLog(id), (known = []) => withLines(known, lines));
    };
    source.addEventListener('step', (message: MessageEvent<string>) => {
      const { index, ...step } = JSON.parse(message.data) as JobStep & { index: number };
      queries.setQueryData<Job>(keys.job(id), (known) => known && withStep(known, index, step));
      // With a step, more may have become known: the build hash, the result.
      void queries.invalidateQueries({ queryKey: keys.job(id) });
    });
    source.addEventListener('log', (message: MessageEvent<string>) => {
      waiting.push(JSON.parse(message.data) as JobLogLine);
      // Thousands of lines may come in a second; they are drawn together.
      if (!frame) frame = requestAnimationFrame(flush);
    });
    source.addEventListener('end', (message: MessageEvent<string>) => {
      source.close();
      flush();
      queries.setQueryData(keys.job(id), JSON.parse(message.data) as Job);
      for (const queryKey of [keys.builds, keys.projects, keys.containers, keys.companions]) {
        void queries.invalidateQueries({ queryKey });
      }
    });
    // A lost stream is opened again by the browser; the job itself says whether it is still needed.
    source.addEventListener('error', () => void queries.invalidateQueries({ queryKey: keys.job(id) }));
    return () => {
      cancelAnimationFrame(frame);
      source.close();
    };
  }, [id, active, logKnown, queries]);

  return { job, log: log.data ?? [] };
}
