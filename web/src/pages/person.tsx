import { type SyntheticEvent, useState } from 'react';
import { Link, useLocation } from 'wouter';

import { LinkShown } from '../account/link-shown';
import { Passkeys } from '../account/passkeys';
import { Sessions } from '../account/sessions';
import { Tokens } from '../account/tokens';
import { useChangePerson, usePerson, usePersonLink, useRemovePerson } from '../api/people';
import { useSession } from '../api/queries';
import type { Person } from '../api/types';
import { Button } from '../parts/button';
import { Confirm } from '../parts/confirm';
import { Dialog } from '../parts/dialog';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Page, Panel } from '../parts/page';
import { PersonRoles } from '../parts/roles';
import { Skeleton } from '../parts/skeleton';
import { Ago } from '../parts/time';

/** Who is there from the first start stays. */
const FIRST = 'owner';

/** Somebody: as what they may come in, from where they are signed in, their programs. */
export function PersonPage({ name }: { name: string }) {
  const person = usePerson(name);
  const own = useSession().data?.principal;
  if (!person.data) {
    return (
      <Page title={name} kind="Person">
        {person.error ? <Trouble error={person.error} /> : <Skeleton shape="panel" count={3} />}
      </Page>
    );
  }
  const { roles, disabled, created_at: added } = person.data;
  return (
    <Page title={name} kind="Person" actions={<Actions person={person.data} isOneself={own === name} />}>
      <div className="stack account">
        <p className="row">
          <Status sign={disabled ? 'bad' : 'good'}>{disabled ? 'may not come in' : 'may come in'}</Status>
          <span className="soft">
            {comesInWith(person.data)} · added <Ago time={added} />
            {own === name && (
              <>
                {' '}
                · this is <Link href="/account">you</Link>
              </>
            )}
          </span>
        </p>
        {/* What somebody else changes meanwhile is taken over. */}
        <Roles key={roles.join()} person={person.data} />
        {person.data.has_passkey && <Passkeys name={name} own={false} />}
        <Sessions name={name} />
        <Tokens name={name} roles={roles} />
      </div>
    </Page>
  );
}

function comesInWith({ accounts, has_password: hasPassword, has_passkey: hasPasskey }: Person): string {
  if (accounts) return `comes in with an account elsewhere${hasPassword ? ', and has a password' : ''}`;
  if (hasPasskey) return hasPassword ? 'has a passkey and a password' : 'has a passkey and no password';
  return hasPassword ? 'has a password' : 'no password: comes in with links';
}

function Roles({ person }: { person: Person }) {
  const change = useChangePerson(person.name);
  const [chosen, setChosen] = useState<string[]>(person.roles);
  const isSame = chosen.length === person.roles.length && chosen.every((role) => person.roles.includes(role));

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!isSame && chosen.length > 0) change.mutate({ roles: chosen });
  };

  return (
    <Panel title="What they are">
      <form className="stack roles-form" onSubmit={submit}>
        <PersonRoles chosen={chosen} onChoose={setChosen} />
        <Trouble error={change.error} />
        <div>
          <Button
            kind="primary"
            type="submit"
            busy={change.isPending && 'Changing…'}
            disabled={isSame || chosen.length === 0}
          >
            Change roles
          </Button>
        </div>
      </form>
    </Panel>
  );
}

type Asked = 'disable' | 'remove' | null;

function Actions({ person, isOneself }: { person: Person; isOneself: boolean }) {
  const { name, disabled } = person;
  const change = useChangePerson(name);
  const link = usePersonLink();
  const [asked, setAsked] = useState<Asked>(null);
  const failed = asked === null ? (change.error ?? link.error) : null;
  return (
    <>
      <Button busy={link.isPending && 'Making…'} disabled={disabled} onClick={() => link.mutate(name)}>
        New link
      </Button>
      {name !== FIRST && (
        <>
          {disabled ? (
            <Button busy={change.isPending && 'Enabling…'} onClick={() => change.mutate({ disabled: false })}>
              Enable
            </Button>
          ) : (
            <Button onClick={() => setAsked('disable')}>Disable</Button>
          )}
          <Button kind="danger" onClick={() => setAsked('remove')}>
            Remove
          </Button>
        </>
      )}
      {asked === 'disable' && (
        <Confirm
          title={`Disable ${name}?`}
          act="Disable"
          busy={change.isPending && 'Disabling…'}
          error={change.error}
          onConfirm={() => change.mutate({ disabled: true }, { onSuccess: () => setAsked(null) })}
          onClose={() => {
            change.reset();
            setAsked(null);
          }}
        >
          <p>
            {isOneself ? 'That is you. ' : ''}
            {name} is signed out everywhere and may not come in, and tokens of {name} open nothing, until you enable{' '}
            {name} again.
          </p>
        </Confirm>
      )}
      {asked === 'remove' && <Remove name={name} onClose={() => setAsked(null)} />}
      {link.data && <LinkShown name={name} link={link.data} onClose={() => link.reset()} />}
      {failed && (
        <Dialog
          title="That did not work"
          onClose={() => {
            change.reset();
            link.reset();
          }}
          footer={
            <Button
              onClick={() => {
                change.reset();
                link.reset();
              }}
            >
              Close
            </Button>
          }
        >
          <Trouble error={failed} />
        </Dialog>
      )}
    </>
  );
}

function Remove({ name, onClose }: { name: string; onClose: () => void }) {
  const remove = useRemovePerson();
  const [, navigate] = useLocation();
  const [typed, setTyped] = useState('');

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (typed === name) remove.mutate(name, { onSuccess: () => navigate('/people') });
  };

  return (
    <Dialog
      title={`Remove ${name}?`}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="danger"
            type="submit"
            form="remove-person"
            busy={remove.isPending && 'Removing…'}
            disabled={typed !== name}
          >
            Remove {name}
          </Button>
        </>
      }
    >
      <form id="remove-person" className="stack" onSubmit={submit}>
        <p>
          {name} is forgotten: sessions end and tokens open nothing. What {name} did stays in the audit log. This cannot
          be undone.
        </p>
        <label className="field">
          <span className="field-label">Write {name} to remove them</span>
          <input
            className="input"
            value={typed}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
        <Trouble error={remove.error} />
      </form>
    </Dialog>
  );
}
