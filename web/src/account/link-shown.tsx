import type { SignInLink } from '../api/types';
import { Button } from '../parts/button';
import { Dialog } from '../parts/dialog';
import { ShownOnce } from '../parts/shown-once';

/** A link with which somebody comes in, to be given to them. */
export function LinkShown({ name, link, onClose }: { name: string; link: SignInLink; onClose: () => void }) {
  return (
    <Dialog
      title={`A link for ${name}`}
      onClose={onClose}
      footer={
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      }
    >
      <div className="stack">
        <p>
          Give it to {name} and to nobody else: whoever opens it is {name}. It is good for one sign-in within a day, and
          is shown this once.
        </p>
        {/* The address one is at oneself is one at which the stack can be reached. */}
        <ShownOnce what="link" value={`${location.origin}/#code=${link.code}`} />
      </div>
    </Dialog>
  );
}
