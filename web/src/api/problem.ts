import type { Problem } from './types';

/** A refused or failed request: what happened, and what to do next. */
export class ProblemError extends Error {
  readonly problem: Problem;
  /** When it is worth another try, in milliseconds since 1970; null where nothing was said of it. */
  readonly retryAt: number | null;

  constructor(problem: Problem, retryAt: number | null = null) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.problem = problem;
    this.retryAt = retryAt;
  }
}

/** When it is worth another try, as `Retry-After` says it in seconds. */
export function retryTime(response: Response, now: number): number | null {
  const seconds = response.headers.get('Retry-After')?.trim() ?? '';
  return /^\d{1,9}$/.test(seconds) ? now + Number(seconds) * 1000 : null;
}

/** Whether it is not for whoever asked. */
export function isRefused(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.status === 403;
}

/** Whether what was asked for is not there, as opposed to not answering. */
export function isMissing(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.status === 404;
}

/** Whatever was thrown, as a problem that can be shown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  // `fetch` rejects with a TypeError and nothing else when no answer came.
  if (error instanceof TypeError) {
    return problem(0, 'No answer', 'The stack does not answer.', 'Is it still running? Start it with: ergon up');
  }
  return problem(0, 'Unexpected', error instanceof Error ? error.message : String(error));
}

/** The problem document in a response's body, or the best that can be said without one. */
export function problemFrom(response: Response, body: unknown): Problem {
  if (isProblem(body)) return body;
  if (response.status === 502 || response.status === 504) return problemOf(new TypeError());
  return problem(response.status, response.statusText, `The stack answered ${response.status} ${response.statusText}.`);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'detail' in body && typeof body.detail === 'string';
}

function problem(status: number, title: string, detail: string, remedy?: string): Problem {
  return { type: 'about:blank', title, status, detail, remedy };
}
