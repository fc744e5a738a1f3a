import type { PolicyFault } from '../api/types';
import { Notice } from '../parts/notice';
import { Prose } from '../parts/prose';
import { faultWords } from '../text/cedar';
import { count } from '../text/format';

interface FaultsProps {
  faults: readonly PolicyFault[];
  /** Goes to where a fault is. */
  onGo?: (fault: PolicyFault) => void;
}

/** What is wrong with a text, each at its line. */
export function Faults({ faults, onGo }: FaultsProps) {
  if (faults.length === 0) return null;
  return (
    <Notice kind="warning">
      <p>{count(faults.length, 'fault')}. It is kept when there is none.</p>
      <ul className="faults">
        {faults.map((fault, place) => (
          <li key={place} data-fault={fault.line}>
            <Where fault={fault} onGo={onGo} />
            <span className="wrap-anywhere">
              <Prose text={faultWords(fault.message)} />
              {fault.help && (
                <span className="soft">
                  {' '}
                  <Prose text={fault.help} />
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Notice>
  );
}

function Where({ fault, onGo }: { fault: PolicyFault; onGo?: ((fault: PolicyFault) => void) | undefined }) {
  if (fault.line === 0) return <span className="soft">as a whole</span>;
  const words = `line ${fault.line}, column ${fault.column}`;
  if (!onGo) return <span className="soft numbers">{words}</span>;
  return (
    <button type="button" className="fault-place numbers" onClick={() => onGo(fault)}>
      {words}
    </button>
  );
}
