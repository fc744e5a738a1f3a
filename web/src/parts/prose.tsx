import { Fragment } from 'react';

import { pieces } from '../text/prose';

interface ProseProps {
  text: string;
  evidence?: ReadonlySet<number>;
  /** What to do when a citation is followed. */
  onCite?: (number: number) => void;
}

const none: ReadonlySet<number> = new Set();

/** A companion's words. They are data: text only, whatever they contain. */
export function Prose({ text, evidence = none, onCite }: ProseProps) {
  return pieces(text, evidence).map((piece, place) => {
    if (piece.kind === 'text') return <Fragment key={place}>{piece.text}</Fragment>;
    if (piece.kind === 'code') return <code key={place}>{piece.text}</code>;
    return (
      <button
        key={place}
        type="button"
        className="citation"
        aria-label={`Evidence ${piece.number}`}
        onClick={() => onCite?.(piece.number)}
      >
        {piece.number}
      </button>
    );
  });
}
