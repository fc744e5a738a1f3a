import { expect, test } from 'vitest';

import type { Difference, Verification } from '../api/types';
import { bothSides, countUnlisted, extent, inWhatAndWhere, isToldBy, measured, remark } from './reproducibility';

const when: Difference = { path: 'app/when', what: 'content', line: 1, first: 'Mon', second: 'Tue', cause: 'a time' };

function verification(...differences: Difference[]): Verification {
  const equal = differences.length === 0;
  const comparison = { equal, compared: equal ? 0 : 4, different: differences.length, differences };
  return {
    at: '2026-01-02T14:03:00Z',
    milliseconds: 2000,
    conditions: [
      { name: 'time zone', first: 'UTC', second: 'EST5EDT', fixed: true },
      { name: 'umask', first: '0022', second: '0002', fixed: true },
      { name: 'folder', first: 'the project’s', second: 'a copy', fixed: false },
      { name: 'user', first: 'root', fixed: true, note: 'always' },
      { name: 'processors', first: '1', fixed: false, note: 'this machine has only one' },
    ],
    images: [{ container: 'web', first: 'sha256:1', second: equal ? 'sha256:1' : 'sha256:2', comparison }],
  };
}

test('a place is the line, else the byte, else only what differs', () => {
  expect([
    inWhatAndWhere(when),
    inWhatAndWhere({ path: 'a.bin', what: 'content', offset: 4096 }),
    inWhatAndWhere({ path: 'a', what: 'mode', first: '0644', second: '0600' }),
    inWhatAndWhere({ path: 'a', what: 'only-in-second' }),
  ]).toEqual(['its content, from line 1', 'its content, from byte 4096', 'its mode', 'only in the second build']);
});

test('a side that has nothing says so, and two such sides are not shown', () => {
  expect(bothSides(when)).toEqual({ first: 'Mon', second: 'Tue' });
  expect(bothSides({ path: 'config.Env', what: 'configuration', second: 'A=1' })).toEqual({
    first: 'not set',
    second: 'A=1',
  });
  expect(bothSides({ path: 'a', what: 'only-in-first' })).toBeNull();
});

test('what is counted and not listed is known, also where a path differs in two ways', () => {
  const mode: Difference = { path: 'app/when', what: 'mode', first: '0644', second: '0600' };
  const comparison = { equal: false, compared: 300, different: 3, differences: [when, mode] };
  expect(countUnlisted(comparison)).toBe(2);
  expect(countUnlisted({ ...comparison, different: 1 })).toBe(0);
});

test('what was measured names what was varied, and nothing that could not be', () => {
  expect(measured(verification())).toBe('Built again with another time zone, umask, folder: the same bits came out.');
  expect(measured(verification(when))).toBe(
    'Built again with another folder: 1 difference, the first in app/when (a time).',
  );
  // Where a build only came out the same with what every build fixes, that was not varied.
  const same = { ...verification(), depends_on_fixed: [when] };
  expect(measured(same)).toBe('Built again with another folder: the same bits came out.');
  expect(extent({ equal: false, compared: 0, different: 1, differences: [] })).toBe('1 difference');
});

test('a condition says whether every build fixes it, and what could not be changed', () => {
  const proven = verification();
  expect(proven.conditions.map((condition) => remark(condition, proven))).toEqual([
    'every build fixes it',
    'every build fixes it',
    '',
    'every build fixes it; always',
    'this machine has only one',
  ]);
  const failed = verification(when);
  expect(failed.conditions.map((condition) => remark(condition, failed))).toEqual([
    'every build fixes it; not changed in the third',
    'every build fixes it; not changed in the third',
    '',
    'every build fixes it; always',
    'this machine has only one',
  ]);
});

test('a job is told by the verification that came of it, not by one before it', () => {
  const before = { state: 'failed', created_at: '2026-01-02T14:02:00Z' };
  const after = { state: 'failed', created_at: '2026-01-02T14:04:00Z' };
  expect(isToldBy(before, verification(when))).toBe(true);
  expect(isToldBy(after, verification(when))).toBe(false);
  expect(isToldBy({ ...before, state: 'cancelled' }, verification())).toBe(false);
  expect(isToldBy(before, undefined)).toBe(false);
});
