import { expect, test } from 'vitest';

import { pieces } from './prose';

test('code and citations are cut out of the words around them', () => {
  expect(pieces('uvicorn answers `GET /` in 3 ms [1].', new Set([1]))).toEqual([
    { kind: 'text', text: 'uvicorn answers ' },
    { kind: 'code', text: 'GET /' },
    { kind: 'text', text: ' in 3 ms ' },
    { kind: 'citation', number: 1 },
    { kind: 'text', text: '.' },
  ]);
});

test('a number in brackets that is no evidence stays text', () => {
  expect(pieces('list[7] and [2]', new Set([1]))).toEqual([{ kind: 'text', text: 'list[7] and [2]' }]);
});
