import { Fragment, useMemo } from 'react';

import type { PolicyFault } from '../api/types';
import { cedarLines, faultWords } from '../text/cedar';

interface CedarTextProps {
  text: string;
  faults?: readonly PolicyFault[];
}

const none: readonly PolicyFault[] = [];

/** A text of policies with its lines numbered and coloured, and what is wrong at the end of each. */
export function CedarText({ text, faults = none }: CedarTextProps) {
  const lines = useMemo(() => cedarLines(text), [text]);
  return lines.map((pieces, place) => {
    const wrong = faults.filter(({ line }) => line === place + 1);
    return (
      <Fragment key={place}>
        <span className="cedar-line" data-wrong={wrong.length > 0}>
          {pieces.map((piece, each) => (
            <span key={each} className={`cedar-${piece.kind}`}>
              {piece.text}
            </span>
          ))}
          {wrong.length > 0 && (
            <span className="cedar-fault">{wrong.map(({ message }) => faultWords(message)).join('; ')}</span>
          )}
        </span>
        {'\n'}
      </Fragment>
    );
  });
}

/** The same, to be read. */
export function CedarPane({ label, text, faults }: CedarTextProps & { label: string }) {
  return (
    <pre className="cedar" tabIndex={0} aria-label={label} role="region">
      <code>
        <CedarText text={text.trimEnd()} faults={faults ?? none} />
      </code>
    </pre>
  );
}
