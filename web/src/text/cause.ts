/** The cause of a failure in one sentence, and the line of output that says it best. */
export interface Cause {
  sentence: string;
  /** What the failed step wrote last; its whole log stands elsewhere. */
  line?: string;
}

/** Takes a multi-line error (`step … ended with exit code 1; it last wrote:` and lines of output) apart. */
export function causeOf(error: string): Cause {
  const [first = '', ...rest] = error.split('\n').map((line) => line.trim());
  const line = rest.findLast(Boolean);
  if (line === undefined) return { sentence: first };
  return { sentence: first.replace(/[;,:]?\s*it last wrote:?$/, '').replace(/:$/, ''), line };
}
