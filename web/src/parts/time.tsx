import { useSyncExternalStore } from 'react';

import { ago, ahead, duration } from '../text/format';

const listeners = new Set<() => void>();
let now = Date.now();
let ticking: ReturnType<typeof setInterval> | undefined;

/** One clock for the whole page. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  ticking ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(ticking);
      ticking = undefined;
    }
  };
}

/** The time, to the second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** How long ago; the exact time when pointed at. */
export function Ago({ time }: { time: string }) {
  const current = useNow();
  const at = new Date(time);
  return (
    <time className="numbers" dateTime={time} title={exact.format(at)}>
      {ago(at.getTime(), current)}
    </time>
  );
}

/** The exact time. */
export function Moment({ time }: { time: string }) {
  return (
    <time className="numbers" dateTime={time}>
      {exact.format(new Date(time))}
    </time>
  );
}

/** How long something has been going on. */
export function Elapsed({ since }: { since: string }) {
  const current = useNow();
  const whole = Math.max(0, Math.floor((current - new Date(since).getTime()) / 1000));
  return <span className="numbers">{whole < 60 ? `${whole} s` : duration(whole * 1000)}</span>;
}

/** How long something took. */
export function Took({ milliseconds }: { milliseconds: number | null | undefined }) {
  if (milliseconds === null || milliseconds === undefined) return null;
  return <span className="numbers">{duration(milliseconds)}</span>;
}

/** How long until then. */
export function Until({ time }: { time: string }) {
  const current = useNow();
  const at = new Date(time);
  return (
    <time className="numbers" dateTime={time} title={exact.format(at)}>
      {ahead(at.getTime(), current)}
    </time>
  );
}
