import { type SyntheticEvent, useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';

import { useKeepPolicy, usePolicies, usePolicyFaults, usePolicySchema } from '../api/policies';
import { useMay } from '../api/queries';
import type { PolicyFault, PolicyText } from '../api/types';
import { Button } from '../parts/button';
import { Status } from '../parts/lamp';
import { Notice, Trouble } from '../parts/notice';
import { Page, Panel } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { CedarPane, CedarText } from '../policies/cedar-text';
import { Faults } from '../policies/faults';
import { placeIn } from '../text/cedar';

/** So long nothing was typed before the text is looked at. */
const SETTLED_MS = 300;

const START = `// What it is for.
@id("only-by-day")
forbid (
  principal,
  action == Ergon::Action::"RemoveContainer",
  resource
)
when { context.hour < 8 || context.hour >= 18 };
`;

/** A text of policies of one's own: a new one, or one there is. */
export function PolicyEditorPage({ name }: { name?: string }) {
  const list = usePolicies();
  const title = name ?? 'New policies';
  if (!list.data) {
    return (
      <Page title={title} kind="Policies">
        {list.error ? <Trouble error={list.error} /> : <Skeleton shape="panel" count={1} />}
      </Page>
    );
  }
  const kept = list.data.find((text) => text.name === name);
  if (name !== undefined && !kept) {
    return (
      <Page title={title} kind="Policies">
        <Notice kind="warning">
          <p>
            There are no policies called {name}. <Link href="/policies">These</Link> there are.
          </p>
        </Notice>
      </Page>
    );
  }
  return (
    <Page title={title} kind="Policies">
      {kept?.shipped ? (
        <div className="stack">
          <p className="soft">These come with Ergon and stay as they are.</p>
          <CedarPane label={`The policies ${kept.name}`} text={kept.text} />
        </div>
      ) : (
        <Editor kept={kept} taken={list.data.map((text) => text.name)} />
      )}
    </Page>
  );
}

function Editor({ kept, taken }: { kept: PolicyText | undefined; taken: readonly string[] }) {
  const [, navigate] = useLocation();
  const mayChange = useMay('ChangePolicy');
  const keep = useKeepPolicy();
  // What was read first; what somebody else keeps meanwhile is said, and not written over unseen.
  const [base, setBase] = useState(kept);
  const [name, setName] = useState(kept?.name ?? '');
  const [text, setText] = useState(kept?.text ?? START);
  const settled = useSettled(text);
  const check = usePolicyFaults(settled);
  const faults = check.data ?? [];
  const isChecked = settled === text && !check.isPlaceholderData && !check.isPending;
  const area = useRef<HTMLTextAreaElement>(null);
  const isTaken = !kept && taken.includes(name.trim());
  const overtaken = kept && base && kept.changed_at !== base.changed_at && kept.text !== text;

  const go = ({ line, column }: PolicyFault) => {
    const place = placeIn(text, line, column);
    area.current?.focus();
    area.current?.setSelectionRange(place, place);
  };

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    keep.mutate({ name: name.trim(), text }, { onSuccess: () => navigate('/policies') });
  };

  return (
    <form className="stack" onSubmit={submit}>
      {!kept && (
        <div className="field policy-name">
          <label className="field">
            <span className="field-label">Name</span>
            <input
              className="input"
              value={name}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              placeholder="nights"
              onChange={(event) => setName(event.target.value)}
            />
          </label>
          {isTaken && <span className="note soft">There are policies of this name already.</span>}
        </div>
      )}
      {overtaken && (
        <Notice
          kind="warning"
          actions={
            <>
              <Button
                onClick={() => {
                  setText(kept.text);
                  setBase(kept);
                }}
              >
                Take theirs
              </Button>
              <Button kind="quiet" onClick={() => setBase(kept)}>
                Go on with mine
              </Button>
            </>
          }
        >
          <p>{kept.changed_by ?? 'Somebody'} changed these policies meanwhile.</p>
        </Notice>
      )}
      <div className="cedar-editor" data-checked={isChecked}>
        {/* One under the other: what is typed, and the same coloured, with its faults. */}
        <pre className="cedar" aria-hidden="true">
          <code>
            <CedarText text={text} faults={faults} />
          </code>
        </pre>
        <textarea
          ref={area}
          className="cedar cedar-typed"
          aria-label="The policies, in Cedar"
          aria-invalid={faults.length > 0}
          value={text}
          spellCheck={false}
          autoCapitalize="none"
          autoComplete="off"
          wrap="off"
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <p role="status">
        {!isChecked && !check.error && <Status sign="busy">looking at it</Status>}
        {isChecked && faults.length === 0 && <Status sign="good">nothing is wrong with it</Status>}
      </p>
      <Faults faults={faults} onGo={go} />
      <Trouble error={keep.error ?? check.error} />
      <div className="row">
        {mayChange && (
          <Button
            kind="primary"
            type="submit"
            busy={keep.isPending && 'Keeping…'}
            disabled={
              !name.trim() || isTaken || !isChecked || faults.length > 0 || Boolean(overtaken) || text === kept?.text
            }
          >
            Keep and decide by it
          </Button>
        )}
        <Link className="button" data-kind="plain" href="/policies">
          {mayChange ? 'Leave it' : 'Back'}
        </Link>
      </div>
      <Schema />
    </form>
  );
}

/** What a text can speak of. */
function Schema() {
  const [isOpen, setIsOpen] = useState(false);
  const schema = usePolicySchema(isOpen);
  return (
    <Panel title="What policies can speak of">
      <details className="disclosure" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
        <summary className="soft">Every action, every kind of thing, and how something is asked</summary>
        <Trouble error={schema.data ? null : schema.error} />
        {schema.data && <CedarPane label="The schema" text={schema.data} />}
      </details>
    </Panel>
  );
}

/** A text once nobody types any more. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
