import type { ReactNode } from 'react';

import { isRefused, problemOf } from '../api/problem';
import { Icon } from './icon';
import { Prose } from './prose';

interface NoticeProps {
  kind?: 'problem' | 'warning' | 'done' | 'refused';
  children: ReactNode;
  actions?: ReactNode;
}

const icons = { problem: 'warning', warning: 'warning', done: 'check', refused: 'lock' } as const;

/** A message that stands in the page until it is settled. */
export function Notice({ kind = 'problem', children, actions }: NoticeProps) {
  return (
    <div className="notice" data-kind={kind} role={kind === 'done' || kind === 'refused' ? 'status' : 'alert'}>
      <Icon name={icons[kind]} />
      <div className="notice-body">
        {children}
        {actions && <div className="notice-actions">{actions}</div>}
      </div>
    </div>
  );
}

/** The cause in its first sentence, and what to do about it. */
export function Cause({ text, remedy }: { text: string; remedy?: string | null | undefined }) {
  return (
    <>
      <p className="cause">
        <Prose text={text} />
      </p>
      {remedy && (
        <p className="cause soft">
          <Prose text={remedy} />
        </p>
      )}
    </>
  );
}

/** What went wrong and what to do next; nothing while there is no error. */
export function Trouble({ error, actions }: { error: unknown; actions?: ReactNode }) {
  if (error === null || error === undefined) return null;
  const problem = problemOf(error);
  return (
    // That something is not for whoever asks is no failure.
    <Notice kind={isRefused(error) ? 'refused' : 'problem'} actions={actions}>
      <Cause text={problem.detail} remedy={problem.remedy} />
    </Notice>
  );
}
