import type { Evidence, Finding } from '../api/types';
import { CopyButton } from '../parts/digest';
import { SignMark } from '../parts/lamp';
import { Prose } from '../parts/prose';
import { Ago } from '../parts/time';
import { count } from '../text/format';
import { severitySign } from '../text/signs';

/** Where claims come from: the raw value, when it was read, and how to read it oneself. */
export function EvidenceList({ evidence, shown }: { evidence: readonly Evidence[]; shown?: number | null }) {
  return (
    <ol className="evidence">
      {evidence.map((item) => (
        <li key={item.number} className="evidence-item" data-shown={item.number === shown}>
          <span className="citation" aria-hidden="true">
            {item.number}
          </span>
          <div className="evidence-body">
            <code className="wrap-anywhere">{item.text}</code>
            <span className="faint note">
              {item.source} · <Ago time={item.time} />
            </span>
            {item.command && (
              <span className="evidence-command">
                <code className="wrap-anywhere">$ {item.command}</code>
                <CopyButton text={item.command} what="command" />
              </span>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}

/** What a companion found; each finding unfolds into the evidence it rests on. */
export function Findings({ findings, evidence }: { findings: readonly Finding[]; evidence: readonly Evidence[] }) {
  return (
    <ul className="findings">
      {findings.map((finding, place) => (
        <li key={`${finding.id}-${place}`}>
          <FindingItem finding={finding} evidence={evidence.filter((item) => finding.evidence.includes(item.number))} />
        </li>
      ))}
    </ul>
  );
}

function FindingItem({ finding, evidence }: { finding: Finding; evidence: readonly Evidence[] }) {
  return (
    <details className="disclosure finding" data-severity={finding.severity}>
      <summary>
        <SignMark sign={severitySign(finding.severity)} />
        <span className="finding-text">
          <span className="hidden-visually">{finding.severity}: </span>
          <Prose text={finding.text} />
        </span>
        <span className="finding-count">
          <span className="hidden-visually">{count(evidence.length, 'piece')} of evidence</span>
          {evidence.map((item) => (
            <span key={item.number} className="citation" aria-hidden="true">
              {item.number}
            </span>
          ))}
        </span>
      </summary>
      <div className="finding-body">
        {finding.remedy && (
          <p className="soft">
            <Prose text={finding.remedy} />
          </p>
        )}
        <EvidenceList evidence={evidence} />
      </div>
    </details>
  );
}
