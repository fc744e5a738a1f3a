import { type ReactNode, useId, useState } from 'react';

import { roles as shipped } from '../text/may';

export function RoleTags({ roles }: { roles: readonly string[] }) {
  return (
    <span className="tags">
      {roles.map((role) => (
        <span key={role} className="tag">
          {role}
        </span>
      ))}
    </span>
  );
}

const meaning: Record<string, string> = {
  owner: 'everything',
  operator: 'runs what there is: containers, approvals, upkeep; sees the audit log',
  developer: 'brings repositories, builds, starts and stops, talks to companions',
  viewer: 'looks, and asks the stack’s own companions',
};

interface RoleChoiceProps {
  label: string;
  /** What can be chosen. */
  of?: readonly string[];
  chosen: readonly string[];
  onChoose: (roles: string[]) => void;
  children?: ReactNode;
}

/** Roles to be ticked, each with what it may. */
export function RoleChoice({ label, of = shipped.toReversed(), chosen, onChoose, children }: RoleChoiceProps) {
  const toggle = (role: string, on: boolean) =>
    onChoose(on ? [...chosen, role] : chosen.filter((each) => each !== role));
  return (
    <fieldset className="plain role-choice">
      <legend className="field-label">{label}</legend>
      {of.map((role) => (
        <label key={role} className="role">
          <input
            type="checkbox"
            checked={chosen.includes(role)}
            onChange={(event) => toggle(role, event.target.checked)}
          />
          <span>
            <span className="role-name">{role}</span>
            <span className="soft note"> {meaning[role] ?? 'what your own policies say'}</span>
          </span>
        </label>
      ))}
      {children}
    </fieldset>
  );
}

interface PersonRolesProps {
  chosen: readonly string[];
  onChoose: (roles: string[]) => void;
}

/** What somebody is: roles that come with Ergon, and others that the stack's own policies give a meaning. */
export function PersonRoles({ chosen, onChoose }: PersonRolesProps) {
  const [known, setKnown] = useState(() => [
    ...shipped.toReversed(),
    ...chosen.filter((role) => !(shipped as readonly string[]).includes(role)),
  ]);
  const [other, setOther] = useState('');
  const field = useId();
  const add = () => {
    const role = other.trim();
    if (!role) return;
    if (!known.includes(role)) setKnown([...known, role]);
    if (!chosen.includes(role)) onChoose([...chosen, role]);
    setOther('');
  };
  return (
    <RoleChoice label="Roles" of={known} chosen={chosen} onChoose={onChoose}>
      <div className="role-other">
        <label className="hidden-visually" htmlFor={field}>
          Another role, of your own policies
        </label>
        <input
          id={field}
          className="input"
          value={other}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          placeholder="another role, of your own policies"
          onChange={(event) => setOther(event.target.value)}
          onKeyDown={(event) => {
            // Enter would send the whole form.
            if (event.key !== 'Enter' || !other.trim()) return;
            event.preventDefault();
            add();
          }}
        />
        <button type="button" className="button" data-kind="plain" disabled={!other.trim()} onClick={add}>
          Add role
        </button>
      </div>
    </RoleChoice>
  );
}
