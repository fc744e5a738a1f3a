import { Link } from 'wouter';

import { isActive } from '../api/job-progress';
import { useBuild } from '../api/queries';
import type { Attachment, Build } from '../api/types';
import { useJob } from '../api/use-job';
import { LineagePicture } from '../jobs/picture';
import { Steps } from '../jobs/steps';
import { Digest } from '../parts/digest';
import { Lamp, Lamps, Status } from '../parts/lamp';
import { Notice, Trouble } from '../parts/notice';
import { Page, Panel } from '../parts/page';
import { Prose } from '../parts/prose';
import { Skeleton } from '../parts/skeleton';
import { Ago, Moment, Took } from '../parts/time';
import { bytes, count, shortDigest } from '../text/format';
import { pictureOfBuild } from '../text/picture';
import { buildSign, pinnedSignal, provenSignal, wellSignal } from '../text/signs';
import { BuildsTable } from './builds-table';
import { Changes } from './changes';
import { Reproducibility } from './reproducibility';
import { useVerifyButton } from './verify-button';

/** A build: the chain it stands in, what it was made of, what it made. */
export function BuildPage({ hash }: { hash: string }) {
  const build = useBuild(hash);
  const { job: again, log } = useJob(build.data?.verify_job_id);
  const verify = useVerifyButton(build.data, again.data);
  const title = shortDigest(hash);
  if (!build.data) {
    return (
      <Page title={title} kind="Build">
        {build.error ? <Trouble error={build.error} /> : <Skeleton shape="panel" count={3} />}
      </Page>
    );
  }
  return (
    <Page title={title} kind="Build" actions={verify.buttons}>
      <div className="stack">
        {verify.trouble}
        <LineagePicture picture={pictureOfBuild(build.data)} label="From source to running containers" />
        <Lamps>
          <Status sign={buildSign(build.data)}>{build.data.state}</Status>
          <Lamp {...pinnedSignal(build.data)} />
          <Lamp {...provenSignal(build.data)} />
          <Lamp {...wellSignal(build.data.containers)} />
        </Lamps>
        {build.data.unpinned.length > 0 && (
          <Notice kind="warning">
            <p>Not everything in this build is pinned:</p>
            <ul className="bullets">
              {build.data.unpinned.map((reason) => (
                <li key={reason}>
                  <Prose text={reason} />
                </li>
              ))}
            </ul>
          </Notice>
        )}
        <Reproducibility build={build.data} job={again.data} log={log} />
        <Panel title="Evidence">
          <EvidenceFacts build={build.data} />
        </Panel>
        {build.data.changes && <Changes changes={build.data.changes} />}
        <Images build={build.data} />
        {build.data.same_source.length > 0 && (
          <Panel title="Built from the same source">
            <BuildsTable builds={build.data.same_source} />
          </Panel>
        )}
        {build.data.dependents.length > 0 && (
          <Panel title="Built on its image">
            <BuildsTable builds={build.data.dependents} />
          </Panel>
        )}
        {build.data.job_id && build.data.job_id !== build.data.verify_job_id && (
          <BuildSteps jobId={build.data.job_id} />
        )}
        <Panel title="Manifest">
          <pre className="raw" tabIndex={0}>
            {JSON.stringify(build.data.manifest, null, 2)}
          </pre>
        </Panel>
      </div>
    </Page>
  );
}

function EvidenceFacts({ build }: { build: Build }) {
  return (
    <dl className="facts">
      <dt>Project</dt>
      <dd>
        {build.project_id ? (
          <Link href={`/projects/${encodeURIComponent(build.project_id)}`}>{build.project_name}</Link>
        ) : (
          <span className="soft">a folder that is no project here</span>
        )}
      </dd>
      <dt>Build hash</dt>
      <dd>
        <Digest value={build.build_hash} what="build hash" full />
      </dd>
      <dt>Source</dt>
      <dd>
        <Digest value={build.source_digest} what="source digest" full />{' '}
        {build.commit && <Commit build={build} commit={build.commit} />}
      </dd>
      <dt>Manifest</dt>
      <dd>
        <Digest
          value={build.manifest_digest}
          what="manifest digest"
          href={`/manifests/${encodeURIComponent(build.manifest_digest)}`}
          full
        />
      </dd>
      {build.bases.map((base) => (
        <BaseFact key={base.reference} reference={base.reference} digest={base.digest} />
      ))}
      <dt>Platform</dt>
      <dd>{build.platform}</dd>
      <dt>File times</dt>
      <dd>{new Date(build.epoch * 1000).toISOString().replace('.000Z', 'Z')}</dd>
      <dt>Encoding</dt>
      <dd>{build.builder}</dd>
      <dt>Built</dt>
      <dd>
        <Moment time={build.started_at} /> (<Ago time={build.started_at} />)
        {build.cached
          ? ', found in the cache'
          : build.milliseconds != null && (
              <>
                , in <Took milliseconds={build.milliseconds} />
              </>
            )}
      </dd>
    </dl>
  );
}

function Commit({ build, commit }: { build: Build; commit: string }) {
  return (
    <span className="soft">
      git <Link href={`/registry/${encodeURIComponent(commit)}`}>{build.git}</Link>
      {build.clean === false && ', with changes that are in no commit'}
    </span>
  );
}

function BaseFact({ reference, digest }: { reference: string; digest: string }) {
  return (
    <>
      <dt>Base</dt>
      <dd>
        <Link href={`/registry/${encodeURIComponent(reference)}`}>
          <code>{reference}</code>
        </Link>{' '}
        <Digest value={digest} what={`digest of ${reference}`} full />
      </dd>
    </>
  );
}

function Images({ build }: { build: Build }) {
  if (!build.images.length) return null;
  return (
    <Panel title={build.images.length === 1 ? 'Image' : 'Images'}>
      <ul className="stack">
        {build.images.map((image) => (
          <li key={image.container}>
            <dl className="facts">
              <dt>Container</dt>
              <dd>{image.container}</dd>
              <dt>Digest</dt>
              <dd>
                <Digest value={image.image_digest} what="image digest" full />
              </dd>
              <dt>Tags</dt>
              <dd className="tags">
                {image.tags.map((tag) => (
                  <code key={tag}>{tag}</code>
                ))}
              </dd>
              <dt>Size</dt>
              <dd>{bytes(image.size)} compressed</dd>
              <dt>Evidence</dt>
              <dd>
                <Attached attached={build.attached.filter(({ container }) => container === image.container)} />
              </dd>
            </dl>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** What is attached to an image: `sbom (62 packages) · provenance · proof`. */
function Attached({ attached }: { attached: readonly Attachment[] }) {
  const named = new Map<string, string>();
  for (const { what, packages } of attached) {
    if (packages != null) named.set(what, `${what} (${count(packages, 'package')})`);
    else if (!named.has(what)) named.set(what, what);
  }
  if (named.size === 0) return <span className="soft">nothing attached</span>;
  return <>{[...named.values()].join(' · ')}</>;
}

/** How the build went, live while it goes. */
function BuildSteps({ jobId }: { jobId: string }) {
  const { job, log } = useJob(jobId);
  if (!job.data) return null;
  return (
    <Panel
      title="Steps"
      aside={<Link href={`/jobs/${encodeURIComponent(jobId)}`}>{isActive(job.data) ? 'Watch it' : 'The job'}</Link>}
    >
      <Steps job={job.data} log={log} />
    </Panel>
  );
}
