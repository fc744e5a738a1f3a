import { describe, expect, it } from 'vitest';

import { exchangeSign, outcomes, outcomeWords } from './exchanges';

describe('what came of messages', () => {
  it('has words and a sign for all that the stack says', () => {
    expect(outcomes).toEqual([
      'answered',
      'cut',
      'kept',
      'forwarded',
      'waiting',
      'away',
      'too-slow',
      'refused',
      'failed',
      'unheard',
    ]);
    expect(outcomeWords('too-slow')).toBe('too slow');
    expect(exchangeSign({ outcome: 'failed' })).toBe('bad');
  });

  it('shows what it does not know as it is', () => {
    expect(outcomeWords('lost at sea')).toBe('lost at sea');
    expect(exchangeSign({ outcome: 'lost at sea' })).toBe('off');
  });
});
