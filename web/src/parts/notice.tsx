import type { ReactNode } from 'react';

import { problemOf } from '../api/problem';
import { Icon } from './icon';

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

/** What went wrong and what to do next; nothing while there is no error. */
export function Trouble({ error, actions }: { error: unknown; actions?: ReactNode }) {
  if (error === null || error === undefined) return null;
  const problem = problemOf(error);
  return (
    <Notice actions={actions}>
      <p>{problem.detail}</p>
      {problem.remedy && <p className="soft">{problem.remedy}</p>}
    </Notice>
  );
}
