import { Link } from 'wouter';

import type { BuildSummary } from '../api/types';
import { Digest } from '../parts/digest';
import { Status } from '../parts/lamp';
import { Ago, Took } from '../parts/time';
import { buildSign, reproducibilitySignal } from '../text/signs';

/** Builds, newest first as they come; on a page of one project, without what is the same in every line. */
export function BuildsTable({
  builds,
  showProject = true,
}: {
  builds: readonly BuildSummary[];
  showProject?: boolean;
}) {
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Builds">
      <table className="table" data-folds="true">
        <thead>
          <tr>
            <th scope="col">Build</th>
            {showProject && <th scope="col">Project</th>}
            <th scope="col">State</th>
            <th scope="col">Reproducibility</th>
            {showProject && <th scope="col">Image</th>}
            <th scope="col">When</th>
            <th scope="col">Took</th>
          </tr>
        </thead>
        <tbody>
          {builds.map((build) => (
            <BuildRow key={build.build_hash} build={build} showProject={showProject} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function BuildRow({ build, showProject }: { build: BuildSummary; showProject: boolean }) {
  const reproducibility = reproducibilitySignal(build);
  return (
    <tr>
      <td className="narrow">
        <Digest value={build.build_hash} what="build hash" href={`/builds/${encodeURIComponent(build.build_hash)}`} />
      </td>
      {showProject && (
        <td>
          {build.project_id ? (
            <Link href={`/projects/${encodeURIComponent(build.project_id)}`}>{build.project_name}</Link>
          ) : (
            build.project_name
          )}
        </td>
      )}
      <td className="narrow">
        <Status sign={buildSign(build)}>{build.state}</Status>
      </td>
      <td className="narrow" title={reproducibility.why}>
        {build.state === 'succeeded' && <Status sign={reproducibility.sign}>{build.reproducibility}</Status>}
      </td>
      {showProject && (
        <td className="narrow" data-column="image">
          {build.images.map((image) => (
            <Digest key={image.container} value={image.image_digest} what="image digest" />
          ))}
        </td>
      )}
      <td className="narrow soft">
        <Ago time={build.started_at} />
      </td>
      <td className="narrow soft">{build.cached ? 'cached' : <Took milliseconds={build.milliseconds} />}</td>
    </tr>
  );
}
