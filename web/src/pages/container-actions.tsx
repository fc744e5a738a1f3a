import { useState } from 'react';
import { useLocation } from 'wouter';

import { type ContainerChange, useChangeContainer, useRemoveContainer } from '../api/actions';
import { useMay } from '../api/queries';
import type { Container } from '../api/types';
import { Button } from '../parts/button';
import { Confirm } from '../parts/confirm';
import { Dialog } from '../parts/dialog';
import { Trouble } from '../parts/notice';

const doing: Record<ContainerChange, string> = { start: 'Starting…', stop: 'Stopping…', restart: 'Restarting…' };
const labels: Record<ContainerChange, string> = { start: 'Start', stop: 'Stop', restart: 'Restart' };

/** What can be done to a container; what interrupts or destroys is asked about first. */
export function ContainerActions({ container }: { container: Container }) {
  const [, navigate] = useLocation();
  const mayChange = useMay('RestartContainer');
  const mayRemove = useMay('RemoveContainer');
  const change = useChangeContainer();
  const remove = useRemoveContainer();
  const [asking, setAsking] = useState<'stop' | 'remove' | null>(null);
  const running = container.state === 'running' || container.state === 'restarting';
  const offered: ContainerChange[] = !mayChange ? [] : running ? ['restart', 'stop'] : ['start'];

  return (
    <>
      {offered.map((each) => (
        <Button
          key={each}
          kind={each === 'start' ? 'primary' : 'plain'}
          busy={change.isPending && change.variables.change === each && doing[each]}
          disabled={change.isPending || remove.isPending}
          onClick={() => (each === 'stop' ? setAsking('stop') : change.mutate({ name: container.name, change: each }))}
        >
          {labels[each]}
        </Button>
      ))}
      {mayRemove && (
        <Button kind="danger" disabled={change.isPending} onClick={() => setAsking('remove')}>
          Remove
        </Button>
      )}
      {asking === 'stop' && (
        <Confirm
          title={`Stop ${container.name}?`}
          act="Stop container"
          onClose={() => setAsking(null)}
          onConfirm={() => {
            change.mutate({ name: container.name, change: 'stop' });
            setAsking(null);
          }}
        >
          <p>Whoever uses it gets no answer until it is started again. Its files stay.</p>
        </Confirm>
      )}
      {asking === 'remove' && (
        <Confirm
          title={`Remove ${container.name}?`}
          act="Remove container"
          busy={remove.isPending && 'Removing…'}
          error={remove.error}
          onClose={() => setAsking(null)}
          onConfirm={() => remove.mutate(container.name, { onSuccess: () => navigate('/containers') })}
        >
          <p>
            The container is stopped and what it wrote outside its volumes is gone; this cannot be undone.{' '}
            {container.companion} leaves the directory. The image stays, so that it can be run again.
          </p>
        </Confirm>
      )}
      {change.error && (
        <Dialog
          title="That did not work"
          onClose={() => change.reset()}
          footer={<Button onClick={() => change.reset()}>Close</Button>}
        >
          <Trouble error={change.error} />
        </Dialog>
      )}
    </>
  );
}
