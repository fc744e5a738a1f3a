import { type SyntheticEvent, useState } from 'react';
import { Link } from 'wouter';

import { LinkShown } from '../account/link-shown';
import { useAddPerson, usePeople } from '../api/people';
import { useSession } from '../api/queries';
import type { Person } from '../api/types';
import { AccessTabs } from './access-tabs';
import { Button } from '../parts/button';
import { Dialog } from '../parts/dialog';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { PersonRoles, RoleTags } from '../parts/roles';
import { Skeleton } from '../parts/skeleton';
import { Ago } from '../parts/time';

/** Who may come in, and as what. */
export function PeoplePage() {
  const people = usePeople();
  const own = useSession().data?.principal;
  const [adding, setAdding] = useState(false);
  return (
    <Page
      title="People"
      actions={
        people.data && (
          <Button kind="primary" onClick={() => setAdding(true)}>
            Add somebody
          </Button>
        )
      }
    >
      <div className="stack">
        <AccessTabs />
        {people.isPending && <Skeleton count={3} />}
        <Trouble error={people.data ? null : people.error} />
        {people.data && (
          <ul className="panel entries people" aria-label="Everybody, by name">
            {people.data.map((person) => (
              <Line key={person.name} person={person} isOneself={person.name === own} />
            ))}
          </ul>
        )}
        {adding && <AddPerson onClose={() => setAdding(false)} />}
      </div>
    </Page>
  );
}

function Line({ person, isOneself }: { person: Person; isOneself: boolean }) {
  return (
    <li className="entry" data-person={person.name}>
      <div className="entry-main">
        <Link className="entry-name" href={`/people/${encodeURIComponent(person.name)}`}>
          {person.name}
        </Link>
        <RoleTags roles={person.roles} />
        {isOneself && <span className="soft note">you</span>}
        {person.disabled && <Status sign="bad">disabled</Status>}
      </div>
      <span className="soft note entry-detail">
        {person.has_password ? 'has a password' : 'no password: comes in with links'} · added{' '}
        <Ago time={person.created_at} />
      </span>
    </li>
  );
}

function AddPerson({ onClose }: { onClose: () => void }) {
  const add = useAddPerson();
  const [name, setName] = useState('');
  const [roles, setRoles] = useState<string[]>(['viewer']);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    add.mutate({ name: name.trim(), roles });
  };

  if (add.data) return <LinkShown name={add.data.name} link={add.data.link} onClose={onClose} />;
  return (
    <Dialog
      title="Add somebody"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            type="submit"
            form="add-person"
            busy={add.isPending && 'Adding…'}
            disabled={!name.trim() || roles.length === 0}
          >
            Add
          </Button>
        </>
      }
    >
      <form id="add-person" className="stack" onSubmit={submit}>
        <label className="field">
          <span className="field-label">Name</span>
          <input
            className="input"
            value={name}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            placeholder="small letters, as ada or ada.l"
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <PersonRoles chosen={roles} onChoose={setRoles} />
        <Trouble error={add.error} />
      </form>
    </Dialog>
  );
}
