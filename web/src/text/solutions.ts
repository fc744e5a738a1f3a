/** How a solution does by the standards, in a sign and a few words. */
import type { Solution, Standard } from '../api/types';
import type { Sign } from './signs';

const signs: Record<string, Sign> = { met: 'good', 'not-met': 'bad', unknown: 'warn', 'not-applicable': 'off' };

export const standardSign = (standard: Pick<Standard, 'state'>): Sign => signs[standard.state] ?? 'off';

/** The standards that apply and are not met. */
export const lacking = (solution: Pick<Solution, 'standards'>): string[] =>
  solution.standards.filter(({ state }) => state === 'not-met' || state === 'unknown').map(({ name }) => name);

export function verdict(solution: Pick<Solution, 'standards' | 'meets_standards'>): { sign: Sign; label: string } {
  if (solution.meets_standards) return { sign: 'good', label: 'meets every standard' };
  return { sign: 'warn', label: `lacks ${lacking(solution).join(', ')}` };
}

/** Whether every word is in what is said of it. */
export function fits(solution: Solution, words: string): boolean {
  const { name, version, kind, description, keywords, source } = solution;
  const text = [name, version, kind, description, ...keywords, source ?? '', verdict(solution).label]
    .join(' ')
    .toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
