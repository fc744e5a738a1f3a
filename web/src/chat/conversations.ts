/** What was said to each companion since the page was opened; it outlives going to another page. */
import { useCallback, useSyncExternalStore } from 'react';

import type { Delivery, Reply } from '../api/types';

export type Turn =
  | { said: 'person'; content: string }
  | { said: 'companion'; reply: Reply }
  | { said: 'stack'; delivery: Delivery }
  | { said: 'nothing'; error: unknown };

const conversations = new Map<string, readonly Turn[]>();
const listeners = new Set<() => void>();
const silence: readonly Turn[] = [];

export function addTurn(companion: string, turn: Turn): void {
  conversations.set(companion, [...(conversations.get(companion) ?? silence), turn]);
  for (const listener of listeners) listener();
}

export function useConversation(companion: string): readonly Turn[] {
  const subscribe = useCallback((listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return useSyncExternalStore(subscribe, () => conversations.get(companion) ?? silence);
}
