import { Link } from 'wouter';

import { useContainers } from '../api/queries';
import type { ContainerSummary } from '../api/types';
import { Digest } from '../parts/digest';
import { Empty } from '../parts/empty';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { Ports } from '../parts/ports';
import { Prose } from '../parts/prose';
import { Skeleton } from '../parts/skeleton';
import { Ago } from '../parts/time';
import { containerSign } from '../text/signs';

/** Every container that has a companion, in the companion's words. */
export function ContainersPage() {
  const containers = useContainers();
  return (
    <Page title="Containers">
      {containers.isPending && <Skeleton count={4} />}
      <Trouble error={containers.data ? null : containers.error} />
      {containers.data?.length === 0 && (
        <Empty title="No container yet">
          <p className="soft">
            Run a project from its card under <Link href="/projects">Projects</Link>. A container that Ergon did not
            start is watched after <code>ergon companion launch NAME</code>.
          </p>
        </Empty>
      )}
      {containers.data && containers.data.length > 0 && (
        <ul className="panel lines">
          {containers.data.map((container) => (
            <ContainerLine key={container.id} container={container} />
          ))}
        </ul>
      )}
    </Page>
  );
}

function ContainerLine({ container }: { container: ContainerSummary }) {
  return (
    <li className="line" data-container={container.name}>
      <div className="line-head">
        <Status sign={containerSign(container)}>
          <Link href={`/containers/${encodeURIComponent(container.name)}`} className="line-name">
            {container.name}
          </Link>
        </Status>
        <span className="tag">{container.state}</span>
      </div>
      <p className="line-sentence">
        <Prose text={container.sentence} />
      </p>
      <div className="line-facts note">
        <Ports ports={container.ports} />
        {container.build_hash && (
          <Digest
            value={container.build_hash}
            what="build hash"
            href={`/builds/${encodeURIComponent(container.build_hash)}`}
          />
        )}
        {container.started_at && (
          <span className="soft">
            started <Ago time={container.started_at} />
          </span>
        )}
      </div>
    </li>
  );
}
