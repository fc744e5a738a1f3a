/** Entries of the audit log as people read them. */
import type { AuditReport, AuditRequest } from '../api/types';
import { count } from './format';
import type { Sign } from './signs';

const known: Record<string, { words: string; sign: Sign }> = {
  allow: { words: 'allowed', sign: 'good' },
  deny: { words: 'denied', sign: 'bad' },
  identify: { words: 'not signed in', sign: 'warn' },
};

/** What can have been decided. */
export const decisions = Object.keys(known);

export const decisionWords = (decision: string): string => known[decision]?.words ?? decision;

const ownWords: Record<string, string> = { damage: 'damage found', pruned: 'old entries removed' };

/** What was decided, and what came of it: an allowed request may still have failed. */
export function entryOutcome(entry: Pick<AuditRequest, 'entry' | 'decision' | 'status'>): {
  sign: Sign;
  words: string;
} {
  if (entry.entry !== 'decision') {
    return { sign: entry.entry === 'damage' ? 'bad' : 'off', words: ownWords[entry.entry] ?? entry.entry };
  }
  const decision = entry.decision ?? '';
  const { words, sign } = known[decision] ?? { words: decision || 'not known', sign: 'off' as const };
  if (decision !== 'allow') return { sign, words };
  if (entry.status === null || entry.status === undefined) return { sign: 'off', words: `${words}, no answer` };
  return entry.status >= 400 ? { sign: 'warn', words: `${words}, failed (${entry.status})` } : { sign, words };
}

/** A check of the log, in one sentence. */
export function reportSentence(report: AuditReport): string {
  if (!report.good) {
    return `The log is not what it was: ${count(report.problems.length, 'problem')} in ${count(report.entries, 'entry', 'entries')}.`;
  }
  const missing =
    report.first > 0 ? ` Those before entry ${report.first} were removed; their hashes are still there.` : '';
  const signed =
    report.signed === null || report.signed === undefined
      ? ' None is signed yet.'
      : ` The first ${count(report.signed, 'is', 'are')} signed.`;
  return `No entry was changed, dropped or moved: ${count(report.entries, 'entry', 'entries')}.${missing}${signed}`;
}
