import { useMay, useProjects } from '../api/queries';
import { Empty } from '../parts/empty';
import { Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { AddProject } from './add-project';
import { ProjectCard } from './project-card';

export function ProjectsPage() {
  const mayAdd = useMay('AddProject');
  const projects = useProjects();
  return (
    <Page title="Projects">
      <div className="stack">
        <AddProject />
        {projects.isPending && (
          <div className="cards">
            <Skeleton shape="panel" count={1} />
            <Skeleton shape="panel" count={1} />
          </div>
        )}
        <Trouble error={projects.data ? null : projects.error} />
        {projects.data?.length === 0 && !mayAdd && (
          <p className="soft">No project yet. When somebody adds one, it shows up here.</p>
        )}
        {projects.data?.length === 0 && mayAdd && (
          <Empty title="No project yet">
            <p className="soft">
              Give the folder of something you have written, or a git URL. Ergon reads it, shows the Dockerfile it would
              write and why, and runs it when you say so. Nothing is written into the project until you press a button
              that says it does.
            </p>
            <p className="soft">
              From a terminal: <code>ergon project add FOLDER</code>
            </p>
          </Empty>
        )}
        {projects.data && projects.data.length > 0 && (
          <ul className="cards">
            {projects.data.map((project) => (
              <li key={project.id}>
                <ProjectCard project={project} />
              </li>
            ))}
          </ul>
        )}
      </div>
    </Page>
  );
}
