import { type SyntheticEvent, useState } from 'react';

import { useAddProject } from '../api/actions';
import { useMay } from '../api/queries';
import { Button } from '../parts/button';
import { Trouble } from '../parts/notice';

/** The form that makes a folder or a git repository known. */
export function AddProject() {
  const add = useAddProject();
  const mayUseFolders = useMay('UseFolder');
  const mayAdd = useMay('AddProject');
  const [location, setLocation] = useState('');

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const given = location.trim();
    if (given) add.mutate({ location: given }, { onSuccess: () => setLocation('') });
  };

  if (!mayAdd) return null;
  return (
    <form className="add-project" onSubmit={submit}>
      <label className="field">
        <span className="field-label">Add a project</span>
        <input
          className="input"
          name="location"
          value={location}
          autoComplete="off"
          spellCheck={false}
          placeholder={`${mayUseFolders ? '/path/to/a/folder or ' : ''}https://…/repository.git`}
          onChange={(event) => setLocation(event.target.value)}
        />
      </label>
      <Button kind="primary" type="submit" busy={add.isPending && 'Adding…'} disabled={!location.trim()}>
        Add project
      </Button>
      {add.error && (
        <div className="add-project-trouble">
          <Trouble error={add.error} />
        </div>
      )}
    </form>
  );
}
