import { client, unwrap } from './client';
import type { Event } from './types';

/** Waits between attempts to reconnect; the last one repeats. */
const RETRY_MS = [500, 1000, 2000, 5000, 10_000];

export interface EventFeed {
  /** The newest events before the feed began, newest first: at the start and after every gap. */
  caughtUp: (events: Event[]) => void;
  changed: (event: Event) => void;
  connected: (connected: boolean) => void;
}

/** The newest events, newest first. */
export async function newestEvents(): Promise<Event[]> {
  const answer = await unwrap(client.GET('/api/v1/events'));
  // The same address streams text to who asks for a stream; here a list was asked for.
  return typeof answer === 'string' ? [] : answer.items;
}

/** Follows the stack's events until the returned function is called; reconnects by itself. */
export function followEvents(feed: EventFeed): () => void {
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let closed = false;

  const again = () => {
    source?.close();
    if (closed) return;
    feed.connected(false);
    retry = setTimeout(() => void connect(), RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
    failures += 1;
  };

  const connect = async () => {
    try {
      const events = await newestEvents();
      if (closed) return;
      feed.caughtUp(events);
      source = new EventSource(`/api/v1/events?after=${encodeURIComponent(events[0]?.id ?? '0')}`);
    } catch {
      again();
      return;
    }
    source.addEventListener('open', () => {
      failures = 0;
      feed.connected(true);
    });
    source.addEventListener('change', (message: MessageEvent<string>) =>
      feed.changed(JSON.parse(message.data) as Event),
    );
    // The browser's own retry would not notice a stack that was started anew with other data.
    source.addEventListener('error', again);
  };

  void connect();
  return () => {
    closed = true;
    clearTimeout(retry);
    source?.close();
  };
}
