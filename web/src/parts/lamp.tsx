import { type ReactNode, useId } from 'react';

import type { Sign } from '../text/signs';

export function SignMark({ sign }: { sign: Sign }) {
  if (sign === 'busy') return <span className="lamp-sign spinner sign-busy" aria-hidden="true" />;
  return (
    <svg
      className={`lamp-sign sign-${sign}`}
      viewBox="0 0 12 12"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
    >
      {sign === 'good' && <circle cx="6" cy="6" r="5" fill="currentColor" stroke="none" />}
      {sign === 'warn' && <path d="M6 1.2 11.2 10.8H.8z" fill="currentColor" stroke="none" />}
      {sign === 'bad' && <path d="M2 2l8 8M10 2l-8 8" strokeWidth="2.4" />}
      {sign === 'off' && <circle cx="6" cy="6" r="4.2" />}
    </svg>
  );
}

/** A sign and its word. */
export function Status({ sign, children }: { sign: Sign; children: ReactNode }) {
  return (
    <span className="lamp" data-sign={sign}>
      <SignMark sign={sign} />
      <span>{children}</span>
    </span>
  );
}

/** A sign that says why when it is pointed at, focused or touched. Stands in a `Lamps` row. */
export function Lamp({ sign, label, why }: { sign: Sign; label: string; why: ReactNode }) {
  const tip = useId();
  return (
    <>
      <button
        type="button"
        className="lamp"
        data-sign={sign}
        aria-describedby={tip}
        onClick={(event) => event.currentTarget.focus()}
      >
        <SignMark sign={sign} />
        <span>{label}</span>
      </button>
      <span className="lamp-tip" role="tooltip" id={tip}>
        {why}
      </span>
    </>
  );
}

export function Lamps({ children }: { children: ReactNode }) {
  return <div className="lamps">{children}</div>;
}
