import type { useSaveDockerfile } from '../api/actions';
import { problemOf } from '../api/problem';
import type { GeneratedDockerfile } from '../api/types';
import { Button } from '../parts/button';
import { Cause, Notice, Trouble } from '../parts/notice';

interface SaveOutcomeProps {
  save: ReturnType<typeof useSaveDockerfile>;
  generated: GeneratedDockerfile;
}

/** What came of saving; a file that differs is only replaced when that is asked for in so many words. */
export function SaveOutcome({ save, generated }: SaveOutcomeProps) {
  if (save.data) {
    const { written, saved_to: folder } = save.data;
    return (
      <Notice kind="done">
        {written.length ? (
          <p>
            Wrote {written.join(' and ')} to <code>{folder}</code>
          </p>
        ) : (
          <p>Nothing to write: both files are like this already.</p>
        )}
      </Notice>
    );
  }
  if (!save.error) return null;
  const problem = problemOf(save.error);
  if (problem.status !== 409) return <Trouble error={save.error} />;
  return (
    <Notice
      kind="warning"
      actions={
        <>
          <Button kind="danger" onClick={() => save.mutate({ generated, overwrite: true })}>
            Overwrite
          </Button>
          <Button onClick={() => save.reset()}>Keep mine</Button>
        </>
      }
    >
      <Cause text={problem.detail} />
    </Notice>
  );
}
