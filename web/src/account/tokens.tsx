import { type SyntheticEvent, useState } from 'react';

import { useAddToken, usePersonTokens, useRemoveToken } from '../api/people';
import type { PersonToken } from '../api/types';
import { Button } from '../parts/button';
import { Confirm } from '../parts/confirm';
import { Dialog } from '../parts/dialog';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Panel } from '../parts/page';
import { RoleChoice, RoleTags } from '../parts/roles';
import { ShownOnce } from '../parts/shown-once';
import { Skeleton } from '../parts/skeleton';
import { Ago, Until } from '../parts/time';

/** What somebody's programs show. */
export function Tokens({ name, roles }: { name: string; roles: readonly string[] }) {
  const list = usePersonTokens(name);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<PersonToken | null>(null);
  return (
    <Panel title="Tokens for programs" aside={<Button onClick={() => setAdding(true)}>Add a token</Button>}>
      {list.isPending && <Skeleton count={2} />}
      <Trouble error={list.data ? null : list.error} />
      {list.data?.length === 0 && (
        <p className="soft">
          None. A program shows one as <code>Authorization: Bearer …</code>, or as the password of the image registry;
          it may no more than its person.
        </p>
      )}
      <ul className="entries">
        {list.data?.map((token) => (
          <Line key={token.id} token={token} onRemove={() => setRemoving(token)} />
        ))}
      </ul>
      {adding && <AddToken name={name} roles={roles} onClose={() => setAdding(false)} />}
      {removing && <RemoveToken name={name} token={removing} onClose={() => setRemoving(null)} />}
    </Panel>
  );
}

const called = (token: PersonToken) => token.about || `token ${token.id.slice(0, 8)}`;

function Line({ token, onRemove }: { token: PersonToken; onRemove: () => void }) {
  return (
    <li className="entry" data-token={token.id}>
      <div className="entry-main">
        <span className="entry-name">{called(token)}</span>
        {token.roles ? <RoleTags roles={token.roles} /> : <span className="soft note">all roles</span>}
        {token.expired && <Status sign="bad">over</Status>}
      </div>
      <span className="soft note entry-detail">
        {token.last_used_at ? (
          <>
            last used <Ago time={token.last_used_at} />
          </>
        ) : (
          'never used'
        )}{' '}
        · made <Ago time={token.created_at} />
        {!token.expired && (
          <>
            {' · '}
            {token.expires_at ? (
              <>
                ends <Until time={token.expires_at} />
              </>
            ) : (
              'does not end by itself'
            )}
          </>
        )}
      </span>
      <span className="entry-act">
        <Button kind="quiet" aria-label={`Remove ${called(token)}`} onClick={onRemove}>
          Remove
        </Button>
      </span>
    </li>
  );
}

const lasts = [
  { days: 7, label: '7 days' },
  { days: 30, label: '30 days' },
  { days: 90, label: '90 days' },
  { days: 365, label: 'a year' },
  { days: 0, label: 'until it is removed' },
];

interface AddTokenProps {
  name: string;
  roles: readonly string[];
  onClose: () => void;
}

function AddToken({ name, roles, onClose }: AddTokenProps) {
  const add = useAddToken(name);
  const [about, setAbout] = useState('');
  const [chosen, setChosen] = useState<string[]>([...roles]);
  const [days, setDays] = useState(90);
  const all = roles.every((role) => chosen.includes(role));

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    // With all roles it keeps to whatever its person is later; with some it stays with those.
    add.mutate({
      ...(about.trim() && { about: about.trim() }),
      ...(!all && { roles: chosen }),
      ...(days > 0 && { days }),
    });
  };

  if (add.data) {
    return (
      <Dialog
        title="The token"
        onClose={onClose}
        footer={
          <Button kind="primary" onClick={onClose}>
            I have it
          </Button>
        }
      >
        <div className="stack">
          <p>It is shown this once. The stack keeps no copy of it; whoever has it may what it may.</p>
          <ShownOnce what="token" value={add.data.secret} />
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog
      title="A token for a program"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            type="submit"
            form="add-token"
            busy={add.isPending && 'Adding…'}
            disabled={chosen.length === 0}
          >
            Add token
          </Button>
        </>
      }
    >
      <form id="add-token" className="stack" onSubmit={submit}>
        <label className="field">
          <span className="field-label">What it is for</span>
          <input
            className="input"
            value={about}
            autoComplete="off"
            placeholder="nightly builds"
            onChange={(event) => setAbout(event.target.value)}
          />
        </label>
        <RoleChoice label="With which roles" of={roles} chosen={chosen} onChoose={setChosen} />
        <label className="field">
          <span className="field-label">Lasts</span>
          <select className="input" value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {lasts.map((each) => (
              <option key={each.days} value={each.days}>
                {each.label}
              </option>
            ))}
          </select>
        </label>
        <Trouble error={add.error} />
      </form>
    </Dialog>
  );
}

function RemoveToken({ name, token, onClose }: { name: string; token: PersonToken; onClose: () => void }) {
  const remove = useRemoveToken(name);
  return (
    <Confirm
      title={`Remove ${called(token)}?`}
      act="Remove token"
      busy={remove.isPending && 'Removing…'}
      error={remove.error}
      onConfirm={() => remove.mutate(token.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>Whatever program shows it is refused from then on. This cannot be undone; another token can be made.</p>
    </Confirm>
  );
}
