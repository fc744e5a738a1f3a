import { useState } from 'react';
import { Link, useLocation } from 'wouter';

import { usePolicies, useRemovePolicy } from '../api/policies';
import { useMay } from '../api/queries';
import type { PolicyText } from '../api/types';
import { Button } from '../parts/button';
import { Confirm } from '../parts/confirm';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Page, Panel } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { Ago } from '../parts/time';
import { CedarPane } from '../policies/cedar-text';
import { Question } from '../policies/question';
import { count } from '../text/format';
import { AccessTabs } from './access-tabs';

/** Who may do what: the texts that say so, and why somebody may or may not. */
export function PoliciesPage() {
  const list = usePolicies();
  const mayChange = useMay('ChangePolicy');
  const [, navigate] = useLocation();
  const [removing, setRemoving] = useState<PolicyText | null>(null);
  const own = list.data?.filter(({ shipped }) => !shipped) ?? [];
  const shipped = list.data?.filter((each) => each.shipped) ?? [];
  return (
    <Page
      title="Policies"
      actions={
        list.data &&
        mayChange && (
          <Button kind="primary" onClick={() => navigate('/write-policy')}>
            Write one
          </Button>
        )
      }
    >
      <div className="stack">
        <AccessTabs />
        {list.isPending && <Skeleton count={4} />}
        <Trouble error={list.data ? null : list.error} />
        {list.data && (
          <>
            <Question />
            <Panel title="Your own">
              {own.length === 0 && (
                <p className="soft">
                  None. What forbids wins over what permits, and what nothing permits is not allowed: with policies of
                  your own you allow more, or less, than what comes with Ergon.
                </p>
              )}
              <ul className="entries">
                {own.map((text) => (
                  <Text key={text.name} text={text} onRemove={mayChange ? () => setRemoving(text) : undefined} />
                ))}
              </ul>
            </Panel>
            <Panel title="Come with Ergon" aside="they stay as they are">
              <ul className="entries">
                {shipped.map((text) => (
                  <Text key={text.name} text={text} />
                ))}
              </ul>
            </Panel>
          </>
        )}
        {removing && <Remove name={removing.name} onClose={() => setRemoving(null)} />}
      </div>
    </Page>
  );
}

/** The first comment of a text says what it is for. */
const aboutOf = (text: string) => /^\/\/ ?(.*)$/m.exec(text)?.[1] ?? '';

function Text({ text, onRemove }: { text: PolicyText; onRemove?: (() => void) | undefined }) {
  const faults = text.faults ?? [];
  return (
    <li className="entry policy" data-policy={text.name}>
      <details className="disclosure">
        <summary>
          <span className="entry-name">{text.name}</span>
          {faults.length > 0 && <Status sign="bad">{count(faults.length, 'fault')}</Status>}
          <span className="soft note policy-about">
            {text.changed_at ? (
              <>
                changed <Ago time={text.changed_at} />
                {text.changed_by && ` by ${text.changed_by}`}
              </>
            ) : (
              aboutOf(text.text)
            )}
          </span>
        </summary>
        <CedarPane label={`The policies ${text.name}`} text={text.text} faults={faults} />
      </details>
      {onRemove && (
        <span className="row">
          <Link className="button" data-kind="quiet" href={`/policies/${encodeURIComponent(text.name)}`}>
            Edit<span className="hidden-visually"> {text.name}</span>
          </Link>
          <Button kind="quiet" aria-label={`Remove ${text.name}`} onClick={onRemove}>
            Remove
          </Button>
        </span>
      )}
    </li>
  );
}

function Remove({ name, onClose }: { name: string; onClose: () => void }) {
  const remove = useRemovePolicy();
  return (
    <Confirm
      title={`Remove ${name}?`}
      act="Remove policies"
      busy={remove.isPending && 'Removing…'}
      error={remove.error}
      onConfirm={() => remove.mutate(name, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        What {name} allows is no longer allowed by it, and what it forbids no longer forbidden, from this moment on. Its
        text is gone; this cannot be undone.
      </p>
    </Confirm>
  );
}
