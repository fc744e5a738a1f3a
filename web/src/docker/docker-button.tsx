import { useEffect, useRef, useState } from 'react';

import { useGenerate } from '../api/actions';
import type { GeneratedDockerfile } from '../api/types';
import { Button } from '../parts/button';
import { Trouble } from '../parts/notice';
import { DockerModal } from './docker-modal';

/** 🐳: analyses the project and opens what it came to. Returns the button, and the message where it failed. */
export function useDockerButton(projectId: string) {
  const generate = useGenerate();
  const [shown, setShown] = useState<GeneratedDockerfile | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const wasShown = useRef(false);

  useEffect(() => {
    // The button was disabled while it worked, so the dialog cannot know where the focus came from.
    if (wasShown.current && !shown) button.current?.focus();
    wasShown.current = shown !== null;
  }, [shown]);

  return {
    button: (
      <>
        <Button
          ref={button}
          busy={generate.isPending && 'Generating…'}
          onClick={() => generate.mutate(projectId, { onSuccess: setShown })}
        >
          <span aria-hidden="true">🐳</span> Docker
        </Button>
        {shown && <DockerModal generated={shown} onClose={() => setShown(null)} />}
      </>
    ),
    trouble: <Trouble error={generate.error} />,
  };
}
