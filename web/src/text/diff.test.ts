import { expect, test } from 'vitest';

import { diffCounts, diffRows } from './diff';

const show = (before: string, after: string) =>
  diffRows(before, after).map(
    ({ kind, text, before, after }) =>
      `${before ?? '·'} ${after ?? '·'} ${{ same: ' ', removed: '-', added: '+' }[kind]} ${text}`,
  );

test('what went stands above what came in its place, each with its own line numbers', () => {
  expect(show('FROM python\nCOPY . .\nCMD x\n', 'FROM python:3.11\nCOPY . .\nEXPOSE 80\nCMD x\n')).toEqual([
    '1 · - FROM python',
    '· 1 + FROM python:3.11',
    '2 2   COPY . .',
    '· 3 + EXPOSE 80',
    '3 4   CMD x',
  ]);
});

test('a missing newline at the end and other line ends are no change', () => {
  expect(diffCounts(diffRows('FROM a\r\nCMD b', 'FROM a\nCMD b\n'))).toEqual({ added: 0, removed: 0 });
});

test('an empty file differs by every line', () => {
  expect(diffCounts(diffRows('', 'FROM a\nCMD b\n'))).toEqual({ added: 2, removed: 0 });
});
