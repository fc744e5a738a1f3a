/** What came of messages, in words and signs. */
import type { Exchange } from '../api/types';
import type { Sign } from './signs';

const known: Record<string, { words: string; sign: Sign }> = {
  answered: { words: 'answered', sign: 'good' },
  cut: { words: 'cut off', sign: 'warn' },
  kept: { words: 'in the inbox', sign: 'good' },
  forwarded: { words: 'passed on', sign: 'good' },
  waiting: { words: 'waiting', sign: 'off' },
  away: { words: 'away', sign: 'warn' },
  'too-slow': { words: 'too slow', sign: 'warn' },
  refused: { words: 'refused', sign: 'bad' },
  failed: { words: 'failed', sign: 'bad' },
  unheard: { words: 'not listened to', sign: 'off' },
};

/** All that can come of a message. */
export const outcomes = Object.keys(known);

export const outcomeWords = (outcome: string): string => known[outcome]?.words ?? outcome;

export const exchangeSign = (exchange: Pick<Exchange, 'outcome'>): Sign => known[exchange.outcome]?.sign ?? 'off';
