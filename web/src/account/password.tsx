import { type SyntheticEvent, useId, useState } from 'react';

import { useChangePassword } from '../api/people';
import type { Person } from '../api/types';
import { Button } from '../parts/button';
import { Notice, Trouble } from '../parts/notice';
import { Panel } from '../parts/page';
import { passwordLack } from '../text/sign-in';

/** Chooses one's password. Whoever has one says it, too. */
export function Password({ person }: { person: Person }) {
  const change = useChangePassword(person.name);
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const hint = useId();
  const lack = passwordLack(fresh);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (lack) return;
    change.mutate(person.has_password ? { old, new: fresh } : { new: fresh }, {
      onSuccess: () => {
        setOld('');
        setFresh('');
      },
    });
  };

  return (
    <Panel title="Password" aside={comesIn(person)}>
      <form className="stack password" onSubmit={submit}>
        {/* For the browser's own keeper of passwords. */}
        <input
          className="hidden-visually"
          type="text"
          autoComplete="username"
          aria-hidden="true"
          tabIndex={-1}
          readOnly
          value={person.name}
        />
        {person.has_password && (
          <label className="field">
            <span className="field-label">The one until now</span>
            <input
              className="input"
              type="password"
              autoComplete="current-password"
              value={old}
              onChange={(event) => setOld(event.target.value)}
            />
          </label>
        )}
        <div className="field">
          <label className="field">
            <span className="field-label">New password</span>
            <input
              className="input"
              type="password"
              autoComplete="new-password"
              value={fresh}
              aria-describedby={hint}
              onChange={(event) => setFresh(event.target.value)}
            />
          </label>
          <span id={hint} className="soft note">
            {lack ?? 'Long enough.'}
          </span>
        </div>
        <Trouble error={change.error} />
        {change.isSuccess && !fresh && (
          <Notice kind="done">
            <p>From now on you can sign in with it. Wherever else you were signed in, you are no longer.</p>
          </Notice>
        )}
        <div>
          <Button
            kind="primary"
            type="submit"
            busy={change.isPending && 'Changing…'}
            disabled={lack !== null || (person.has_password && !old)}
          >
            {person.has_password ? 'Change password' : 'Choose password'}
          </Button>
        </div>
      </form>
    </Panel>
  );
}

function comesIn({ has_password: hasPassword, has_passkey: hasPasskey }: Person): string | undefined {
  if (hasPassword) return undefined;
  return hasPasskey ? 'none' : 'none yet: you come in with links';
}
