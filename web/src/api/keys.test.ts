import { expect, test } from 'vitest';

import { affectedKeys } from './keys';

test('a container that changed refreshes every page that shows it', () => {
  expect(affectedKeys('container/fastapi')).toEqual(['containers', 'companions', 'projects', 'builds']);
});

test('somebody whose roles were changed is asked once more who they are', () => {
  expect(affectedKeys('person/ada')).toContain('session');
  expect(affectedKeys('person/ada')).toContain('people');
});

test('a subject that no page shows refreshes nothing', () => {
  expect(affectedKeys('weather/today')).toEqual([]);
  expect(affectedKeys('')).toEqual([]);
});
