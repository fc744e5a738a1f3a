import { Fragment } from 'react';
import { Redirect } from 'wouter';

import { useRegistryEntry } from '../api/queries';
import type { Lineage, PushedBlob, PushedImage } from '../api/types';
import { LineagePicture } from '../jobs/picture';
import { Digest } from '../parts/digest';
import { Trouble } from '../parts/notice';
import { Page, Panel } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { bytes, count, shortDigest } from '../text/format';
import { pictureOfLineage } from '../text/picture';
import { BuildsTable } from './builds-table';

/** Goes to whatever a digest, the beginning of one, a commit or a tag names. */
export function RegistryLookup({ reference }: { reference: string }) {
  const entry = useRegistryEntry(reference);
  if (entry.data?.kind === 'build')
    return <Redirect to={`/builds/${encodeURIComponent(entry.data.build_hash)}`} replace />;
  if (entry.data?.kind === 'manifest')
    return <Redirect to={`/manifests/${encodeURIComponent(entry.data.manifest_digest)}`} replace />;
  if (entry.data?.kind === 'pushed') return <PushedPage image={entry.data} />;
  if (entry.data?.kind === 'blob') return <BlobPage blob={entry.data} />;
  if (entry.data) return <LineagePage kind={entry.data.kind} lineage={entry.data} />;
  return (
    <Page title={reference} kind="Registry">
      {entry.error ? <Trouble error={entry.error} /> : <Skeleton shape="panel" count={1} />}
    </Page>
  );
}

/** What a client pushed: where it is, and what is attached to it. */
function PushedPage({ image }: { image: PushedImage }) {
  return (
    <Page title={shortDigest(image.digest)} kind="Pushed">
      <div className="stack">
        <Panel title="Pushed by a client">
          <dl className="facts">
            <dt>Digest</dt>
            <dd>
              <Digest value={image.digest} what="digest" full />
            </dd>
            <dt>Is</dt>
            <dd>
              <code>{image.artifact_type ?? image.media_type}</code>
            </dd>
            {image.places.map((place) => (
              <Fragment key={place.repository}>
                <dt>In</dt>
                <dd>
                  <code>{place.repository}</code>{' '}
                  {place.tags.length > 0 ? place.tags.map((tag) => <code key={tag}>:{tag} </code>) : 'without a tag'}
                </dd>
              </Fragment>
            ))}
            {image.subject && <dt>About</dt>}
            {image.subject && (
              <dd>
                <Digest value={image.subject} what="subject" full />
              </dd>
            )}
            {image.attached.length > 0 && <dt>Attached</dt>}
            {image.attached.map((referrer) => (
              <dd key={referrer.digest}>
                <code>{referrer.artifact_type ?? 'an index'}</code> {shortDigest(referrer.digest)}
              </dd>
            ))}
          </dl>
          <p>Nobody said how it was made: no build of this stack leads to it.</p>
        </Panel>
      </div>
    </Page>
  );
}

/** A blob of what clients pushed. */
function BlobPage({ blob }: { blob: PushedBlob }) {
  return (
    <Page title={shortDigest(blob.digest)} kind="Blob">
      <div className="stack">
        <Panel title="A blob of what clients pushed">
          <dl className="facts">
            <dt>Digest</dt>
            <dd>
              <Digest value={blob.digest} what="digest" full />
            </dd>
            <dt>Size</dt>
            <dd>{bytes(blob.size)}</dd>
            <dt>In</dt>
            {blob.repositories.map((repository) => (
              <dd key={repository}>
                <code>{repository}</code>
              </dd>
            ))}
          </dl>
        </Panel>
      </div>
    </Page>
  );
}

type LineageKind = 'source' | 'commit' | 'base' | 'layer';

const kinds: Record<LineageKind, { title: string; what: string; also: string; builds: string }> = {
  source: { title: 'Source', what: 'source digest', also: 'Committed as', builds: 'Built from it' },
  commit: { title: 'Commit', what: 'commit', also: 'Source digest', builds: 'Built from it' },
  base: { title: 'Base', what: 'base', also: 'Also', builds: 'Depends on it' },
  layer: { title: 'Layer', what: 'layer digest', also: 'Left by', builds: 'Has it' },
};

/** Something that builds were made of, and what came of it. */
function LineagePage({ kind, lineage }: { kind: LineageKind; lineage: Lineage }) {
  const words = kinds[kind];
  const title = /^(?:sha256:)?[0-9a-f]{40,}$/.test(lineage.name) ? shortDigest(lineage.name) : lineage.name;
  return (
    <Page title={title} kind={words.title}>
      <div className="stack">
        <LineagePicture picture={pictureOfLineage(kind, lineage)} label="What came of it" />
        <Panel title={words.title}>
          <dl className="facts">
            <dt>Name</dt>
            <dd>
              <Digest value={lineage.name} what={words.what} full />
            </dd>
            {lineage.also.length > 0 && <dt>{words.also}</dt>}
            {lineage.also.map((name) => (
              <dd key={name}>
                <code>{name}</code>
              </dd>
            ))}
          </dl>
        </Panel>
        <Panel
          title={words.builds}
          aside={
            lineage.count > lineage.builds.length
              ? `the newest ${lineage.builds.length} of ${count(lineage.count, 'build')}`
              : undefined
          }
        >
          <BuildsTable builds={lineage.builds} />
        </Panel>
      </div>
    </Page>
  );
}
