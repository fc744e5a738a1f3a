import { Link, useLocation } from 'wouter';

import { useProposals } from '../api/queries';
import { Icon, type IconName } from '../parts/icon';

const places: { href: string; label: string; icon: IconName; also?: string[] }[] = [
  { href: '/projects', label: 'Projects', icon: 'projects', also: ['/jobs'] },
  { href: '/containers', label: 'Containers', icon: 'containers' },
  { href: '/registry', label: 'Registry', icon: 'registry', also: ['/builds', '/manifests', '/solutions'] },
  { href: '/companions', label: 'Companions', icon: 'companions' },
  { href: '/messages', label: 'Messages', icon: 'messages' },
  { href: '/approvals', label: 'Approvals', icon: 'approvals' },
  { href: '/activity', label: 'Activity', icon: 'activity' },
  { href: '/settings', label: 'Settings', icon: 'settings' },
];

/** The column of places; a bar at the bottom of narrow screens. */
export function Places() {
  const [location] = useLocation();
  const waiting = useProposals().data?.filter(({ state }) => state === 'open').length ?? 0;
  return (
    <nav className="places" aria-label="Places">
      <ul>
        {places.map(({ href, label, icon, also = [] }) => {
          const here = [href, ...also].some((start) => location === start || location.startsWith(`${start}/`));
          return (
            <li key={href}>
              <Link href={href} className="place" aria-current={here ? 'page' : undefined}>
                <Icon name={icon} size={18} />
                <span>{label}</span>
                {href === '/approvals' && waiting > 0 && (
                  <span className="places-count numbers">
                    {waiting}
                    <span className="hidden-visually"> waiting</span>
                  </span>
                )}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
