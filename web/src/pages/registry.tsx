import { Link } from 'wouter';

import { useBuilds } from '../api/queries';
import { Empty } from '../parts/empty';
import { Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { BuildsTable } from './builds-table';
import { RegistryTabs } from './registry-tabs';

/** What was built: every build with its hash, its images and how far it can be trusted to come out the same. */
export function RegistryPage() {
  const builds = useBuilds();
  return (
    <Page title="Registry">
      <div className="stack">
        <RegistryTabs />
        {builds.isPending && <Skeleton count={6} />}
        <Trouble error={builds.data ? null : builds.error} />
        {builds.data?.length === 0 && (
          <Empty title="Nothing built yet">
            <p className="soft">
              Run a project from its card under <Link href="/projects">Projects</Link>, or in a terminal with{' '}
              <code>ergon run FOLDER</code>. Each build is kept here with its hash, its images and what they were made
              of.
            </p>
          </Empty>
        )}
        {builds.data && builds.data.length > 0 && (
          <div className="panel">
            <BuildsTable builds={builds.data} />
          </div>
        )}
      </div>
    </Page>
  );
}
