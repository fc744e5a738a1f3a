import type { Deed } from '../text/may';

/** Who may come in, who may do what, and what was done: each for whoever may see it. */
export const accessTabs: { href: string; label: string; needs: Deed }[] = [
  { href: '/people', label: 'People', needs: 'ListPeople' },
  { href: '/policies', label: 'Policies', needs: 'ListPolicies' },
  { href: '/audit', label: 'Audit', needs: 'ReadAuditLog' },
];
