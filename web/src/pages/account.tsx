import { Accounts } from '../account/accounts';
import { Passkeys } from '../account/passkeys';
import { Password } from '../account/password';
import { Sessions } from '../account/sessions';
import { Tokens } from '../account/tokens';
import { useSignOut } from '../api/actions';
import { usePerson } from '../api/people';
import { useSession } from '../api/queries';
import { RoleTags } from '../parts/roles';
import { Button } from '../parts/button';
import { Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { Skeleton } from '../parts/skeleton';

/** Who one is and as what; one's password, where one is signed in, one's programs. */
export function AccountPage() {
  const session = useSession().data;
  const name = session?.principal ?? '';
  const person = usePerson(name, name !== '');
  const signOut = useSignOut();
  if (!session) return null;
  return (
    <Page
      title={name}
      kind="Your account"
      actions={
        <>
          <RoleTags roles={session.roles ?? []} />
          <Button busy={signOut.isPending && 'Signing out…'} onClick={() => signOut.mutate()}>
            Sign out
          </Button>
        </>
      }
    >
      <div className="stack account">
        <Trouble error={signOut.error ?? (person.data ? null : person.error)} />
        {person.isPending && <Skeleton shape="panel" count={2} />}
        {person.data && (
          <>
            {!person.data.accounts && <Passkeys name={name} own />}
            {person.data.accounts ? <Accounts person={person.data} /> : <Password person={person.data} />}
            <Sessions name={name} />
            <Tokens name={name} roles={person.data.roles} />
          </>
        )}
      </div>
    </Page>
  );
}
