import { expect, test } from 'vitest';

import { litBy } from './line-facts';

const pairs = [
  { line: 1, facts: [1, 2] },
  { line: 4, facts: [2] },
];

test('a line lights up the facts it came from', () => {
  expect(litBy({ line: 1 }, pairs)).toEqual({ lines: new Set([1]), facts: new Set([1, 2]) });
});

test('a fact lights up every line it led to, and itself where it led to none', () => {
  expect(litBy({ fact: 2 }, pairs)).toEqual({ lines: new Set([1, 4]), facts: new Set([2]) });
  expect(litBy({ fact: 9 }, pairs)).toEqual({ lines: new Set(), facts: new Set([9]) });
});

test('a line that came from no fact stays dark', () => {
  expect(litBy({ line: 2 }, pairs)).toEqual({ lines: new Set(), facts: new Set() });
  expect(litBy(null, pairs)).toEqual({ lines: new Set(), facts: new Set() });
});
