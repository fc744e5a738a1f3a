import { useDeferredValue, useId, useState } from 'react';

import { type AuditWanted, useAudit, useVerifyAudit } from '../api/audit';
import { useKnownActions } from '../api/policies';
import type { AuditReport, AuditRequest } from '../api/types';
import { Button } from '../parts/button';
import { CopyButton, Digest } from '../parts/digest';
import { Earlier } from '../parts/earlier';
import { Empty } from '../parts/empty';
import { Status } from '../parts/lamp';
import { Notice, Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { Ago, Moment } from '../parts/time';
import { decisions, decisionWords, entryOutcome, reportSentence } from '../text/audit';
import { count } from '../text/format';
import { AccessTabs } from './access-tabs';

const all: AuditWanted = { principal: '', action: '', decision: '', request: '' };

/** What was denied and what was changed, by whom, and by which policy; and whether the log is what it was. */
export function AuditPage() {
  const [wanted, setWanted] = useState(all);
  const pages = useAudit(useDeferredValue(trimmed(wanted)));
  const verify = useVerifyAudit();
  const entries = pages.data?.pages.flatMap(({ items }) => items) ?? [];
  const size = pages.data?.pages[0]?.size;
  const isFiltered = Object.values(wanted).some(Boolean);
  return (
    <Page
      title="Audit"
      actions={
        pages.data && (
          <Button
            busy={verify.isPending && 'Verifying…'}
            title="Computes the whole chain again, and compares"
            onClick={() => verify.mutate()}
          >
            Verify
          </Button>
        )
      }
    >
      <div className="stack">
        <AccessTabs />
        <Trouble error={verify.error} />
        {verify.data && <Report report={verify.data} />}
        {pages.data && <Filters wanted={wanted} onChange={setWanted} />}
        {pages.isPending && <Skeleton count={6} />}
        <Trouble error={pages.data ? null : pages.error} />
        {pages.data && entries.length === 0 && !isFiltered && (
          <Empty title="Nothing is in the log yet">
            <p className="soft">
              Every change and every denial is, as soon as there is one. What was only read is not.
            </p>
          </Empty>
        )}
        {pages.data && entries.length === 0 && isFiltered && <p className="soft">No entry is like that.</p>}
        {entries.length > 0 && (
          <>
            <ol className="panel feed" aria-label="Requests, newest first">
              {entries.map((entry) => (
                <Line key={entry.sequence} entry={entry} />
              ))}
            </ol>
            <Earlier pages={pages} />
            {size !== undefined && (
              <p className="faint note">
                {count(size, 'entry', 'entries')} in the log. A request has one for what was decided and one for what
                came of it; they are shown as one.
              </p>
            )}
          </>
        )}
      </div>
    </Page>
  );
}

const trimmed = ({ principal, action, decision, request }: AuditWanted): AuditWanted => ({
  principal: principal.trim(),
  action: action.trim(),
  decision,
  request: request.trim(),
});

function Filters({ wanted, onChange }: { wanted: AuditWanted; onChange: (wanted: AuditWanted) => void }) {
  const actions = useKnownActions();
  const list = useId();
  const field = (name: keyof AuditWanted) => ({
    value: wanted[name],
    onChange: (event: { target: { value: string } }) => onChange({ ...wanted, [name]: event.target.value }),
  });
  const words = { type: 'search', className: 'input', autoCapitalize: 'none', spellCheck: false } as const;
  return (
    <div className="audit-filter" role="search" aria-label="Entries">
      <label className="field">
        <span className="field-label">Who</span>
        <input {...words} {...field('principal')} placeholder="a whole name" />
      </label>
      <label className="field">
        <span className="field-label">Action</span>
        <input {...words} {...field('action')} list={list} placeholder="AddProject" />
        <datalist id={list}>
          {actions.map(({ name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      <label className="field">
        <span className="field-label">Decision</span>
        <select className="input" {...field('decision')}>
          <option value="">any</option>
          {decisions.map((each) => (
            <option key={each} value={each}>
              {decisionWords(each)}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span className="field-label">Request</span>
        <input {...words} {...field('request')} placeholder="its id" />
      </label>
    </div>
  );
}

function Report({ report }: { report: AuditReport }) {
  return (
    <Notice kind={report.good ? 'done' : 'problem'}>
      <p>{reportSentence(report)}</p>
      {report.problems.length > 0 && (
        <ul className="bullets">
          {report.problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

function Line({ entry }: { entry: AuditRequest }) {
  const { sign, words } = entryOutcome(entry);
  const many = entry.count !== null && entry.count !== undefined && entry.count > 1;
  return (
    <li className="audit-line" data-entry={entry.sequence}>
      <span className="audit-time faint note">
        <Ago time={entry.time} />
      </span>
      <span className="audit-who one-line" title={entry.principal}>
        {entry.principal}
      </span>
      <span className="audit-what one-line">
        {entry.action} {entry.name && <span className="soft">{entry.name}</span>}
      </span>
      <span className="audit-outcome">
        <Status sign={sign}>{many ? `${words} ${entry.count ?? ''} times` : words}</Status>
      </span>
      <span className="audit-policy soft note one-line" title={entry.policy ?? undefined}>
        {entry.policy ?? (entry.entry === 'decision' ? 'no policy spoke of it' : '')}
      </span>
      <details className="disclosure audit-more">
        <summary className="soft note">More</summary>
        <Details entry={entry} />
      </details>
    </li>
  );
}

function Details({ entry }: { entry: AuditRequest }) {
  const detail = entry.detail && Object.keys(entry.detail).length > 0 ? entry.detail : null;
  return (
    <dl className="facts">
      <dt>Entry</dt>
      <dd>
        {entry.sequence}, <Moment time={entry.time} />
      </dd>
      {entry.request && (
        <>
          <dt>Request</dt>
          <dd>
            <code>{entry.request}</code> <CopyButton text={entry.request} what="request id" />
          </dd>
        </>
      )}
      <dt>Through</dt>
      <dd>{entry.channel}</dd>
      <dt>Done to</dt>
      <dd>
        {entry.kind}
        {entry.name && ` ${entry.name}`}
      </dd>
      {entry.policy && (
        <>
          <dt>Policy</dt>
          <dd>{entry.policy}</dd>
        </>
      )}
      {entry.status !== null && entry.status !== undefined && (
        <>
          <dt>Answer</dt>
          <dd className="numbers">{entry.status}</dd>
        </>
      )}
      {entry.body && (
        <>
          <dt>Body</dt>
          <dd>
            <Digest value={entry.body} what="digest of the body" />
          </dd>
        </>
      )}
      {detail && (
        <>
          <dt>Detail</dt>
          <dd>
            <pre className="raw" tabIndex={0}>
              {JSON.stringify(detail, null, 2)}
            </pre>
          </dd>
        </>
      )}
    </dl>
  );
}
