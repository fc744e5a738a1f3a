import { expect, test } from 'vitest';

import type { Evidence, Reply, Thought } from '../api/types';
import { explained } from './explained';

const piece = (number: number, text: string): Evidence => ({
  number,
  text,
  source: 'engine',
  time: '2026-01-01T00:00:00Z',
});

test('an explanation cites evidence by the numbers of the answer it stands below', () => {
  const reply: Reply = { from: 'a', content: 'I stopped [1].', findings: [], evidence: [piece(1, 'exit code 1')] };
  const thought: Thought = {
    sentences: [
      { text: 'A port was taken.', evidence: [piece(4, 'port 80'), piece(2, 'exit code 1')] },
      { text: 'It was 80', evidence: [piece(4, 'port 80')] },
    ],
    dropped: 1,
    model: 'm',
    time: '2026-01-01T00:00:01Z',
  };
  const told = explained(reply, thought);
  expect(told.explanation?.content).toBe('A port was taken [1][2]. It was 80 [2].');
  expect(told.explanation?.evidence).toEqual([1, 2]);
  expect(told.evidence.map(({ number, text }) => `${number} ${text}`)).toEqual(['1 exit code 1', '2 port 80']);
});
