import { type SyntheticEvent, useState } from 'react';
import { useLocation } from 'wouter';

import { useAddConfiguration, useImportProject } from '../api/actions';
import { useMay, useProjects } from '../api/queries';
import { Button } from '../parts/button';
import { Trouble } from '../parts/notice';

const pageOf = (solution: { name: string; version: string }) =>
  `/solutions/${encodeURIComponent(`${solution.name}@${solution.version}`)}`;

/** Keeps a finished project as a solution. */
export function KeepProject() {
  const mayKeep = useMay('AddSolution');
  const projects = useProjects().data ?? [];
  const keep = useImportProject();
  const [, navigate] = useLocation();
  const [chosen, setChosen] = useState('');
  const [description, setDescription] = useState('');
  const project = chosen || projects[0]?.id;

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!project) return;
    const said = description.trim();
    keep.mutate(
      { project, body: said ? { description: said } : {} },
      { onSuccess: (solution) => navigate(pageOf(solution)) },
    );
  };

  if (!mayKeep) return null;
  return (
    <form className="keep" onSubmit={submit}>
      <label className="field">
        <span className="field-label">Keep a finished project</span>
        <select className="input" value={project ?? ''} onChange={(event) => setChosen(event.target.value)}>
          {projects.length === 0 && <option value="">no projects yet</option>}
          {projects.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span className="field-label">What it is for</span>
        <input
          className="input"
          value={description}
          autoComplete="off"
          placeholder="as the version before says"
          onChange={(event) => setDescription(event.target.value)}
        />
      </label>
      <Button kind="primary" type="submit" busy={keep.isPending && 'Measuring…'} disabled={!project}>
        Keep its newest build
      </Button>
      {keep.error && (
        <div className="keep-trouble">
          <Trouble error={keep.error} />
        </div>
      )}
    </form>
  );
}

/** Keeps a configuration as a solution. */
export function KeepConfiguration() {
  const mayKeep = useMay('AddSolution');
  const keep = useAddConfiguration();
  const [, navigate] = useLocation();
  const [said, setSaid] = useState({ name: '', version: '1.0.0', description: '', content: '' });
  const [unreadable, setUnreadable] = useState<Error | null>(null);
  const field = (name: keyof typeof said) => ({
    value: said[name],
    onChange: (event: { target: { value: string } }) => setSaid({ ...said, [name]: event.target.value }),
  });

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const { content, ...rest } = said;
    try {
      const configuration = JSON.parse(content) as Record<string, never>;
      setUnreadable(null);
      keep.mutate({ ...rest, configuration }, { onSuccess: (solution) => navigate(pageOf(solution)) });
    } catch (error) {
      setUnreadable(new Error(`What it says is no JSON: ${error instanceof Error ? error.message : String(error)}`));
    }
  };

  if (!mayKeep) return null;
  return (
    <details className="disclosure">
      <summary>Keep a configuration</summary>
      <form className="keep-configuration" onSubmit={submit}>
        <label className="field">
          <span className="field-label">Name</span>
          <input className="input" required autoComplete="off" spellCheck={false} {...field('name')} />
        </label>
        <label className="field">
          <span className="field-label">Version</span>
          <input className="input" required autoComplete="off" spellCheck={false} {...field('version')} />
        </label>
        <label className="field keep-wide">
          <span className="field-label">What it is for</span>
          <input className="input" required autoComplete="off" {...field('description')} />
        </label>
        <label className="field keep-wide">
          <span className="field-label">What it says, as JSON</span>
          <textarea className="input keep-content" rows={6} required spellCheck={false} {...field('content')} />
        </label>
        <div className="keep-wide stack">
          <Trouble error={unreadable ?? keep.error} />
          <div>
            <Button kind="primary" type="submit" busy={keep.isPending && 'Keeping…'}>
              Keep the configuration
            </Button>
          </div>
        </div>
      </form>
    </details>
  );
}
