import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';

import { useApprove, useDeny } from '../api/actions';
import { useMay } from '../api/queries';
import type { Proposal } from '../api/types';
import { EvidenceList } from '../chat/evidence';
import { Button } from '../parts/button';
import { CopyButton } from '../parts/digest';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Prose } from '../parts/prose';
import { Ago, Until } from '../parts/time';
import { shortIds } from '../text/format';
import { proposalSign } from '../text/signs';

/** Whether somebody has to decide over it, or it is being carried out. */
export const isWaiting = ({ state }: Proposal) => ['open', 'approved', 'running'].includes(state);

/** What would be done, to what, why, how it is undone and until when: all there is to know before one says yes. */
export function ProposalCard({ proposal, folded = false }: { proposal: Proposal; folded?: boolean }) {
  const waits = proposal.state === 'open';
  const open = waits && !folded;
  return (
    <article
      className="panel proposal"
      data-proposal={proposal.code}
      data-state={proposal.state}
      aria-label={`Proposal ${proposal.code}`}
    >
      <header className="panel-head">
        <h2 className="panel-title">
          <Status sign={proposalSign(proposal)}>
            <Link href={`/containers/${encodeURIComponent(proposal.container)}`}>{proposal.container}</Link>:{' '}
            {proposal.offer}
          </Status>
        </h2>
        <div className="row">
          <span className="tag" data-class={proposal.class}>
            {proposal.class}
          </span>
          <code className="faint">{proposal.code}</code>
          <span className="soft note">
            {waits ? (
              <>
                expires <Until time={proposal.expires_at} />
              </>
            ) : (
              <>
                {proposal.state} <Ago time={proposal.ended_at ?? proposal.decided_at ?? proposal.created_at} />
              </>
            )}
          </span>
        </div>
      </header>
      <div className="panel-body stack">
        {proposal.outcome && (
          <p>
            <Prose text={proposal.outcome} />
          </p>
        )}
        <Commands commands={proposal.commands} />
        {open && <Details proposal={proposal} />}
        {!open && (
          <details className="disclosure">
            <summary className="soft note">
              What was proposed{proposal.decided_by && `, decided by ${proposal.decided_by}`}
            </summary>
            <Details proposal={proposal} />
          </details>
        )}
        {waits && <Decide proposal={proposal} />}
      </div>
    </article>
  );
}

function Details({ proposal }: { proposal: Proposal }) {
  return (
    <div className="stack">
      <dl className="proposal-facts">
        <Row name="Why">
          {proposal.why.map((reason) => (
            <div key={reason.finding}>
              <Prose text={reason.text} />
              {reason.evidence.length > 0 && (
                <details className="disclosure">
                  <summary className="soft note">Evidence ({reason.evidence.length})</summary>
                  <EvidenceList evidence={reason.evidence} />
                </details>
              )}
            </div>
          ))}
        </Row>
        <Row name="Effect">{proposal.effect}</Row>
        <Row name="Verified">{proposal.verified}</Row>
        <Row name="Undone">
          {proposal.undo.length ? <Commands commands={proposal.undo} /> : 'by nothing: it cannot be taken back'}
        </Row>
        <Row name="Only while">
          <ul className="proposal-holds">
            {Object.entries(proposal.precondition).map(([what, is]) => (
              <li key={what}>
                <span className="soft">{what}</span> <span className="wrap-anywhere">{shortIds(is)}</span>
              </li>
            ))}
          </ul>
        </Row>
      </dl>
    </div>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="soft">{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** The exact commands. They name the container by its id; what is shown of it is its beginning. */
function Commands({ commands }: { commands: readonly (readonly string[])[] }) {
  return (
    <ul className="proposal-commands">
      {commands.map((command) => (
        <li key={command.join(' ')}>
          <code className="wrap-anywhere" title={command.join(' ')}>
            {shortIds(command.join(' '))}
          </code>
          <CopyButton text={command.join(' ')} what="command" />
        </li>
      ))}
    </ul>
  );
}

/** Yes or no. What loses something for good is approved with the container's name. */
function Decide({ proposal }: { proposal: Proposal }) {
  const mayDecide = useMay('ApproveProposal');
  const approve = useApprove();
  const deny = useDeny();
  const [name, setName] = useState('');
  const destructive = proposal.class === 'destructive';
  const busy = approve.isPending || deny.isPending;
  if (!mayDecide) return <p className="soft note">It waits for somebody who may approve it.</p>;
  return (
    <div className="stack">
      {destructive && (
        <label className="field">
          <span className="field-label">Something is lost for good. Write {proposal.container} to approve it</span>
          <input className="input" value={name} spellCheck={false} onChange={(event) => setName(event.target.value)} />
        </label>
      )}
      <div className="row">
        <Button
          kind={destructive ? 'danger' : 'primary'}
          busy={approve.isPending && 'Doing it…'}
          disabled={busy || (destructive && name !== proposal.container)}
          aria-label={`Approve: ${proposal.container}, ${proposal.offer}`}
          onClick={() => approve.mutate({ proposal, container: destructive ? name : undefined })}
        >
          Approve
        </Button>
        <Button
          disabled={busy}
          busy={deny.isPending && 'Denying…'}
          aria-label={`Deny: ${proposal.container}, ${proposal.offer}`}
          onClick={() => deny.mutate(proposal.code)}
        >
          Deny
        </Button>
      </div>
      <Trouble error={approve.error ?? deny.error} />
    </div>
  );
}
