import { useLocation } from 'wouter';

import { useBuilds, useProject } from '../api/queries';
import { ChatPanel } from '../chat/chat-panel';
import { Digest } from '../parts/digest';
import { Trouble } from '../parts/notice';
import { Page, Panel } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { Ago } from '../parts/time';
import { BuildsTable } from './builds-table';
import { ProjectActions, ProjectState } from './project-card';

/** One project: its state, its builds, and its companion to ask. */
export function ProjectPage({ id }: { id: string }) {
  const [, navigate] = useLocation();
  const project = useProject(id);
  const builds = useBuilds();
  if (!project.data) {
    return (
      <Page title="Project" kind="Project">
        {project.error ? <Trouble error={project.error} /> : <Skeleton shape="panel" count={2} />}
      </Page>
    );
  }
  const { name, framework, language, git, location, docker_config: docker } = project.data;
  const own = builds.data?.filter((build) => build.project_id === project.data.id) ?? [];
  return (
    <Page title={name} kind="Project">
      <div className="beside">
        <div className="stack">
          <Panel title={[framework, language, git].filter(Boolean).join(' · ') || 'Not recognised'}>
            <div className="stack">
              <ProjectState project={project.data} />
              <dl className="facts">
                <dt>Lives in</dt>
                <dd>
                  <code>{location}</code>
                </dd>
                {project.data.manifest_digest && (
                  <>
                    <dt>Manifest</dt>
                    <dd>
                      <Digest
                        value={project.data.manifest_digest}
                        what="manifest digest"
                        href={`/manifests/${encodeURIComponent(project.data.manifest_digest)}`}
                      />
                    </dd>
                  </>
                )}
                {docker && (
                  <>
                    <dt>Dockerfile</dt>
                    <dd>
                      <Digest value={docker.dockerfile_digest} what="Dockerfile digest" />{' '}
                      {docker.saved_to ? 'saved' : 'used, not saved,'} <Ago time={docker.updated_at} />
                    </dd>
                  </>
                )}
                <dt>Added</dt>
                <dd>
                  <Ago time={project.data.added_at} />
                </dd>
              </dl>
              <ProjectActions project={project.data} onRemoved={() => navigate('/projects')} />
            </div>
          </Panel>
          <Panel title="Builds">
            {own.length ? (
              <BuildsTable builds={own} showProject={false} />
            ) : (
              <p className="faint">{builds.isPending ? 'Loading…' : 'None yet.'}</p>
            )}
          </Panel>
        </div>
        <ChatPanel companion={project.data.companion} kind="project" />
      </div>
    </Page>
  );
}
