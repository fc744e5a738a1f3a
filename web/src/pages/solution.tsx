import { useState } from 'react';
import { Link, useLocation } from 'wouter';

import { useRemoveSolution } from '../api/actions';
import { useMay, useSolution } from '../api/queries';
import type { Dependent, Solution, Standard } from '../api/types';
import { Button } from '../parts/button';
import { Confirm } from '../parts/confirm';
import { Digest } from '../parts/digest';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Page, Panel } from '../parts/page';
import { Prose } from '../parts/prose';
import { Skeleton } from '../parts/skeleton';
import { Ago, Moment } from '../parts/time';
import { bytes, shortDigest } from '../text/format';
import { standardSign, verdict } from '../text/solutions';
import { plainLine } from '../text/terminal';

const pageOf = (called: string) => `/solutions/${encodeURIComponent(called)}`;

/** A version of a solution: where it is from, how it does by the standards, what depends on it. */
export function SolutionPage({ reference }: { reference: string }) {
  const found = useSolution(reference);
  if (!found.data) {
    return (
      <Page title={reference} kind="Solution">
        {found.error ? <Trouble error={found.error} /> : <Skeleton shape="panel" count={3} />}
      </Page>
    );
  }
  const solution = found.data;
  const { sign, label } = verdict(solution);
  return (
    <Page
      title={`${solution.name} ${solution.version}`}
      kind={`Solution · ${solution.kind}`}
      actions={<Remove solution={solution} />}
    >
      <div className="stack">
        <p className="solution-description">{plainLine(solution.description)}</p>
        <Panel title="Standards" aside={<Status sign={sign}>{label}</Status>}>
          <ul className="standards">
            {solution.standards.map((standard) => (
              <StandardLine key={standard.name} standard={standard} />
            ))}
          </ul>
          {solution.secrets.length > 1 && (
            <ul className="bullets">
              {solution.secrets.map(({ kind, path, line, layer }) => (
                <li key={`${layer ?? ''} ${path} ${line} ${kind}`}>
                  {kind} in <code>{plainLine(path)}</code>, line {line}
                </li>
              ))}
            </ul>
          )}
        </Panel>
        <Panel title="Lineage">
          <LineageFacts solution={solution} />
        </Panel>
        {solution.configuration !== undefined && solution.configuration !== null && (
          <Panel title="What it says">
            <pre className="raw" tabIndex={0}>
              {JSON.stringify(solution.configuration, null, 2)}
            </pre>
          </Panel>
        )}
        <Panel title="What depends on it">
          {solution.dependents.length === 0 ? (
            <p className="soft">Nothing. It can be removed.</p>
          ) : (
            <ul className="bullets">
              {solution.dependents.map((dependent) => (
                <li key={`${dependent.kind} ${dependent.name}`}>
                  <DependentLine dependent={dependent} />
                </li>
              ))}
            </ul>
          )}
        </Panel>
      </div>
    </Page>
  );
}

function StandardLine({ standard }: { standard: Standard }) {
  return (
    <li className="standard">
      <Status sign={standardSign(standard)}>{standard.name}</Status>
      <span className="standard-why">
        <Prose text={plainLine(standard.why)} />
      </span>
    </li>
  );
}

function LineageFacts({ solution }: { solution: Solution }) {
  const hash = solution.build_hash;
  return (
    <dl className="facts">
      {solution.source && (
        <>
          <dt>Source</dt>
          <dd>
            {solution.source}{' '}
            {solution.source_digest && (
              <Digest
                value={solution.source_digest}
                what="source digest"
                href={`/registry/${encodeURIComponent(solution.source_digest)}`}
              />
            )}
          </dd>
        </>
      )}
      {solution.commit && (
        <>
          <dt>Commit</dt>
          <dd>
            <Digest value={solution.commit} what="commit" href={`/registry/${encodeURIComponent(solution.commit)}`} />
          </dd>
        </>
      )}
      {hash && (
        <>
          <dt>Build</dt>
          <dd>
            <Digest value={hash} what="build hash" href={`/builds/${encodeURIComponent(hash)}`} />
          </dd>
        </>
      )}
      {solution.images.map((image) => (
        <div key={image.container} className="facts-row">
          <dt>Image</dt>
          <dd>
            {image.container} <Digest value={image.image_digest} what="image digest" />{' '}
            <span className="soft">{bytes(image.size)}</span>
          </dd>
        </div>
      ))}
      {solution.derived_from && (
        <>
          <dt>Derived from</dt>
          <dd>
            <Link href={pageOf(solution.derived_from)}>{solution.derived_from}</Link>
          </dd>
        </>
      )}
      {solution.needs.length > 0 && (
        <>
          <dt>Needs</dt>
          <dd className="tags">
            {solution.needs.map((needed) => (
              <Link key={needed} href={pageOf(needed)}>
                {needed}
              </Link>
            ))}
          </dd>
        </>
      )}
      {solution.keywords.length > 0 && (
        <>
          <dt>Keywords</dt>
          <dd>{solution.keywords.join(', ')}</dd>
        </>
      )}
      <dt>Kept</dt>
      <dd>
        <Moment time={solution.added_at} /> (<Ago time={solution.added_at} />)
      </dd>
      <dt>Digest</dt>
      <dd>
        <Digest value={solution.digest} what="digest of the solution" full />
      </dd>
      <dt>Versions</dt>
      <dd className="tags">
        {solution.versions.map((version) =>
          version === solution.version ? (
            <strong key={version}>{version}</strong>
          ) : (
            <Link key={version} href={pageOf(`${solution.name}@${version}`)}>
              {version}
            </Link>
          ),
        )}
      </dd>
    </dl>
  );
}

function DependentLine({ dependent: { kind, name, how } }: { dependent: Dependent }) {
  const places: Record<string, string> = { solution: '/solutions/', container: '/containers/', build: '/builds/' };
  return (
    <>
      {kind}{' '}
      <Link href={`${places[kind] ?? '/registry/'}${encodeURIComponent(name)}`}>
        {kind === 'build' ? shortDigest(name) : name}
      </Link>{' '}
      {how}
    </>
  );
}

function Remove({ solution }: { solution: Solution }) {
  const mayRemove = useMay('RemoveSolution');
  const remove = useRemoveSolution();
  const [asked, setAsked] = useState(false);
  const [, navigate] = useLocation();
  const called = `${solution.name}@${solution.version}`;
  if (!mayRemove) return null;
  return (
    <>
      <Button kind="quiet" onClick={() => setAsked(true)}>
        Remove
      </Button>
      {asked && (
        <Confirm
          title={`Remove ${called}?`}
          act="Remove"
          busy={remove.isPending && 'Removing…'}
          error={remove.error}
          onClose={() => {
            setAsked(false);
            remove.reset();
          }}
          onConfirm={() => remove.mutate(called, { onSuccess: () => navigate('/solutions') })}
        >
          <p>This version is forgotten. Its build and its images stay.</p>
        </Confirm>
      )}
    </>
  );
}
