import { Fragment, useMemo, useState } from 'react';

import { isActive, linesByStep, rounds } from '../api/job-progress';
import type { Job, JobLogLine, JobStep } from '../api/types';
import { SignMark } from '../parts/lamp';
import { Took } from '../parts/time';
import { count, shortenDigests } from '../text/format';
import { stepSign } from '../text/signs';
import { StepLog } from './step-log';

const stateWords: Record<string, string> = {
  running: 'running',
  done: 'done',
  cached: 'cached',
  failed: 'failed',
  left: 'not finished',
};

/** What stands above the steps of the first build, of a second, of a third. */
const headings = ['', 'Again, under other conditions', 'Again, with what every build fixes as it is'];

/** A job's steps, each with its log under it; what runs and what failed is open. */
export function Steps({ job, log }: { job: Job; log: readonly JobLogLine[] }) {
  const lines = useMemo(() => linesByStep(log), [log]);
  if (job.steps.length === 0) {
    return <p className="soft">{isActive(job) ? 'Waiting for the first step…' : 'It ended before its first step.'}</p>;
  }
  const steps = job.steps.map((step, place) => (
    <Step key={place} step={asItEnded(step, job)} lines={lines.get(place) ?? []} live={isActive(job)} />
  ));
  return rounds(job.steps).map((from, round, starts) => (
    <Fragment key={from}>
      {headings[round] && <h3 className="steps-head">{headings[round]}</h3>}
      <ol className="steps" start={from + 1}>
        {steps.slice(from, starts[round + 1])}
      </ol>
    </Fragment>
  ));
}

/** A step that a cancelled job did not finish has not failed: it was left. */
function asItEnded(step: JobStep, job: Job): JobStep {
  const left = !isActive(job) && (step.state === 'running' || (job.state === 'cancelled' && step.state === 'failed'));
  return left ? { ...step, state: 'left' } : step;
}

function Step({ step, lines, live }: { step: JobStep; lines: readonly JobLogLine[]; live: boolean }) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const running = step.state === 'running' && live;
  const open = lines.length > 0 && (chosen ?? (running || step.state === 'failed'));
  return (
    <li className="step" data-state={step.state}>
      <div className="step-row">
        <SignMark sign={stepSign(step)} />
        <span className="hidden-visually">{stateWords[step.state] ?? step.state}:</span>
        <span className="step-name">{step.name}</span>
        <code className="step-detail">{step.detail}</code>
        <span className="step-outcome soft" title={step.outcome ?? undefined}>
          {step.outcome && shortenDigests(step.outcome)}
        </span>
        <span className="step-time soft">
          {step.state === 'cached' || step.state === 'left' ? (
            stateWords[step.state]
          ) : (
            <Took milliseconds={step.milliseconds} />
          )}
        </span>
        <span className="step-lines">
          {lines.length > 0 && (
            <button type="button" className="link-button" aria-expanded={open} onClick={() => setChosen(!open)}>
              {count(lines.length, 'line')}
            </button>
          )}
        </span>
      </div>
      {open && <StepLog lines={lines} label={`Log of ${step.name}`} follow={running || step.state === 'failed'} />}
    </li>
  );
}
