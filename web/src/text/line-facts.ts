/** Which lines of a Dockerfile and which facts belong together. */
import type { LineFact } from '../api/types';

/** What is being pointed at. */
export type Pointed = { line: number } | { fact: number } | null;

export interface Lit {
  lines: ReadonlySet<number>;
  facts: ReadonlySet<number>;
}

/** What lights up: the thing itself and everything on the other side that it came from or led to. */
export function litBy(pointed: Pointed, pairs: readonly LineFact[]): Lit {
  if (pointed === null) return { lines: new Set(), facts: new Set() };
  if ('line' in pointed) {
    const facts = pairs.filter((pair) => pair.line === pointed.line).flatMap((pair) => pair.facts);
    return { lines: new Set(facts.length ? [pointed.line] : []), facts: new Set(facts) };
  }
  const lines = pairs.filter((pair) => pair.facts.includes(pointed.fact)).map((pair) => pair.line);
  return { lines: new Set(lines), facts: new Set([pointed.fact]) };
}
