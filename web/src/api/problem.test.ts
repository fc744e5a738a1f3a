import { expect, test } from 'vitest';

import { retryTime } from './problem';

const answer = (after?: string) => new Response(null, { headers: after === undefined ? {} : { 'Retry-After': after } });

test('when to try again is counted from now', () => {
  expect(retryTime(answer('30'), 1000)).toBe(31_000);
});

test('what is no number of seconds says nothing', () => {
  for (const after of [undefined, '', '-5', 'soon', '1e9', '99999999999', 'Fri, 31 Dec 1999 23:59:59 GMT']) {
    expect(retryTime(answer(after), 1000), after).toBeNull();
  }
});
