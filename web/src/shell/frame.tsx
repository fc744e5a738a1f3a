import { type ReactNode, useEffect, useRef } from 'react';
import { Link, useLocation } from 'wouter';

import type { Session } from '../api/types';
import { useLive } from '../api/use-live';
import { Mark } from '../parts/mark';
import { Invitation } from './invitation';
import { NowBar } from './now-bar';
import { Places } from './places';
import { SearchBox } from './search-box';

/** What is around every page: places, search, what is going on, who one is. */
export function Frame({ session, children }: { session: Session; children: ReactNode }) {
  const connected = useLive();
  const roles = (session.roles ?? []).join(', ');
  useFocusOnArrival();
  return (
    <div className="frame">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="top">
        <Link href="/projects" className="brand" aria-label="Ergon: projects">
          <Mark />
          <span>Ergon</span>
        </Link>
        <SearchBox />
        <div className="top-now">
          <NowBar />
        </div>
        <p className="who" role="status">
          {connected ? null : (
            <span className="disconnected">
              <span className="spinner" aria-hidden="true" />
              Not connected
            </span>
          )}
        </p>
        <Link href="/account" className="who-name" title={`${session.principal} (${roles}) on ${session.stack}`}>
          <span>{session.principal}</span>
          {roles !== session.principal && <span className="faint who-stack">{roles}</span>}
          <span className="faint who-stack">{session.stack}</span>
        </Link>
      </header>
      <Places />
      <main className="main" id="main" tabIndex={-1}>
        <Invitation name={session.principal} />
        {children}
      </main>
    </div>
  );
}

/** Moves the focus to the new page's heading, so that it is read out and Tab goes on from there. */
function useFocusOnArrival() {
  const [location] = useLocation();
  const before = useRef(location);
  useEffect(() => {
    if (before.current === location) return;
    before.current = location;
    window.scrollTo(0, 0);
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
  }, [location]);
}
