import { type SyntheticEvent, useState } from 'react';

import { hasPasskeys, useAddPasskey, usePasskeys, useRemovePasskey, useRenamePasskey } from '../api/passkeys';
import { useSignInWays } from '../api/sign-in-return';
import type { Passkey } from '../api/types';
import { Button } from '../parts/button';
import { Confirm } from '../parts/confirm';
import { Dialog } from '../parts/dialog';
import { Trouble } from '../parts/notice';
import { Panel } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { Ago } from '../parts/time';
import { calledAfter } from '../text/passkey';

/** One's passkeys; whose are others', only to be seen and removed. */
export function Passkeys({ name, own }: { name: string; own: boolean }) {
  const list = usePasskeys(name);
  const ways = useSignInWays();
  const add = useAddPasskey(name);
  const [naming, setNaming] = useState<Passkey | null>(null);
  const [removing, setRemoving] = useState<Passkey | null>(null);
  const isHere = ways.data?.passkeys === true && hasPasskeys();
  return (
    <Panel
      title="Passkeys"
      aside={
        own &&
        isHere && (
          <Button
            busy={add.isPending && 'Asking your device…'}
            onClick={() => add.mutate(calledAfter(navigator.userAgent))}
          >
            Add a passkey
          </Button>
        )
      }
    >
      {list.isPending && <Skeleton count={2} />}
      <Trouble error={add.error ?? (list.data ? null : list.error)} />
      {own && ways.data && !isHere && <NotHere named={ways.data.passkeys} />}
      {list.data?.length === 0 && (own ? isHere : true) && (
        <p className="soft">
          None.{own && ' With one you sign in by a finger, a face or a PIN; what it knows never leaves your device.'}
        </p>
      )}
      <ul className="entries">
        {list.data?.map((passkey) => (
          <li key={passkey.id} className="entry" data-passkey={passkey.id}>
            <div className="entry-main">
              <span className="entry-name">{passkey.about}</span>
            </div>
            <span className="soft note entry-detail">
              for {passkey.host} · made <Ago time={passkey.created_at} /> ·{' '}
              {passkey.last_used_at ? (
                <>
                  last used <Ago time={passkey.last_used_at} />
                </>
              ) : (
                'never used'
              )}
            </span>
            <span className="entry-act">
              {own && (
                <Button kind="quiet" aria-label={`Rename ${passkey.about}`} onClick={() => setNaming(passkey)}>
                  Rename
                </Button>
              )}
              <Button kind="quiet" aria-label={`Remove ${passkey.about}`} onClick={() => setRemoving(passkey)}>
                Remove
              </Button>
            </span>
          </li>
        ))}
      </ul>
      {naming && <Rename name={name} passkey={naming} onClose={() => setNaming(null)} />}
      {removing && <Remove name={name} passkey={removing} onClose={() => setRemoving(null)} />}
    </Panel>
  );
}

/** Why there is no button: at an address, browsers keep none. */
function NotHere({ named }: { named: boolean }) {
  if (named)
    return <p className="soft">This browser keeps no passkeys here: it does so over https, or at localhost.</p>;
  const there = new URL(location.href);
  there.hostname = 'localhost';
  return (
    <p className="soft">
      Passkeys are for names, and <code>{location.hostname}</code> is an address. On the stack’s own machine, open{' '}
      <a href={there.href}>{there.host}</a>; from others, a name that the stack was given with{' '}
      <code>ergon up --host</code>.
    </p>
  );
}

function Rename({ name, passkey, onClose }: { name: string; passkey: Passkey; onClose: () => void }) {
  const rename = useRenamePasskey(name);
  const [about, setAbout] = useState(passkey.about);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    rename.mutate({ id: passkey.id, about }, { onSuccess: onClose });
  };
  return (
    <Dialog
      title="What it is called"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            type="submit"
            form="rename-passkey"
            busy={rename.isPending && 'Renaming…'}
            disabled={!about.trim()}
          >
            Rename
          </Button>
        </>
      }
    >
      <form id="rename-passkey" className="stack" onSubmit={submit}>
        <label className="field">
          <span className="field-label">Name of the passkey</span>
          <input
            className="input"
            value={about}
            maxLength={80}
            autoComplete="off"
            onChange={(event) => setAbout(event.target.value)}
          />
        </label>
        <Trouble error={rename.error} />
      </form>
    </Dialog>
  );
}

function Remove({ name, passkey, onClose }: { name: string; passkey: Passkey; onClose: () => void }) {
  const remove = useRemovePasskey(name);
  return (
    <Confirm
      title={`Remove ${passkey.about}?`}
      act="Remove passkey"
      busy={remove.isPending && 'Removing…'}
      error={remove.error}
      onConfirm={() => remove.mutate(passkey.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        It lets nobody in from then on. Your device may keep its half until you remove it there, too; another one can be
        made.
      </p>
    </Confirm>
  );
}
