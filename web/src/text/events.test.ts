import { expect, test } from 'vitest';

import type { Event } from '../api/types';
import { eventDetail, eventWords, filterEvents, subjectName, subjectPage } from './events';

const event = (id: string, type: string, subject: string, data: object = {}): Event => ({
  specversion: '1.0',
  id,
  source: 'ergon',
  type,
  subject,
  time: '2026-01-01T00:00:00Z',
  data: data as Event['data'],
});

const events = [
  event('2', 'dev.ergon.container.changed', 'container/fastapi', { state: 'exited' }),
  event('1', 'dev.ergon.project.added', 'project/p1', { name: 'fastapi' }),
];

test('a kind of event reads as words', () => {
  expect(eventWords('dev.ergon.project.added')).toBe('project added');
});

test('every word of a filter must be somewhere in the event', () => {
  const found = (filter: string) => filterEvents(events, filter).map(({ id }) => id);
  expect(found('fastapi')).toEqual(['2', '1']);
  expect(found('Project fastapi')).toEqual(['1']);
  expect(found('exited')).toEqual(['2']);
  expect(found('exited project')).toEqual([]);
});

test('a subject leads to its page, where there is one', () => {
  expect(subjectPage('container/fastapi')).toBe('/containers/fastapi');
  expect(subjectPage('build/sha256:4f')).toBe('/builds/sha256%3A4f');
  expect(subjectPage('weather/today')).toBeUndefined();
  expect(subjectPage('project')).toBeUndefined();
  expect(subjectPage('build/all')).toBeUndefined();
});

test('a subject is called what people call it', () => {
  const names = new Map([['p2', 'shop']]);
  expect(subjectName(event('1', '', 'project/p1', { name: 'fastapi' }), names)).toBe('fastapi');
  expect(subjectName(event('1', '', 'project/p2'), names)).toBe('shop');
  expect(subjectName(event('1', '', 'container/fastapi'), names)).toBe('fastapi');
  expect(subjectName(event('1', '', 'build/sha256:4f1c09ab77e2ffff'), names)).toBe('4f1c09ab77e2');
});

test('data is told in one line, without what has parts and what was said already', () => {
  const detail = (type: string, data: object) => eventDetail(event('1', type, 'container/fastapi', data), 'fastapi');
  expect(detail('dev.ergon.container.died', { state: 'exited', exit_code: 137, parts: [1] })).toBe(
    'exited · exit code 137',
  );
  expect(detail('dev.ergon.build.succeeded', { state: 'succeeded', cached: true, name: 'fastapi' })).toBe('cached');
  expect(detail('dev.ergon.container.changed', { sentence: 'I am `well`.', wellness: 'well' })).toBe(
    'I am well. · wellness well',
  );
});

test('the steps of jobs are only shown to who looks for them', () => {
  const step = event('3', 'dev.ergon.job.step', 'job/j1', { step: 'install' });
  expect(filterEvents([step], '')).toEqual([]);
  expect(filterEvents([step], 'install')).toEqual([step]);
});
