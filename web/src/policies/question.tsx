import { type SyntheticEvent, useId, useState } from 'react';

import { usePeople } from '../api/people';
import { useAskPolicies, useKnownActions } from '../api/policies';
import { useMay } from '../api/queries';
import type { PolicyAnswer } from '../api/types';
import { Button } from '../parts/button';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Panel } from '../parts/page';
import { Prose } from '../parts/prose';
import { RoleTags } from '../parts/roles';
import { roles } from '../text/may';
import { CedarPane } from './cedar-text';

const channels = [
  { value: 'http', label: 'the API or a browser' },
  { value: 'mcp', label: 'an agent’s tool (MCP)' },
  { value: 'registry', label: 'the image registry' },
  { value: 'socket', label: 'a companion’s socket' },
];

const means = [
  { value: 'session', label: 'signed in' },
  { value: 'token', label: 'with a token' },
  { value: 'certificate', label: 'with a certificate' },
  { value: 'peer', label: 'as a process of this machine' },
  { value: 'nothing', label: 'with nothing' },
];

/** May somebody do something? Asked of the policies there are; nothing is done. */
export function Question() {
  const ask = useAskPolicies();
  const actions = useKnownActions();
  const [said, setSaid] = useState({ principal: '', action: '', resource: '', channel: 'http', means: 'session' });
  const kind = actions.find(({ name }) => name === said.action)?.kind;
  const lists = useId();
  const field = (name: keyof typeof said) => ({
    value: said[name],
    onChange: (event: { target: { value: string } }) => setSaid({ ...said, [name]: event.target.value }),
  });
  const words = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false, className: 'input' } as const;

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const { principal, action, resource, ...how } = said;
    ask.mutate({
      principal: principal.trim(),
      action: action.trim(),
      ...(resource.trim() && { resource: resource.trim() }),
      ...how,
    });
  };

  return (
    <Panel title="May somebody …?">
      <div className="stack">
        <form className="question" onSubmit={submit}>
          <label className="field">
            <span className="field-label">Who</span>
            <input {...words} {...field('principal')} list={`${lists}-who`} placeholder="ada, role:viewer, robot:ci" />
          </label>
          <label className="field">
            <span className="field-label">Does what</span>
            <input {...words} {...field('action')} list={`${lists}-what`} placeholder="RemoveContainer" />
          </label>
          <label className="field">
            <span className="field-label">To which {kind ? kind.toLowerCase() : 'thing'}</span>
            <input {...words} {...field('resource')} placeholder="its name; empty: all of them" />
          </label>
          <label className="field">
            <span className="field-label">Through</span>
            <select className="input" {...field('channel')}>
              {channels.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          <label className="field">
            <span className="field-label">Being known</span>
            <select className="input" {...field('means')}>
              {means.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          <Button
            kind="primary"
            type="submit"
            busy={ask.isPending && 'Asking…'}
            disabled={!said.principal.trim() || !said.action.trim()}
          >
            Ask
          </Button>
          <Principals id={`${lists}-who`} />
          <datalist id={`${lists}-what`}>
            {actions.map(({ name, kind }) => (
              <option key={name} value={name}>
                {kind}
              </option>
            ))}
          </datalist>
        </form>
        <Trouble error={ask.error} />
        {ask.data && <Answer answer={ask.data} />}
      </div>
    </Panel>
  );
}

/** Whom one may want to ask about. Only owners are told who there is. */
function Principals({ id }: { id: string }) {
  const sees = useMay('ListPeople');
  return (
    <datalist id={id}>
      {sees && <Names />}
      {roles.map((role) => (
        <option key={role} value={`role:${role}`} />
      ))}
      <option value="nobody" />
    </datalist>
  );
}

function Names() {
  return usePeople().data?.map(({ name }) => <option key={name} value={name} />);
}

function Answer({ answer }: { answer: PolicyAnswer }) {
  return (
    <div className="stack answer-of-policies" role="status" data-allowed={answer.allowed}>
      <div>
        <p className="answer-line">
          <Status sign={answer.allowed ? 'good' : 'bad'}>{answer.allowed ? 'may' : 'may not'}</Status>
          <span className="wrap-anywhere">
            <Prose text={answer.sentence} />
          </span>
        </p>
        <p className="row soft note">
          {answer.roles.length > 0 && (
            <>
              roles <RoleTags roles={answer.roles} /> ·{' '}
            </>
          )}
          {answer.groups.length > 0 && <>the action is one of those that {answer.groups.join(', ')} · </>}
          it is done to a {answer.kind}
        </p>
      </div>
      {answer.policies.map((name, place) => (
        <div key={name} className="answer-policy">
          <p className="note">
            {answer.allowed ? 'allowed by' : 'forbidden by'} <code>{name}</code>
          </p>
          <CedarPane label={`The policy ${name}`} text={answer.texts[place] ?? ''} />
        </div>
      ))}
    </div>
  );
}
