import { expect, test } from 'vitest';

import { affectedKeys } from './keys';

test('a container that changed refreshes every page that shows it', () => {
  expect(affectedKeys('container/fastapi')).toEqual(['containers', 'companions', 'projects', 'builds']);
});

test('a subject that no page shows refreshes nothing', () => {
  expect(affectedKeys('weather/today')).toEqual([]);
  expect(affectedKeys('')).toEqual([]);
});
