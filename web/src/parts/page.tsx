import { type ReactNode, useEffect } from 'react';

interface PageProps {
  title: string;
  /** What the title names, where it is a name: `Container`. */
  kind?: string;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page: its heading, which gets the focus when one arrives, and what can be done on it. */
export function Page({ title, kind, actions, children }: PageProps) {
  useEffect(() => {
    document.title = kind ? `${title} · ${kind} · Ergon` : `${title} · Ergon`;
  }, [title, kind]);

  return (
    <>
      <header className="page-head">
        <h1 className="page-title" tabIndex={-1}>
          {kind && <span className="page-kind">{kind}</span>}
          {title}
        </h1>
        {actions && <div className="row">{actions}</div>}
      </header>
      {children}
    </>
  );
}

/** A framed part of a page. */
export function Panel({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="panel">
      <header className="panel-head">
        <h2 className="panel-title">{title}</h2>
        {aside && <div className="soft note">{aside}</div>}
      </header>
      <div className="panel-body">{children}</div>
    </section>
  );
}
