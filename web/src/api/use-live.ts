import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { followEvents } from './event-feed';
import { affectedKeys, keys } from './keys';
import type { Event } from './types';

/** Events are gathered for this long, so that a burst asks for each list once. */
const GATHER_MS = 80;

/** How many events the page keeps. */
const KEPT_EVENTS = 1000;

/** Keeps every answer on the page up to date; tells whether the feed is connected. */
export function useLive(): boolean {
  const queries = useQueryClient();
  const [connected, setConnected] = useState(true);

  useEffect(() => {
    let first = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stale = new Set<string>();

    const refresh = () => {
      timer = undefined;
      for (const key of stale) void queries.invalidateQueries({ queryKey: [key] });
      stale = new Set();
    };

    const stop = followEvents({
      connected: setConnected,
      caughtUp: (events) => {
        queries.setQueryData(keys.events, events);
        // What happened in a gap is unknown: everything is asked for again.
        if (!first) void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.events[0] });
        first = false;
      },
      changed: (event) => {
        queries.setQueryData<Event[]>(keys.events, (events = []) => [event, ...events].slice(0, KEPT_EVENTS));
        for (const key of affectedKeys(event.subject)) stale.add(key);
        timer ??= setTimeout(refresh, GATHER_MS);
      },
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [queries]);

  return connected;
}
