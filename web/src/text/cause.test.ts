import { expect, test } from 'vitest';

import { causeOf } from './cause';

test('of a step and its last lines, the step and the very last line are told', () => {
  expect(
    causeOf('step `pip install` ended with exit code 1; it last wrote:\nCollecting x\n  ERROR: No match for x\n'),
  ).toEqual({
    sentence: 'step `pip install` ended with exit code 1',
    line: 'ERROR: No match for x',
  });
});

test('an error of one line is its own sentence', () => {
  expect(causeOf('the engine went away')).toEqual({ sentence: 'the engine went away' });
});
