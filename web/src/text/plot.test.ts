import { expect, test } from 'vitest';

import { ceiling, described, happened, height, latest, path, place, shown } from './plot';

test('a line is interrupted where nothing was counted', () => {
  expect(path([0, 10, null, 5, null], 10)).toBe('M0.0 60.0L60.0 0.0M180.0 30.0L180.0 30.0');
  expect(path([null, null], 10)).toBe('');
  expect(path([], 10)).toBe('');
});

test('the scale ends at a round number above everything', () => {
  expect(ceiling([3, null, 41], 1)).toBe(50);
  expect(ceiling([100], 1)).toBe(100);
  expect(ceiling([], 1)).toBe(1);
  expect(height(200, 100)).toBe(0);
});

test('a moment is drawn where it was, and never outside', () => {
  const [since, until] = ['2026-11-21T10:00:00Z', '2026-11-21T11:00:00Z'];
  expect(place('2026-11-21T10:15:00Z', since, until)).toBe(0.25);
  expect(place('2026-11-21T09:00:00Z', since, until)).toBe(0);
  expect(place(since, since, since)).toBe(1);
});

test('values are said with their units', () => {
  expect(shown(41_200_000, 'bytes')).toBe('41 MB');
  expect(shown(1500, 'bytes per second')).toBe('1.5 kB/s');
  expect(shown(3.21, 'percent')).toBe('3.2 %');
  expect(latest([1, 2, null])).toBe(2);
  expect(latest([null])).toBeNull();
});

test('a plot is told in words', () => {
  const memory = { metric: 'memory', unit: 'bytes', values: [1000, null], peaks: [3000, null] };
  const marks = [{ time: '2026-11-21T10:15:00Z', kind: 'died', exit_code: 137 }];
  expect(described([memory], marks)).toBe('memory: 1.0 kB now, 3.0 kB at most; 1 mark');
  expect(described([{ metric: 'sent', unit: 'bytes', values: [] }], [])).toBe('sent: nothing was counted');
  expect(marks.map(happened)).toEqual(['ended with code 137']);
});
