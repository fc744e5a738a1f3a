/** Whether whoever is signed in came with a link just now, and whether they were asked for a password before. */
import { useSyncExternalStore } from 'react';

const key = (name: string) => `ergon.asked-for-password.${name}`;
const listeners = new Set<() => void>();
let came = false;

function tell() {
  for (const listener of listeners) listener();
}

export function noteLink(): void {
  came = true;
  tell();
}

/** Does not ask again, here and now or in this browser. */
export function declinePassword(name: string): void {
  came = false;
  try {
    localStorage.setItem(key(name), 'no');
  } catch {
    // Storage may be forbidden; then it is asked with the next link.
  }
  tell();
}

/** Whether it is time to ask. */
export function useCameByLink(name: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => came && !wasAsked(name),
  );
}

function wasAsked(name: string): boolean {
  try {
    return localStorage.getItem(key(name)) !== null;
  } catch {
    return false;
  }
}
