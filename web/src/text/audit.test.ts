import { expect, test } from 'vitest';

import { entryOutcome, reportSentence } from './audit';

const words = (entry: Partial<Parameters<typeof entryOutcome>[0]>) => {
  const { sign, words } = entryOutcome({ entry: 'decision', ...entry });
  return `${sign}: ${words}`;
};

test('what was decided is told from what came of it', () => {
  expect(words({ decision: 'allow', status: 200 })).toBe('good: allowed');
  expect(words({ decision: 'allow', status: 409 })).toBe('warn: allowed, failed (409)');
  expect(words({ decision: 'allow' })).toBe('off: allowed, no answer');
  expect(words({ decision: 'deny' })).toBe('bad: denied');
  expect(words({ decision: 'identify' })).toBe('warn: not signed in');
});

test('what the log says of itself is no decision', () => {
  expect(words({ entry: 'damage' })).toBe('bad: damage found');
  expect(words({ entry: 'pruned' })).toBe('off: old entries removed');
  expect(words({ entry: 'something-new' })).toBe('off: something-new');
  expect(words({})).toBe('off: not known');
});

test('a check says what it counted', () => {
  expect(reportSentence({ good: true, entries: 7, first: 0, signed: 7, problems: [] })).toBe(
    'No entry was changed, dropped or moved: 7 entries. The first 7 are signed.',
  );
  expect(reportSentence({ good: true, entries: 1, first: 0, problems: [] })).toContain('1 entry. None is signed');
  expect(reportSentence({ good: true, entries: 600, first: 256, signed: 600, problems: [] })).toContain(
    'before entry 256',
  );
  expect(reportSentence({ good: false, entries: 7, first: 0, problems: ['entry 3 was changed'] })).toBe(
    'The log is not what it was: 1 problem in 7 entries.',
  );
});
