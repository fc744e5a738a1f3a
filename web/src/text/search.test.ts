import { expect, test } from 'vitest';

import { entriesOf, isDigestPrefix, search } from './search';

const hash = (start: string) => `sha256:${start.padEnd(64, '0')}`;

const entries = entriesOf({
  projects: [
    {
      id: 'p1',
      name: 'fastapi',
      location: '/srv/fastapi',
      folder: '/srv/fastapi',
      framework: 'FastAPI',
      language: 'Python 3.11',
      containers: [],
      companion: 'fastapi-project',
      added_at: '',
    },
    {
      id: 'p2',
      name: 'shop',
      location: '/srv/shop',
      folder: '/srv/shop',
      framework: 'Express',
      language: 'Node.js 18',
      containers: [],
      companion: 'shop-project',
      added_at: '',
    },
  ],
  containers: [
    {
      id: 'abc',
      name: 'fastapi',
      state: 'running',
      wellness: 'well',
      sentence: 'I am well.',
      companion: 'fastapi-ci',
      ports: [],
    },
  ],
  builds: [
    {
      build_hash: hash('4f1c09ab77e2'),
      project_name: 'fastapi',
      state: 'succeeded',
      reproducibility: 'proven',
      pinned: true,
      started_at: '',
      cached: false,
      images: [{ container: 'fastapi', image_digest: hash('8be2'), tags: ['fastapi:4f1c09ab77e2'], size: 1 }],
    },
  ],
  companions: [
    {
      name: 'fastapi-ci',
      type: 'container',
      capabilities: ['monitor'],
      health: 'up',
      sentence: 'I am well.',
      registered_at: '',
    },
  ],
});
const found = (query: string) => search(entries, query).map((entry) => `${entry.kind} ${entry.title}`);

test('a name finds everything that bears it, the exact ones first', () => {
  expect(found('fastapi')).toEqual([
    'project fastapi',
    'container fastapi',
    'build 4f1c09ab77e2',
    'companion fastapi-ci',
  ]);
});

test('the beginning of a digest finds its build, with or without the algorithm', () => {
  expect(found('4f1c')).toEqual(['build 4f1c09ab77e2']);
  expect(found('sha256:8be2')).toEqual(['build 4f1c09ab77e2']);
});

test('hex digits from the middle of a digest find nothing', () => {
  expect(found('77e2000')).toEqual([]);
});

test('every word must be there, in any order', () => {
  expect(found('python fastapi')).toEqual(['project fastapi']);
  expect(found('python shop')).toEqual([]);
});

test('nothing typed finds nothing', () => {
  expect(found('  ')).toEqual([]);
});

test('only what can be the beginning of a digest is offered to the registry', () => {
  expect(isDigestPrefix('4f1c')).toBe(true);
  expect(isDigestPrefix('sha256:8be2')).toBe(true);
  expect(isDigestPrefix('fastapi')).toBe(false);
  expect(isDigestPrefix('4f')).toBe(false);
});
