/** Events as people read and look for them. */
import type { Event } from '../api/types';
import { shortDigest } from './format';

/** `dev.ergon.project.added` → `project added`. */
export function eventWords(kind: string): string {
  return kind.replace(/^dev\.(?:ergon|cdevents)\./, '').replaceAll(/[._]/g, ' ');
}

const pages: Record<string, string> = {
  project: '/projects/',
  container: '/containers/',
  job: '/jobs/',
  build: '/builds/',
  companion: '/companions/',
  manifest: '/manifests/',
};

/** The page of an event's subject (`container/fastapi`), where it has one. */
export function subjectPage(subject: string): string | undefined {
  const [kind = '', ...rest] = subject.split('/');
  const start = pages[kind];
  return start && rest.length && rest[0] !== 'all' ? start + encodeURIComponent(rest.join('/')) : undefined;
}

/** What an event's subject is called: by its data, by what is known of projects, else by a short form of its id. */
export function subjectName(event: Event, projects: ReadonlyMap<string, string>): string {
  const [kind = '', ...rest] = event.subject.split('/');
  const id = rest.join('/');
  if (!id) return event.subject;
  if (kind === 'container' || kind === 'companion') return id;
  if (kind === 'project') {
    const { name } = event.data as { name?: unknown };
    return typeof name === 'string' ? name : (projects.get(id) ?? shortDigest(id));
  }
  return shortDigest(id);
}

/** The events that hold every word of the filter, in their kind, subject or data. */
export function filterEvents(events: readonly Event[], filter: string): readonly Event[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return events;
  return events.filter((event) => {
    const text = `${eventWords(event.type)} ${event.type} ${event.subject} ${JSON.stringify(event.data)}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Values that need no name before them. */
const telling = new Set(['name', 'sentence', 'reason', 'error']);

/** The plain values of an event's data, in one line. */
export function eventDetail(data: unknown): string {
  if (typeof data !== 'object' || data === null) return '';
  return Object.entries(data)
    .filter((entry): entry is [string, string | number | boolean] => ['string', 'number', 'boolean'].includes(typeof entry[1]))
    .map(([name, value]) => (telling.has(name) ? String(value) : `${name.replaceAll('_', ' ')} ${value}`))
    .filter(Boolean)
    .join(' · ');
}
