import { expect, test } from 'vitest';

import { ago, ahead, bytes, count, duration, shortDigest, shortenDigests } from './format';

test('a digest is known by its first twelve digits', () => {
  expect(shortDigest('sha256:4f1c09ab77e2ffff')).toBe('4f1c09ab77e2');
});

test('digests inside a text are cut, and nothing else', () => {
  expect(shortenDigests(`sha256:${'ab'.repeat(32)} held, 3 layers`)).toBe('sha256:abababababab… held, 3 layers');
  expect(shortenDigests('sha256:abcdef and deadbeef')).toBe('sha256:abcdef and deadbeef');
});

test('bytes are counted in thousands', () => {
  expect([0, 999, 1000, 1500, 41_200_000, 2_500_000_000].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.5 kB',
    '41 MB',
    '2.5 GB',
  ]);
});

test('durations keep the digits that matter', () => {
  expect([0, 340, 2345, 59_949, 72_000, 3_725_000].map(duration)).toEqual([
    '0 ms',
    '340 ms',
    '2.3 s',
    '59.9 s',
    '1 min 12 s',
    '1 h 2 min',
  ]);
});

test('the past is told in its largest unit, and a clock that runs ahead is now', () => {
  const now = 1_000_000_000;
  expect([-5, 0, 40, 185, 7300, 90_000, 200_000].map((seconds) => ago(now - seconds * 1000, now))).toEqual([
    'just now',
    'just now',
    '40 s ago',
    '3 min ago',
    '2 h ago',
    'yesterday',
    '2 days ago',
  ]);
});

test('one is not many', () => {
  expect([count(1, 'line'), count(2, 'line'), count(0, 'entry', 'entries')]).toEqual([
    '1 line',
    '2 lines',
    '0 entries',
  ]);
});

test('the future is told in its largest unit', () => {
  const now = 1_000_000_000;
  expect([-5, 0, 1, 59, 60, 5400, 5401, 86_400, 172_801, 90 * 86_400].map((s) => ahead(now + s * 1000, now))).toEqual([
    'now',
    'now',
    'in 1 s',
    'in 59 s',
    'in 1 min',
    'in 90 min',
    'in 2 h',
    'in 24 h',
    'in 2 days',
    'in 90 days',
  ]);
});
