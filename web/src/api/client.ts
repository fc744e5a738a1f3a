import createClient from 'openapi-fetch';

import { ProblemError, problemFrom, retryTime } from './problem';
import type { paths } from './schema';

/** The typed client; every path and body is checked against the committed API document. */
export const client = createClient<paths>({
  headers: { Accept: 'application/json' },
  // Looked up on each call, so that nothing is bound before the page is ready.
  fetch: (request) => fetch(request),
});

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer; a refusal is thrown as a `ProblemError`. */
export async function unwrap<T>(answer: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw new ProblemError(problemFrom(response, error), retryTime(response, Date.now()));
  return data as T;
}
