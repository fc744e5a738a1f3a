import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';

import { useHandOff, useSaveDockerfile } from '../api/actions';
import { useMay } from '../api/queries';
import type { GeneratedDockerfile } from '../api/types';
import { Button } from '../parts/button';
import { Dialog } from '../parts/dialog';
import { Trouble } from '../parts/notice';
import { diffCounts, diffRows } from '../text/diff';
import { litBy, type Pointed } from '../text/line-facts';
import { AnswersPane } from './answers-pane';
import { CodePane } from './code-pane';
import { SaveOutcome } from './save-outcome';

type View = 'changes' | 'dockerfile' | 'dockerignore';

const nothingExplained: ReadonlySet<number> = new Set();

/** The generated Dockerfile beside the answers it came from. Nothing is written until a button is pressed. */
export function DockerModal({ generated, onClose }: { generated: GeneratedDockerfile; onClose: () => void }) {
  const { dockerfile, dockerignore, existing_dockerfile: existing, existing_dockerignore: existingIgnore } = generated;
  const [, navigate] = useLocation();
  const changes = useMemo(() => diffRows(existing ?? dockerfile, dockerfile), [existing, dockerfile]);
  const counts = diffCounts(changes);
  const differs = counts.added + counts.removed > 0;
  const [view, setView] = useState<View>(differs ? 'changes' : 'dockerfile');
  const [pointed, setPointed] = useState<Pointed>(null);
  const maySave = useMay('SaveDockerfile');
  const maySend = useMay('HandOffProject');
  const save = useSaveDockerfile();
  const handOff = useHandOff();
  const lit = useMemo(() => litBy(pointed, generated.line_facts), [pointed, generated.line_facts]);
  const explained = useMemo(() => new Set(generated.line_facts.map((pair) => pair.line)), [generated.line_facts]);

  const texts: Record<View, { label: string; before: string; after: string }> = {
    changes: {
      label: `Changes to the project’s own Dockerfile: ${counts.added} lines added, ${counts.removed} removed`,
      before: existing ?? '',
      after: dockerfile,
    },
    dockerfile: { label: 'Dockerfile', before: dockerfile, after: dockerfile },
    dockerignore: { label: '.dockerignore', before: existingIgnore ?? dockerignore, after: dockerignore },
  };
  const text = texts[view];
  const rows = view === 'changes' ? changes : diffRows(text.before, text.after);

  return (
    <Dialog
      title={`Dockerfile for ${generated.project_name}`}
      size="wide"
      onClose={onClose}
      footer={
        <>
          <div className="docker-outcome">
            <SaveOutcome save={save} generated={generated} />
            <Trouble error={handOff.error} />
          </div>
          {maySave && maySend && (
            <p className="docker-hint soft note">
              <strong>Save</strong> writes Dockerfile and .dockerignore. <strong>Send</strong> writes ergon.json, builds
              and runs.
            </p>
          )}
          {maySave && (
            <Button
              busy={save.isPending && 'Saving…'}
              disabled={handOff.isPending}
              onClick={() => save.mutate({ generated, overwrite: false })}
            >
              Save to project
            </Button>
          )}
          {maySend && (
            <Button
              kind="primary"
              busy={handOff.isPending && 'Sending…'}
              disabled={save.isPending}
              onClick={() =>
                handOff.mutate(generated.project_id, {
                  onSuccess: (job) => navigate(`/jobs/${encodeURIComponent(job.id)}`),
                })
              }
            >
              Send to Ergon
            </Button>
          )}
          <Button onClick={onClose}>Close</Button>
        </>
      }
    >
      <div className="docker">
        <div className="docker-code">
          <div className="choice" role="group" aria-label="What is shown">
            {differs && (
              <Choice view="changes" chosen={view} onChoose={setView}>
                Changes{' '}
                <span className="numbers">
                  +{counts.added} −{counts.removed}
                </span>
              </Choice>
            )}
            <Choice view="dockerfile" chosen={view} onChoose={setView}>
              Dockerfile
            </Choice>
            <Choice view="dockerignore" chosen={view} onChoose={setView}>
              .dockerignore
            </Choice>
          </div>
          <CodePane
            key={view}
            label={text.label}
            rows={rows}
            before={text.before}
            after={text.after}
            explained={view === 'dockerignore' ? nothingExplained : explained}
            lit={lit}
            onPoint={setPointed}
          />
        </div>
        <AnswersPane answers={generated.answers} questions={generated.questions} lit={lit} onPoint={setPointed} />
      </div>
    </Dialog>
  );
}

interface ChoiceProps {
  view: View;
  chosen: View;
  onChoose: (view: View) => void;
  children: React.ReactNode;
}

function Choice({ view, chosen, onChoose, children }: ChoiceProps) {
  return (
    <button type="button" className="choice-item" aria-pressed={view === chosen} onClick={() => onChoose(view)}>
      <span>{children}</span>
    </button>
  );
}
