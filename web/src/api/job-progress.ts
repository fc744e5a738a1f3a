/** How what a job's stream says is folded into what is known of it. */
import type { Job, JobLogLine, JobStep } from './types';

/** The states in which a job still changes. */
export function isActive(job: Pick<Job, 'state'>): boolean {
  return job.state === 'queued' || job.state === 'running';
}

/** The job with its step at this place set; saying the same twice changes nothing. */
export function withStep(job: Job, index: number, step: JobStep): Job {
  const steps = job.steps.slice();
  // A stream joined in the middle may name a later step first.
  while (steps.length < index) steps.push({ name: '', detail: '', state: 'running' });
  steps[index] = step;
  return { ...job, state: job.state === 'queued' ? 'running' : job.state, steps };
}

/** The log with these lines added, in order and each once, however often the stream repeats itself. */
export function withLines(log: readonly JobLogLine[], lines: readonly JobLogLine[]): readonly JobLogLine[] {
  const last = log.at(-1)?.number ?? 0;
  const fresh = lines.filter((line) => line.number > last);
  if (fresh.length === lines.length) return lines.length ? [...log, ...lines] : log;
  const known = new Set(log.map((line) => line.number));
  const missing = lines.filter((line) => !known.has(line.number));
  if (!missing.length) return log;
  return [...log, ...missing].sort((left, right) => left.number - right.number);
}

/** The log's lines by the index of their step. */
export function linesByStep(log: readonly JobLogLine[]): Map<number, JobLogLine[]> {
  const steps = new Map<number, JobLogLine[]>();
  for (const line of log) {
    const lines = steps.get(line.step);
    if (lines) lines.push(line);
    else steps.set(line.step, [line]);
  }
  return steps;
}

/** Where the steps of each build of a job begin: the first, those of a second, and of a third where that was needed. */
export function rounds(steps: readonly JobStep[]): number[] {
  const starts = [0];
  steps.forEach((step, place) => {
    const before = steps[place - 1];
    // Each build that is made again ends in a comparison.
    if (step.again && (!before?.again || before.name === 'verify')) starts.push(place);
  });
  return starts;
}

/** The job in one sentence for a screen reader and the bar at the top. */
export function currentStep(job: Job): string {
  if (job.state === 'queued') return 'waiting for its turn';
  const running = job.steps.findLast((step) => step.state === 'running');
  if (running) return running.detail ? `${running.name}: ${running.detail}` : running.name;
  return isActive(job) ? 'preparing' : job.state;
}
