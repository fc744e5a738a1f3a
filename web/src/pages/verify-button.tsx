import { useEffect, useRef, useState } from 'react';

import { useCancelJob, useVerify } from '../api/actions';
import { isActive } from '../api/job-progress';
import { useMay } from '../api/queries';
import type { Build, Job } from '../api/types';
import { Button } from '../parts/button';
import { Trouble } from '../parts/notice';

/** Verify: builds a second time and compares. Returns the buttons, and the message where it could not be asked for. */
export function useVerifyButton(build: Build | undefined, job: Job | undefined) {
  const mayVerify = useMay('VerifyBuild');
  const verify = useVerify();
  const cancel = useCancelJob();
  const [cancelled, setCancelled] = useState<string | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const wasBusy = useRef(false);
  const active = job !== undefined && isActive(job);
  const busy = verify.isPending || active;

  useEffect(() => {
    // The button was disabled while it worked; whoever waited at it goes on from it.
    if (wasBusy.current && !busy && document.activeElement === document.body) {
      button.current?.focus({ preventScroll: true });
    }
    wasBusy.current = busy;
  }, [busy]);

  // A build whose folder is not known here cannot be made again here.
  const offered = mayVerify && build?.state === 'succeeded' && build.project_name != null;
  return {
    buttons: build && (offered || (mayVerify && active)) && (
      <>
        <Button
          ref={button}
          busy={busy && 'Verifying…'}
          title="Builds it a second time under other conditions, and compares"
          onClick={() => verify.mutate(build.build_hash)}
        >
          Verify
        </Button>
        {active && (
          <Button
            busy={cancelled === job.id && !cancel.error && 'Cancelling…'}
            onClick={() => {
              setCancelled(job.id);
              cancel.mutate(job.id);
            }}
          >
            Cancel
          </Button>
        )}
      </>
    ),
    trouble: <Trouble error={verify.error ?? cancel.error} />,
  };
}
