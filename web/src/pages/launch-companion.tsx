import { type SyntheticEvent, useState } from 'react';
import { useLocation } from 'wouter';

import { useLaunchCompanion } from '../api/actions';
import { Button } from '../parts/button';
import { Dialog } from '../parts/dialog';
import { Trouble } from '../parts/notice';

/** Gives a companion to a container that Ergon did not start. */
export function LaunchCompanion({ onClose }: { onClose: () => void }) {
  const [, navigate] = useLocation();
  const launch = useLaunchCompanion();
  const [container, setContainer] = useState('');
  const [name, setName] = useState('');

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    launch.mutate(
      { container: container.trim(), ...(name.trim() && { name: name.trim() }) },
      {
        onSuccess: (companion) => {
          onClose();
          navigate(`/companions/${encodeURIComponent(companion.name)}`);
        },
      },
    );
  };

  return (
    <Dialog
      title="Give a container a companion"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            type="submit"
            form="launch-companion"
            busy={launch.isPending && 'Launching…'}
            disabled={!container.trim()}
          >
            Launch
          </Button>
        </>
      }
    >
      <form id="launch-companion" className="stack" onSubmit={submit}>
        <p className="soft">
          For a container that Ergon did not start. It only looks; nothing about the container changes.
        </p>
        <label className="field">
          <span className="field-label">Container, by name or id</span>
          <input
            className="input"
            value={container}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setContainer(event.target.value)}
          />
        </label>
        <label className="field">
          <span className="field-label">Its companion’s name</span>
          <input
            className="input"
            value={name}
            autoComplete="off"
            spellCheck={false}
            placeholder={container.trim() ? `${container.trim()}-ci` : ''}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <Trouble error={launch.error} />
      </form>
    </Dialog>
  );
}
