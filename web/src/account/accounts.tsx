import type { Person } from '../api/types';
import { Panel } from '../parts/page';

/** The accounts elsewhere with which somebody comes in. */
export function Accounts({ person }: { person: Person }) {
  return (
    <Panel title="Account elsewhere">
      <ul className="entries">
        {person.accounts?.map(({ issuer, subject }) => (
          <li key={`${issuer} ${subject}`} className="entry">
            <div className="entry-main">
              <span className="entry-name">{issuer}</span>
            </div>
            <span className="soft note entry-detail">as {subject}</span>
          </li>
        ))}
      </ul>
      <p className="soft">
        Who comes in with an account elsewhere is asked there each time, and is here what they are there. So there is no
        password here.
      </p>
    </Panel>
  );
}
