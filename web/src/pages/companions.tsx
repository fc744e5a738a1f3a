import { useState } from 'react';
import { Link } from 'wouter';

import { useCompanions, useMay } from '../api/queries';
import type { Companion } from '../api/types';
import { ChatPanel } from '../chat/chat-panel';
import { Button } from '../parts/button';
import { Empty } from '../parts/empty';
import { Status } from '../parts/lamp';
import { Notice, Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { Prose } from '../parts/prose';
import { Skeleton } from '../parts/skeleton';
import { companionSign } from '../text/signs';
import { LaunchCompanion } from './launch-companion';

/** Who is in the directory, and a conversation with the one that was chosen. */
export function CompanionsPage({ name }: { name?: string }) {
  const companions = useCompanions();
  const mayLaunch = useMay('LaunchCompanion');
  const [launching, setLaunching] = useState(false);
  const chosen = companions.data?.find((companion) => companion.name === name);
  return (
    <Page
      title="Companions"
      actions={mayLaunch && <Button onClick={() => setLaunching(true)}>Give a container a companion</Button>}
    >
      <div className={name ? 'beside' : 'stack'} data-first="chat">
        <div className="stack">
          {companions.isPending && <Skeleton count={4} />}
          <Trouble error={companions.data ? null : companions.error} />
          {companions.data?.length === 0 && (
            <Empty title="Nobody is here yet">
              <p className="soft">
                Every project, and every container that Ergon starts, gets a companion that can be asked about it.
              </p>
            </Empty>
          )}
          {companions.data && companions.data.length > 0 && (
            <ul className="panel lines">
              {companions.data.map((companion) => (
                <CompanionLine key={companion.name} companion={companion} chosen={companion.name === name} />
              ))}
            </ul>
          )}
        </div>
        {name && companions.data && !chosen && (
          <div>
            <Notice kind="warning">
              <p>{name} is not in the directory.</p>
            </Notice>
          </div>
        )}
        {name && (chosen ?? companions.isPending) && (
          <ChatPanel key={name} companion={name} kind={chosen?.type ?? 'container'} />
        )}
      </div>
      {launching && <LaunchCompanion onClose={() => setLaunching(false)} />}
    </Page>
  );
}

function CompanionLine({ companion, chosen }: { companion: Companion; chosen: boolean }) {
  return (
    <li className="line" data-companion={companion.name} data-chosen={chosen}>
      <div className="line-head">
        <Status sign={companionSign(companion)}>
          <Link
            href={`/companions/${encodeURIComponent(companion.name)}`}
            className="line-name"
            aria-current={chosen ? 'true' : undefined}
          >
            {companion.name}
          </Link>
        </Status>
        <span className="tag">{companion.type}</span>
        {companion.health !== 'up' && (
          <span className="soft note">
            {companion.reason ? `${companion.health}: ${companion.reason}` : companion.health}
          </span>
        )}
      </div>
      <p className="line-sentence">
        <Prose text={companion.sentence === '' ? (companion.address ?? '') : companion.sentence} />
      </p>
      {companion.purpose && companion.purpose !== companion.sentence && (
        <p className="note soft">{companion.purpose}</p>
      )}
      <div className="line-facts note">
        <Minded companion={companion} />
        {companion.capabilities.map((capability) => (
          <span key={capability} className="tag">
            {capability}
          </span>
        ))}
      </div>
    </li>
  );
}

/** What it looks after. */
function Minded({ companion }: { companion: Companion }) {
  if (companion.container)
    return <Link href={`/containers/${encodeURIComponent(companion.container)}`}>container {companion.container}</Link>;
  if (companion.project_id) return <Link href={`/projects/${encodeURIComponent(companion.project_id)}`}>project</Link>;
  return null;
}
