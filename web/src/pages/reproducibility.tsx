import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';

import { currentStep, isActive } from '../api/job-progress';
import type { Build, Difference, ImageVerification, Job, JobLogLine, Verification } from '../api/types';
import { Outcome } from '../jobs/outcome';
import { Steps } from '../jobs/steps';
import { Button } from '../parts/button';
import { Digest } from '../parts/digest';
import { Status } from '../parts/lamp';
import { Panel } from '../parts/page';
import { Prose } from '../parts/prose';
import { Ago, Elapsed, Took } from '../parts/time';
import { count } from '../text/format';
import { bothSides, countUnlisted, extent, inWhatAndWhere, isEqual, isToldBy, remark } from '../text/reproducibility';
import { plainLine } from '../text/terminal';

/** So many differences are drawn before one asks for the others. */
const OPEN = 10;

interface ReproducibilityProps {
  build: Build;
  /** The newest job that was to build it a second time. */
  job: Job | undefined;
  log: readonly JobLogLine[];
}

/** What is known of whether a build comes out the same again, and what it was measured by. */
export function Reproducibility({ build, job, log }: ReproducibilityProps) {
  const { verification } = build;
  const active = job !== undefined && isActive(job);
  const told = job !== undefined && isToldBy(job, verification);
  return (
    <Panel title="Reproducibility" aside={job && <JobLink job={job} />}>
      <div className="stack">
        {active && (
          <div>
            <Steps job={job} log={log} />
          </div>
        )}
        {job && !active && !told && <Attempt job={job} />}
        {verification ? <Measured verification={verification} /> : !active && <NotMeasured build={build} />}
        {job && !active && job.steps.length > 0 && (
          <details className="disclosure">
            <summary>{told ? 'Its steps' : 'Steps of the last attempt'}</summary>
            <Steps job={job} log={log} />
          </details>
        )}
      </div>
      <p className="hidden-visually" role="status">
        {active ? `Verifying: ${currentStep(job)}` : ''}
      </p>
    </Panel>
  );
}

function JobLink({ job }: { job: Job }) {
  const link = <Link href={`/jobs/${encodeURIComponent(job.id)}`}>The job</Link>;
  if (!isActive(job)) return link;
  return (
    <span className="row">
      <Status sign="busy">{job.state === 'queued' ? 'waiting for its turn' : 'verifying'}</Status>
      <Elapsed since={job.created_at} />
      {link}
    </span>
  );
}

/** An attempt that measured nothing. */
function Attempt({ job }: { job: Job }) {
  if (job.state === 'succeeded') return null;
  if (job.state !== 'cancelled') return <Outcome job={job} />;
  return (
    <p className="soft">
      The last attempt was cancelled {job.finished_at && <Ago time={job.finished_at} />}; the build is as it was.
    </p>
  );
}

function NotMeasured({ build }: { build: Build }) {
  if (build.state !== 'succeeded')
    return <p className="soft">There is no finished build to compare a second one with.</p>;
  return (
    <p className="soft">
      Built once. A second build under other conditions would show whether the same bits come out.{' '}
      {!build.project_name && <Prose text="Its folder is not known here: run `ergon build --verify` in it." />}
    </p>
  );
}

function Measured({ verification }: { verification: Verification }) {
  const equal = isEqual(verification);
  return (
    <>
      <p className="measured">
        <Status sign={equal ? 'good' : 'bad'}>{equal ? 'The same bits' : 'Not the same bits'}</Status>
        <span>
          Built again <Ago time={verification.at} />, in <Took milliseconds={verification.milliseconds} />, under other
          conditions.
        </span>
      </p>
      {verification.images.map((image) => (
        <ImageResult key={image.container} image={image} />
      ))}
      <DependsOnFixed differences={verification.depends_on_fixed ?? []} />
      <Conditions verification={verification} />
    </>
  );
}

function ImageResult({ image }: { image: ImageVerification }) {
  const { container, first, second, comparison } = image;
  return (
    <section className="compared" aria-label={`Comparison of ${container}`}>
      <dl className="facts">
        <dt>Container</dt>
        <dd>{container}</dd>
        <dt>{comparison.equal ? 'Both images' : 'First image'}</dt>
        <dd>
          <Digest value={first} what="digest of the first image" full={comparison.equal} />
        </dd>
        {!comparison.equal && (
          <>
            <dt>Second image</dt>
            <dd>
              <Digest value={second} what="digest of the second image" /> <span className="soft">not kept</span>
            </dd>
            <dt>Found</dt>
            <dd>{extent(comparison)}</dd>
          </>
        )}
      </dl>
      {!comparison.equal && <Differences of={image} />}
    </section>
  );
}

function Differences({ of: { container, comparison } }: { of: ImageVerification }) {
  const [all, setAll] = useState(false);
  const list = useRef<HTMLOListElement>(null);
  const { differences } = comparison;
  const shown = all ? differences : differences.slice(0, OPEN);
  const hidden = differences.length - shown.length;
  const unlisted = countUnlisted(comparison);

  useEffect(() => {
    // The button is gone; who pressed it goes on at the first that was hidden.
    if (all) (list.current?.children[OPEN] as HTMLElement | undefined)?.focus();
  }, [all]);

  return (
    <>
      <ol ref={list} className="differences" aria-label={`Differences of ${container}`}>
        {shown.map((difference) => (
          <DifferenceItem key={keyOf(difference)} difference={difference} />
        ))}
      </ol>
      {hidden > 0 && (
        <div>
          <Button onClick={() => setAll(true)}>Show {count(hidden, 'more difference')}</Button>
        </div>
      )}
      {hidden === 0 && unlisted > 0 && (
        <p className="soft">{count(unlisted, 'more difference')} counted, not listed.</p>
      )}
    </>
  );
}

/** A path may differ in several ways, and in several layers. */
const keyOf = ({ layer, path, what }: Difference) => `${layer ?? 0} ${path} ${what}`;

function DifferenceItem({ difference }: { difference: Difference }) {
  const { path, layer, step, cause, fix } = difference;
  const sides = bothSides(difference);
  return (
    <li className="difference" tabIndex={-1}>
      <p className="difference-head">
        <code className="difference-path">{plainLine(path)}</code>
        <span className="soft">{inWhatAndWhere(difference)}</span>
      </p>
      {sides && (
        <dl className="difference-sides">
          <dt>first</dt>
          <dd>{plainLine(sides.first)}</dd>
          <dt>second</dt>
          <dd>{plainLine(sides.second)}</dd>
        </dl>
      )}
      <dl className="facts">
        {layer != null && (
          <>
            <dt>Written by</dt>
            <dd className="one-line" title={step ?? undefined}>
              layer {layer}
              {step && (
                <>
                  , <code>{plainLine(step)}</code>
                </>
              )}
            </dd>
          </>
        )}
        <dt>Likely cause</dt>
        <dd>{cause ?? <span className="soft">not recognised</span>}</dd>
        {fix && (
          <>
            <dt>What mends it</dt>
            <dd>
              <Prose text={fix} />
            </dd>
          </>
        )}
      </dl>
    </li>
  );
}

/** What would come out otherwise only where what every build fixes is not. */
function DependsOnFixed({ differences }: { differences: readonly Difference[] }) {
  if (!differences.length) return null;
  return (
    <details className="disclosure">
      <summary>{count(differences.length, 'difference')} only where what every build fixes was changed</summary>
      <p className="soft disclosed">
        No build of Ergon gives other bits because of it. Whoever builds the same by other means would do well to know.
      </p>
      <ol className="differences" aria-label="Differences by what every build fixes">
        {differences.map((difference, place) => (
          <DifferenceItem key={place} difference={difference} />
        ))}
      </ol>
    </details>
  );
}

function Conditions({ verification }: { verification: Verification }) {
  const { conditions } = verification;
  if (!conditions.length) return null;
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Conditions of the two builds">
      <table className="table conditions" data-folds="true">
        <thead>
          <tr>
            <th scope="col">Condition</th>
            <th scope="col">First build</th>
            <th scope="col">Second build</th>
            <th scope="col">Note</th>
          </tr>
        </thead>
        <tbody>
          {conditions.map((condition) => (
            <tr key={condition.name}>
              <th scope="row">{condition.name}</th>
              <td data-column="first">{condition.first}</td>
              <td data-column="second">{condition.second ?? <span className="soft">the same</span>}</td>
              <td className="soft note">{remark(condition, verification)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
