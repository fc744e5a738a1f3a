import { useState } from 'react';
import { Link } from 'wouter';

import { useMay, useSolutions } from '../api/queries';
import type { Solution } from '../api/types';
import { Empty } from '../parts/empty';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { Ago } from '../parts/time';
import { fits, verdict } from '../text/solutions';
import { KeepConfiguration, KeepProject } from './keep-solution';
import { RegistryTabs } from './registry-tabs';

/** What was finished and may be used by others. */
export function SolutionsPage() {
  const mayKeep = useMay('AddSolution');
  const solutions = useSolutions();
  const [words, setWords] = useState('');
  const found = solutions.data?.filter((solution) => fits(solution, words));
  return (
    <Page title="Registry">
      <div className="stack">
        <RegistryTabs />
        <KeepProject />
        <KeepConfiguration />
        {solutions.isPending && <Skeleton count={4} />}
        <Trouble error={solutions.data ? null : solutions.error} />
        {solutions.data?.length === 0 && (
          <Empty title="Nothing kept yet">
            <p className="soft">
              A solution is something finished that others may use: a container, a tool, a configuration, with a version
              and with how it does by the standards.{' '}
              {mayKeep && (
                <>
                  Keep a project above, or in a terminal with <code>ergon solution import PROJECT</code>.
                </>
              )}
            </p>
          </Empty>
        )}
        {found && solutions.data && solutions.data.length > 0 && (
          <>
            <label className="field solution-filter">
              <span className="field-label">Find</span>
              <input
                className="input"
                type="search"
                value={words}
                placeholder="words, a kind, a standard it lacks"
                onChange={(event) => setWords(event.target.value)}
              />
            </label>
            <ul className="panel lines" aria-label="Solutions">
              {found.map((solution) => (
                <SolutionLine key={solution.name} solution={solution} />
              ))}
              {found.length === 0 && <li className="line soft">None has all of these words.</li>}
            </ul>
          </>
        )}
      </div>
    </Page>
  );
}

function SolutionLine({ solution }: { solution: Solution }) {
  const { sign, label } = verdict(solution);
  return (
    <li className="line">
      <div className="line-head">
        <Link href={`/solutions/${encodeURIComponent(solution.name)}`} className="line-name">
          {solution.name}
        </Link>
        <code>{solution.version}</code>
        <span className="soft">{solution.kind}</span>
        <Status sign={sign}>{label}</Status>
        <span className="soft note">
          <Ago time={solution.added_at} />
        </span>
      </div>
      <p className="line-sentence">{solution.description}</p>
    </li>
  );
}
