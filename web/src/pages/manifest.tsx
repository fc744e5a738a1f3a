import { Redirect } from 'wouter';

import { useRegistryEntry } from '../api/queries';
import { Digest } from '../parts/digest';
import { Trouble } from '../parts/notice';
import { Page, Panel } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { BuildsTable } from './builds-table';

/** A manifest as it was built, and the builds it led to. */
export function ManifestPage({ digest }: { digest: string }) {
  const entry = useRegistryEntry(digest);
  if (!entry.data) {
    return (
      <Page title="Manifest" kind="Registry">
        {entry.error ? <Trouble error={entry.error} /> : <Skeleton shape="panel" count={2} />}
      </Page>
    );
  }
  // The beginning of something else's name.
  if (entry.data.kind !== 'manifest') return <Redirect to={`/registry/${encodeURIComponent(digest)}`} replace />;
  return (
    <Page title="Manifest" kind="Registry">
      <div className="stack">
        <Digest value={entry.data.manifest_digest} what="manifest digest" full />
        <Panel title="ergon.json">
          <pre className="raw" tabIndex={0}>
            {JSON.stringify(entry.data.manifest, null, 2)}
          </pre>
        </Panel>
        <Panel title="Builds of it">
          <BuildsTable builds={entry.data.builds} showProject={false} />
        </Panel>
      </div>
    </Page>
  );
}
