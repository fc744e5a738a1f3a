import { useEffect, useMemo, useRef } from 'react';

import { useRoving } from '../parts/roving';
import { scrollWithin } from '../parts/scroll-within';
import type { DiffRow } from '../text/diff';
import { type Token, tokenise } from '../text/dockerfile';
import type { Lit, Pointed } from '../text/line-facts';

interface CodePaneProps {
  label: string;
  rows: readonly DiffRow[];
  before: string;
  after: string;
  /** Lines of the new text that came from a fact. */
  explained: ReadonlySet<number>;
  lit: Lit;
  onPoint: (pointed: Pointed) => void;
}

const signs = { same: ' ', removed: '−', added: '+' } as const;
const words = { same: '', removed: 'removed: ', added: 'added: ' } as const;

/** A Dockerfile, or its difference from another; lines that came from facts can be pointed at and focused. */
export function CodePane({ label, rows, before, after, explained, lit, onPoint }: CodePaneProps) {
  const beforeTokens = useMemo(() => tokenise(before), [before]);
  const afterTokens = useMemo(() => tokenise(after), [after]);
  const roving = useRoving();
  const list = useRef<HTMLOListElement>(null);
  const isDiff = rows.some((row) => row.kind !== 'same');
  const firstExplained = Math.min(...explained);

  useEffect(() => {
    // Pointed at in the other pane: what belongs to it comes into sight here.
    if (list.current?.matches(':hover, :focus-within')) return;
    scrollWithin(list.current, list.current?.querySelector<HTMLElement>('[data-lit="true"]'));
  }, [lit]);

  return (
    <ol
      ref={list}
      className="code"
      aria-label={label}
      data-diff={isDiff}
      tabIndex={explained.size ? undefined : 0}
      onKeyDown={roving.onKeyDown}
    >
      {rows.map((row, place) => {
        const line = row.after;
        const tokens = row.kind === 'removed' ? beforeTokens[(row.before ?? 1) - 1] : afterTokens[(line ?? 1) - 1];
        const canPoint = line !== undefined && explained.has(line);
        return (
          <li
            key={place}
            className="code-line"
            data-kind={row.kind}
            data-explained={canPoint}
            data-lit={line !== undefined && lit.lines.has(line)}
            {...(canPoint && {
              ...roving.member(line, line === firstExplained),
              onPointerEnter: () => onPoint({ line }),
              onPointerLeave: () => onPoint(null),
              onFocus: () => onPoint({ line }),
              onBlur: () => onPoint(null),
            })}
          >
            <span className="code-number" aria-hidden="true">
              {line ?? ''}
            </span>
            {isDiff && (
              <span className="code-sign" aria-hidden="true">
                {signs[row.kind]}
              </span>
            )}
            <code>
              {words[row.kind] && <span className="hidden-visually">{words[row.kind]}</span>}
              <Tokens tokens={tokens ?? []} />
            </code>
          </li>
        );
      })}
    </ol>
  );
}

function Tokens({ tokens }: { tokens: readonly Token[] }) {
  if (!tokens.length) return <>&#8203;</>;
  return tokens.map((token, place) =>
    token.kind === 'plain' ? (
      token.text
    ) : (
      <span key={place} className={`token-${token.kind}`}>
        {token.text}
      </span>
    ),
  );
}
