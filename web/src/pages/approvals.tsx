import { useProposals } from '../api/queries';
import { isWaiting, ProposalCard } from '../approvals/proposal';
import { Empty } from '../parts/empty';
import { Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { Skeleton } from '../parts/skeleton';

/** As many of those that are over as are shown. */
const SHOWN = 20;

/** What companions would do to their containers if somebody approves, and what became of what was decided. */
export function ApprovalsPage() {
  const proposals = useProposals();
  const waiting = proposals.data?.filter(isWaiting) ?? [];
  const over = proposals.data?.filter((each) => !isWaiting(each)).slice(0, SHOWN) ?? [];
  return (
    <Page title="Approvals">
      <div className="stack">
        {proposals.isPending && <Skeleton count={2} />}
        <Trouble error={proposals.data ? null : proposals.error} />
        {proposals.data && waiting.length === 0 && (
          <Empty title="Nothing waits for you">
            <p className="soft">
              When a companion sees what it could put right, it says here what it would do. Nothing is done before
              somebody approves it; ask one with <code>aish NAME &quot;what happened?&quot;</code>.
            </p>
          </Empty>
        )}
        {waiting.map((proposal) => (
          <ProposalCard key={proposal.code} proposal={proposal} />
        ))}
        {over.length > 0 && <h2 className="panel-title">Over</h2>}
        {over.map((proposal) => (
          <ProposalCard key={proposal.code} proposal={proposal} />
        ))}
      </div>
    </Page>
  );
}
