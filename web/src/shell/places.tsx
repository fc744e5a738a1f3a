import { Link, useLocation } from 'wouter';

import { useProposals, useSession } from '../api/queries';
import { Icon, type IconName } from '../parts/icon';
import { type Deed, may } from '../text/may';
import { accessTabs } from './access';

interface Place {
  href: string;
  label: string;
  icon: IconName;
  also?: string[];
  needs?: Deed;
}

const places: Place[] = [
  { href: '/projects', label: 'Projects', icon: 'projects', also: ['/jobs'] },
  { href: '/containers', label: 'Containers', icon: 'containers' },
  { href: '/registry', label: 'Registry', icon: 'registry', also: ['/builds', '/manifests', '/solutions'] },
  { href: '/companions', label: 'Companions', icon: 'companions' },
  { href: '/messages', label: 'Messages', icon: 'messages', needs: 'ReadMessages' },
  { href: '/approvals', label: 'Approvals', icon: 'approvals' },
  { href: '/activity', label: 'Activity', icon: 'activity' },
];

const settings: Place = { href: '/settings', label: 'Settings', icon: 'settings' };

/** The column of places; a bar at the bottom of narrow screens. What only leads to a refusal is left out. */
export function Places() {
  const [location] = useLocation();
  const roles = useSession().data?.roles ?? [];
  const access = accessTabs.find(({ needs }) => may(roles, needs));
  const offered: Place[] = [
    ...places.filter(({ needs }) => !needs || may(roles, needs)),
    ...(access
      ? [
          {
            href: access.href,
            label: 'Access',
            icon: 'access' as const,
            also: [...accessTabs.map(({ href }) => href), '/write-policy'],
          },
        ]
      : []),
    settings,
  ];
  const waiting = useProposals().data?.filter(({ state }) => state === 'open').length ?? 0;
  return (
    <nav className="places" aria-label="Places">
      <ul>
        {offered.map(({ href, label, icon, also = [] }) => {
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
