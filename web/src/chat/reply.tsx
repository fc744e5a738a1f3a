import { useState } from 'react';
import { Link } from 'wouter';

import { useProposals, useThought } from '../api/queries';
import type { Reply } from '../api/types';
import { isWaiting, ProposalCard } from '../approvals/proposal';
import { Prose } from '../parts/prose';
import { explained } from '../text/explained';
import { EvidenceList, Findings } from './evidence';

/** What a companion offers to do, as it stands by now: it may have been decided over since it was said. */
function OfferView({ offer }: { offer: NonNullable<Reply['offers']>[number] }) {
  const proposals = useProposals();
  const proposal = proposals.data?.find(({ code }) => code === offer.code);
  if (proposal && isWaiting(proposal)) return <ProposalCard proposal={proposal} folded />;
  return (
    <p className="soft">
      <Link href="/approvals">
        {offer.code}: {offer.offer}
      </Link>{' '}
      {proposal && `(${proposal.state})`}
    </p>
  );
}

/** A companion's answer: its words, its findings, and the evidence they cite. */
export function ReplyView({ reply: answer }: { reply: Reply }) {
  const thought = useThought(answer.explaining);
  const reply = thought.data ? explained(answer, thought.data) : answer;
  const [open, setOpen] = useState(false);
  const [shown, setShown] = useState<number | null>(null);
  const numbers = new Set(reply.evidence.map((item) => item.number));
  const cite = (number: number) => {
    setShown(number);
    setOpen(true);
  };

  return (
    <div className="reply">
      <p className="reply-text">
        <Prose text={reply.content} evidence={numbers} onCite={cite} />
      </p>
      {reply.cut && <p className="soft note">({reply.cut})</p>}
      {(reply.offers ?? []).map((offer) => (
        <OfferView key={offer.code} offer={offer} />
      ))}
      {reply.explanation && (
        <p className="reply-text">
          <span className="soft note">{reply.explanation.model} explains: </span>
          <Prose text={reply.explanation.content} evidence={numbers} onCite={cite} />
        </p>
      )}
      {reply.findings.length > 0 && <Findings findings={reply.findings} evidence={reply.evidence} />}
      {reply.evidence.length > 0 && (
        <details className="disclosure" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary className="soft note">Evidence ({reply.evidence.length})</summary>
          <EvidenceList evidence={reply.evidence} shown={shown} />
        </details>
      )}
    </div>
  );
}
