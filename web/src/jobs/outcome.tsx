import { Link } from 'wouter';

import type { Job } from '../api/types';
import { Cause, Notice } from '../parts/notice';
import { Ports } from '../parts/ports';
import { causeOf } from '../text/cause';
import { plainLine } from '../text/terminal';

/** What a finished job came to, the cause first where it failed. */
export function Outcome({ job }: { job: Job }) {
  if (job.state === 'failed' || job.state === 'interrupted') {
    const cause = causeOf(
      job.error ?? (job.state === 'failed' ? 'It failed without saying why.' : 'The stack stopped before it was done.'),
    );
    return (
      <Notice kind={job.state === 'failed' ? 'problem' : 'warning'}>
        <Cause text={cause.sentence} remedy={job.remedy} />
        {cause.line && <code className="wrap-anywhere">{plainLine(cause.line)}</code>}
      </Notice>
    );
  }
  if (job.state === 'cancelled') {
    return (
      <Notice kind="warning">
        <p>
          {job.kind === 'verify'
            ? 'Cancelled. The build is as it was.'
            : 'Cancelled. Nothing of it was kept but what the cache can use again.'}
        </p>
      </Notice>
    );
  }
  if (job.kind === 'verify' && job.state === 'succeeded') {
    return (
      <Notice kind="done">
        <p>Built a second time under other conditions: the same bits came out.</p>
      </Notice>
    );
  }
  if (!job.result) return null;
  return (
    <Notice kind={job.result.state === 'unhealthy' || job.result.state === 'exited' ? 'warning' : 'done'}>
      {job.result.containers.map((started) => (
        <p key={started.container} className="row">
          <Link href={`/containers/${encodeURIComponent(started.container)}`}>{started.container}</Link>
          is {started.state}
          <Ports ports={started.ports} />
          <span className="soft">
            ask <Link href={`/companions/${encodeURIComponent(started.companion)}`}>{started.companion}</Link>
          </span>
        </p>
      ))}
    </Notice>
  );
}
