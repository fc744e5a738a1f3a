import { useLocation } from 'wouter';

import { usePerson } from '../api/people';
import { Button } from '../parts/button';
import { declinePassword, useCameByLink } from './came-by-link';

/** Asks whoever came with a link and has no password to choose one. Once; it stands in nobody's way. */
export function Invitation({ name }: { name: string }) {
  const [location, navigate] = useLocation();
  const asks = useCameByLink(name);
  const person = usePerson(name, asks);
  if (!asks || location === '/account' || person.data?.has_password !== false) return null;
  return (
    <aside className="invitation" aria-label="A password">
      <p>You came in with a link, which is good only once. With a password you can come in whenever you want.</p>
      <div className="row">
        <Button onClick={() => navigate('/account')}>Choose a password</Button>
        <Button kind="quiet" onClick={() => declinePassword(name)}>
          Not now
        </Button>
      </div>
    </aside>
  );
}
