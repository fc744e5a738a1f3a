import { useSignOut } from '../api/actions';
import { useEndSession, useEndSessions, usePersonSessions } from '../api/people';
import type { PersonSession } from '../api/types';
import { Button } from '../parts/button';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Panel } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { Ago, Until } from '../parts/time';
import { agentWords } from '../text/agent';

/** Where somebody is signed in. */
export function Sessions({ name }: { name: string }) {
  const list = usePersonSessions(name);
  const endAll = useEndSessions(name);
  const others = list.data?.filter(({ current }) => !current).length ?? 0;
  const isOwn = list.data?.some(({ current }) => current) ?? false;
  return (
    <Panel
      title="Where signed in"
      aside={
        others > 0 && (
          <Button busy={endAll.isPending && 'Ending…'} onClick={() => endAll.mutate()}>
            {isOwn ? 'End all others' : 'End all'}
          </Button>
        )
      }
    >
      {list.isPending && <Skeleton count={2} />}
      <Trouble error={endAll.error ?? (list.data ? null : list.error)} />
      {list.data?.length === 0 && <p className="soft">Nowhere.</p>}
      <ul className="entries">
        {list.data?.map((session) => (
          <Line key={session.id} name={name} session={session} />
        ))}
      </ul>
    </Panel>
  );
}

function Line({ name, session }: { name: string; session: PersonSession }) {
  const end = useEndSession(name);
  const signOut = useSignOut();
  const what = agentWords(session.agent);
  return (
    <li className="entry" data-session={session.id} data-current={session.current}>
      <div className="entry-main">
        <span className="entry-name" title={session.agent}>
          {what}
        </span>
        {session.current && <Status sign="good">this one</Status>}
      </div>
      <span className="soft note entry-detail">
        {session.address && <>from {session.address} · </>}
        last used <Ago time={session.last_used_at} /> · signed in <Ago time={session.created_at} /> · ends{' '}
        <Until time={session.expires_at} />
      </span>
      <span className="entry-act">
        {session.current ? (
          <Button kind="quiet" busy={signOut.isPending && 'Signing out…'} onClick={() => signOut.mutate()}>
            Sign out
          </Button>
        ) : (
          <Button
            kind="quiet"
            busy={end.isPending && 'Ending…'}
            aria-label={`End ${what}`}
            onClick={() => end.mutate(session.id)}
          >
            End
          </Button>
        )}
      </span>
      <Trouble error={end.error ?? signOut.error} />
    </li>
  );
}
