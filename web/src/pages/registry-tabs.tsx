import { Link, useLocation } from 'wouter';

const tabs = [
  { href: '/registry', label: 'Builds' },
  { href: '/solutions', label: 'Solutions' },
];

/** The two halves of the registry: what was built, and what of it is kept for others. */
export function RegistryTabs() {
  const [location] = useLocation();
  return (
    <nav className="tabs" aria-label="Registry">
      {tabs.map(({ href, label }) => (
        <Link key={href} href={href} className="tab" aria-current={location === href ? 'page' : undefined}>
          {label}
        </Link>
      ))}
    </nav>
  );
}
