import { useState } from 'react';

import { useCancelJob } from '../api/actions';
import { currentStep, isActive } from '../api/job-progress';
import { useBuild, useMay } from '../api/queries';
import { useJob } from '../api/use-job';
import { Chain } from '../jobs/chain';
import { Outcome } from '../jobs/outcome';
import { Steps } from '../jobs/steps';
import { Button } from '../parts/button';
import { Digest } from '../parts/digest';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Page, Panel } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { Ago, Elapsed, Took } from '../parts/time';
import { jobSign } from '../text/signs';
import type { Job } from '../api/types';

const kinds: Record<string, string> = { handoff: 'Sent to Ergon', run: 'Run', verify: 'Verify' };

/** A job, live: what came of what on top, its steps below, filling while one looks. */
export function JobPage({ id }: { id: string }) {
  const { job, log } = useJob(id);
  const build = useBuild(job.data?.result?.build_hash ?? job.data?.build_hash);
  if (!job.data) {
    return (
      <Page title="Job" kind="Job">
        {job.error ? <Trouble error={job.error} /> : <Skeleton shape="panel" count={2} />}
      </Page>
    );
  }
  const hash = job.data.result?.build_hash ?? job.data.build_hash;
  return (
    <Page
      title={job.data.project_name}
      kind={kinds[job.data.kind] ?? job.data.kind}
      actions={<Cancel job={job.data} />}
    >
      <div className="stack">
        <Chain
          project={{ id: job.data.project_id, name: job.data.project_name }}
          build={build.data}
          buildHash={hash}
          container={job.data.result?.container}
          live={isActive(job.data)}
        />
        <Outcome job={job.data} />
        <Panel title="Steps" aside={<Progress job={job.data} />}>
          <Steps job={job.data} log={log} />
        </Panel>
        {hash && (
          <dl className="facts">
            <dt>Build</dt>
            <dd>
              <Digest value={hash} what="build hash" href={`/builds/${encodeURIComponent(hash)}`} full />
            </dd>
            {job.data.result && (
              <>
                <dt>Image</dt>
                <dd>
                  <Digest value={job.data.result.image_digest} what="image digest" full />
                </dd>
                <dt>Tag</dt>
                <dd>
                  <code>{job.data.result.image}</code>
                </dd>
              </>
            )}
          </dl>
        )}
      </div>
      <p className="hidden-visually" role="status">
        {`${job.data.project_name}: ${currentStep(job.data)}`}
      </p>
    </Page>
  );
}

function Progress({ job }: { job: Job }) {
  return (
    <span className="row">
      <Status sign={jobSign(job)}>{job.state}</Status>
      {isActive(job) ? (
        <Elapsed since={job.created_at} />
      ) : (
        job.finished_at && (
          <>
            <Took milliseconds={new Date(job.finished_at).getTime() - new Date(job.created_at).getTime()} />
            <Ago time={job.finished_at} />
          </>
        )
      )}
    </span>
  );
}

function Cancel({ job }: { job: Job }) {
  const mayCancel = useMay('CancelJob');
  const cancel = useCancelJob();
  const [asked, setAsked] = useState(false);
  if (!mayCancel || !isActive(job)) return null;
  return (
    <>
      <Trouble error={cancel.error} />
      <Button
        busy={(cancel.isPending || asked) && !cancel.error && 'Cancelling…'}
        onClick={() => {
          setAsked(true);
          cancel.mutate(job.id);
        }}
      >
        Cancel
      </Button>
    </>
  );
}
