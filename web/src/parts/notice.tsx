import type { ReactNode } from 'react';

import { problemOf } from '../api/problem';
import { Icon } from './icon';
import { Prose } from './prose';

interface NoticeProps {
  kind?: 'problem' | 'warning' | 'done';
  children: ReactNode;
  actions?: ReactNode;
}

/** A message that stands in the page until it is settled. */
export function Notice({ kind = 'problem', children, actions }: NoticeProps) {
  return (
    <div className="notice" data-kind={kind} role={kind === 'done' ? 'status' : 'alert'}>
      <Icon name={kind === 'done' ? 'check' : 'warning'} />
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
    <Notice actions={actions}>
      <Cause text={problem.detail} remedy={problem.remedy} />
    </Notice>
  );
}
