import { Link, useLocation } from 'wouter';

import { useSession } from '../api/queries';
import { accessTabs } from '../shell/access';
import { may } from '../text/may';

/** People, policies, audit: as far as they are for whoever looks. */
export function AccessTabs() {
  const [location] = useLocation();
  const roles = useSession().data?.roles ?? [];
  const offered = accessTabs.filter(({ needs }) => may(roles, needs));
  if (offered.length < 2) return null;
  return (
    <nav className="tabs" aria-label="Access">
      {offered.map(({ href, label }) => (
        <Link key={href} href={href} className="tab" aria-current={location === href ? 'page' : undefined}>
          {label}
        </Link>
      ))}
    </nav>
  );
}
