import type { ReactNode } from 'react';

import { Button } from './button';
import { Dialog } from './dialog';
import { Trouble } from './notice';

interface ConfirmProps {
  title: string;
  /** What will happen, to what, and whether it can be undone. */
  children: ReactNode;
  /** The verb on the button. */
  act: string;
  busy?: string | false;
  error?: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something that cannot be taken back. */
export function Confirm({ title, children, act, busy = false, error, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="danger" busy={busy} onClick={onConfirm}>
            {act}
          </Button>
        </>
      }
    >
      <div className="stack">
        <div>{children}</div>
        <Trouble error={error} />
      </div>
    </Dialog>
  );
}
