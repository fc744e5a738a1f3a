import { Redirect } from 'wouter';

import { useRegistryEntry } from '../api/queries';
import { Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { Skeleton } from '../parts/skeleton';

/** Goes to whatever a digest, the beginning of one, or a tag names. */
export function RegistryLookup({ reference }: { reference: string }) {
  const entry = useRegistryEntry(reference);
  if (entry.data?.kind === 'build')
    return <Redirect to={`/builds/${encodeURIComponent(entry.data.build_hash)}`} replace />;
  if (entry.data?.kind === 'manifest')
    return <Redirect to={`/manifests/${encodeURIComponent(entry.data.manifest_digest)}`} replace />;
  return (
    <Page title={reference} kind="Registry">
      {entry.error ? <Trouble error={entry.error} /> : <Skeleton shape="panel" count={1} />}
    </Page>
  );
}
