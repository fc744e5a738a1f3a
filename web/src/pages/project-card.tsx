import { useState } from 'react';
import { Link, useLocation } from 'wouter';

import { useRemoveProject, useRun } from '../api/actions';
import { currentStep } from '../api/job-progress';
import { useMay } from '../api/queries';
import type { Project } from '../api/types';
import { useDockerButton } from '../docker/docker-button';
import { Button } from '../parts/button';
import { Confirm } from '../parts/confirm';
import { Digest } from '../parts/digest';
import { Lamp, Lamps, SignMark, Status } from '../parts/lamp';
import { Cause, Notice, Trouble } from '../parts/notice';
import { Prose } from '../parts/prose';
import { Ago, Elapsed, Took } from '../parts/time';
import { buildSign, containerSign, pinnedSignal, provenSignal, wellSignal } from '../text/signs';

/** A project: what it is, where it lives, how it was last built, whether what runs of it is well. */
export function ProjectCard({ project }: { project: Project }) {
  const facts = [project.framework, project.language, project.git].filter(Boolean).join(' · ');
  return (
    <article className="panel project" aria-label={project.name} data-project={project.name}>
      <header className="project-head">
        <h2 className="project-name">
          <Link href={`/projects/${encodeURIComponent(project.id)}`}>{project.name}</Link>
        </h2>
        <p className="project-facts">{facts || <span className="faint">not recognised</span>}</p>
        <p className="project-location faint note one-line" title={project.location}>
          <code>{project.location}</code>
        </p>
      </header>
      <ProjectState project={project} />
      <ProjectActions project={project} />
    </article>
  );
}

/** The lamps, the last build and the containers. */
export function ProjectState({ project }: { project: Project }) {
  const { last_build: build } = project;
  return (
    <div className="project-state">
      <Lamps>
        <Lamp {...pinnedSignal(build)} />
        <Lamp {...provenSignal(build)} />
        <Lamp {...wellSignal(project.containers)} />
      </Lamps>
      <dl className="facts project-lines">
        <dt>Last build</dt>
        <dd>
          <LastBuild project={project} />
        </dd>
        <dt>{project.containers.length > 1 ? 'Containers' : 'Container'}</dt>
        <dd>
          {project.containers.length === 0 && <span className="faint">none</span>}
          {project.containers.map((container) => (
            <div key={container.id} className="project-container">
              <Status sign={containerSign(container)}>
                <Link href={`/containers/${encodeURIComponent(container.name)}`}>{container.name}</Link>
              </Status>
              <span className="soft note project-sentence" title={container.sentence}>
                <Prose text={container.sentence} />
              </span>
            </div>
          ))}
        </dd>
      </dl>
      {project.problem && (
        <Notice kind="warning">
          <Cause text={project.problem} />
        </Notice>
      )}
    </div>
  );
}

function LastBuild({ project: { active_job: job, last_build: build } }: { project: Project }) {
  if (job) {
    return (
      <span className="project-job">
        <SignMark sign="busy" />
        <Link className="one-line" href={`/jobs/${encodeURIComponent(job.id)}`}>
          {currentStep(job)}
        </Link>
        <Elapsed since={job.created_at} />
      </span>
    );
  }
  if (!build) return <span className="faint">never</span>;
  return (
    <span className="row">
      {build.state !== 'succeeded' && <Status sign={buildSign(build)}>{build.state}</Status>}
      <Digest value={build.build_hash} what="build hash" href={`/builds/${encodeURIComponent(build.build_hash)}`} />
      <span className="soft">
        {build.cached ? 'cached' : <Took milliseconds={build.milliseconds} />} · <Ago time={build.started_at} />
      </span>
    </span>
  );
}

/** 🐳, Run and Remove, and what went wrong with them. */
export function ProjectActions({ project, onRemoved }: { project: Project; onRemoved?: () => void }) {
  const [, navigate] = useLocation();
  const mayRun = useMay('RunFolder');
  const mayRemove = useMay('RemoveProject');
  const run = useRun();
  const docker = useDockerButton(project.id);
  const [removing, setRemoving] = useState(false);
  return (
    <footer className="project-actions">
      <div className="row">
        {docker.button}
        {mayRun && (
          <Button
            busy={run.isPending && 'Starting…'}
            disabled={Boolean(project.active_job)}
            title="Builds and runs it without writing anything into the project"
            onClick={() =>
              run.mutate(project.folder, { onSuccess: (job) => navigate(`/jobs/${encodeURIComponent(job.id)}`) })
            }
          >
            Run
          </Button>
        )}
        {mayRemove && (
          <span className="project-remove">
            <Button kind="quiet" aria-label={`Remove ${project.name}`} onClick={() => setRemoving(true)}>
              Remove
            </Button>
          </span>
        )}
      </div>
      {docker.trouble}
      <Trouble error={run.error} />
      {removing && <RemoveProject project={project} onClose={() => setRemoving(false)} onRemoved={onRemoved} />}
    </footer>
  );
}

interface RemoveProjectProps {
  project: Project;
  onClose: () => void;
  onRemoved?: (() => void) | undefined;
}

function RemoveProject({ project, onClose, onRemoved }: RemoveProjectProps) {
  const remove = useRemoveProject();
  return (
    <Confirm
      title={`Remove ${project.name}?`}
      act="Remove project"
      busy={remove.isPending && 'Removing…'}
      error={remove.error}
      onClose={onClose}
      onConfirm={() =>
        remove.mutate(project.id, {
          onSuccess: () => {
            onClose();
            onRemoved?.();
          },
        })
      }
    >
      <p>
        Ergon forgets the project and its companion. Its files, builds and containers stay as they are; adding{' '}
        <code>{project.location}</code> again brings it back.
      </p>
    </Confirm>
  );
}
