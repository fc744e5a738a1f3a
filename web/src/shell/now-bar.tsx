import { Link } from 'wouter';

import { currentStep, isActive } from '../api/job-progress';
import { useJobs } from '../api/queries';
import { Elapsed } from '../parts/time';

/** What is going on now: the job that runs, as a link over a thin moving bar. */
export function NowBar() {
  const jobs = useJobs().data ?? [];
  const active = jobs.filter(isActive);
  const job = active.find(({ state }) => state === 'running') ?? active[0];
  if (!job) return null;
  return (
    <Link href={`/jobs/${encodeURIComponent(job.id)}`} className="now">
      <span className="spinner" aria-hidden="true" />
      <span className="one-line">
        <strong>{job.project_name}</strong> <span className="now-step">{currentStep(job)}</span>
      </span>
      <Elapsed since={job.created_at} />
      {active.length > 1 && <span className="tag">+{active.length - 1}</span>}
      <span className="now-line" aria-hidden="true" />
    </Link>
  );
}
