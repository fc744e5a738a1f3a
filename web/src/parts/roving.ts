import { type KeyboardEvent, useState } from 'react';

/** One Tab stop for a whole list: the arrow keys move inside it. Members carry `data-roving`. */
export function useRoving() {
  const [current, setCurrent] = useState<number | null>(null);

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined) return;
    const members = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-roving]')];
    const from = members.indexOf(document.activeElement as HTMLElement);
    if (from < 0) return;
    event.preventDefault();
    members[Math.min(members.length - 1, Math.max(0, from + step))]?.focus();
  };

  /** What a member needs; `first` says whether Tab arrives at it before any was visited. */
  const member = (id: number, first: boolean) => ({
    'data-roving': true,
    tabIndex: (current === null ? first : current === id) ? 0 : -1,
    onFocusCapture: () => setCurrent(id),
  });

  return { onKeyDown, member };
}
