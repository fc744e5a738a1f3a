import { expect, test } from 'vitest';

import { plainLine } from './terminal';

test('colours and titles are left out', () => {
  expect(plainLine('\u001b[32mINFO\u001b[0m:  \u001b]0;title\u0007started')).toBe('INFO:  started');
});

test('of a line that was rewritten in place, its last form is kept', () => {
  expect(plainLine('10 %\r55 %\r100 %\r')).toBe('100 %');
  expect(plainLine('')).toBe('');
});
