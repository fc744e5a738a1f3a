import { useEffect, useRef, useState } from 'react';

import { Button } from './button';
import { Icon } from './icon';

interface ShownOnceProps {
  /** What it is: `link`, `token`. */
  what: string;
  value: string;
}

/** What is shown this once and kept nowhere: easy to take along, whole on any screen. */
export function ShownOnce({ what, value }: ShownOnceProps) {
  const [outcome, setOutcome] = useState<'copied' | 'refused' | null>(null);
  const text = useRef<HTMLElement>(null);

  useEffect(() => {
    if (outcome !== 'copied') return undefined;
    const timer = setTimeout(() => setOutcome(null), 1600);
    return () => clearTimeout(timer);
  }, [outcome]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setOutcome('copied');
    } catch {
      // Not offered by every browser at every address: it is marked, so that one key copies it.
      if (text.current) getSelection()?.selectAllChildren(text.current);
      setOutcome('refused');
    }
  };

  return (
    <div className="shown-once">
      <code ref={text} className="wrap-anywhere" data-shown-once={what}>
        {value}
      </code>
      <Button onClick={() => void copy()}>
        <Icon name={outcome === 'copied' ? 'check' : 'copy'} />
        {outcome === 'copied' ? 'Copied' : `Copy the ${what}`}
      </Button>
      <p className="note soft" role="status">
        {outcome === 'refused' && 'This browser does not let a page copy. It is marked: copy it with Ctrl+C.'}
      </p>
    </div>
  );
}
