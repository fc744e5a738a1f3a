import { useLayoutEffect, useRef, useState } from 'react';

import type { JobLogLine } from '../api/types';
import { count } from '../text/format';
import { plainLine } from '../text/terminal';

/** As many lines as are drawn before one asks for more. */
const SHOWN = 400;

interface StepLogProps {
  lines: readonly JobLogLine[];
  label: string;
  /** Stay at the end while lines come, unless the reader has scrolled up. */
  follow: boolean;
}

export function StepLog({ lines, label, follow }: StepLogProps) {
  const [all, setAll] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const shown = all ? lines : lines.slice(-SHOWN);
  const hidden = lines.length - shown.length;

  useLayoutEffect(() => {
    if (follow && atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, lines]);

  return (
    <div
      ref={box}
      className="log"
      role="region"
      aria-label={label}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 24;
      }}
    >
      {hidden > 0 && (
        <button type="button" className="link-button" onClick={() => setAll(true)}>
          Show {count(hidden, 'earlier line')}
        </button>
      )}
      {shown.map((line) => (
        <div key={line.number}>{plainLine(line.text) || '\u200b'}</div>
      ))}
    </div>
  );
}
