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

/** What an event's subject is called: by its data, by what is known of projects and jobs, else by a short form of its id. */
export function subjectName(event: Event, names: ReadonlyMap<string, string>): string {
  const [kind = '', ...rest] = event.subject.split('/');
  const id = rest.join('/');
  if (!id) return event.subject;
  if (kind === 'container' || kind === 'companion') return id;
  if (kind === 'project') {
    const { name } = event.data as { name?: unknown };
    if (typeof name === 'string') return name;
  }
  return names.get(id) ?? shortDigest(id);
}

/** Each step of each job is an event, too; who looks for something finds them. */
const DETAILED = 'dev.ergon.job.step';

/** The events that hold every word of the filter, in their kind, subject or data; all but the smallest without one. */
export function filterEvents(events: readonly Event[], filter: string): readonly Event[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return events.filter((event) => event.type !== DETAILED);
  return events.filter((event) => {
    const text = `${eventWords(event.type)} ${event.type} ${event.subject} ${JSON.stringify(event.data)}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Values that need no name before them. */
const telling = new Set(['name', 'sentence', 'reason', 'error', 'project', 'kind', 'state']);

/** The plain values of an event's data in one line, without what its kind and subject say already. */
export function eventDetail(event: Event, subject: string): string {
  const said = new Set([subject, ...eventWords(event.type).split(' ')]);
  return Object.entries(event.data as Record<string, unknown>)
    .map(([name, value]) => {
      if (value === true) return name.replaceAll('_', ' ');
      if (typeof value !== 'string' && typeof value !== 'number') return '';
      const text = String(value).replaceAll('`', '');
      if (said.has(text)) return '';
      return telling.has(name) ? text : `${name.replaceAll('_', ' ')} ${text}`;
    })
    .filter(Boolean)
    .join(' · ');
}
