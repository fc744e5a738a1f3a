import { Link } from 'wouter';

import { isMissing } from '../api/problem';
import { useBuild, useContainer, useProposals } from '../api/queries';
import type { Build, Container } from '../api/types';
import { isWaiting, ProposalCard } from '../approvals/proposal';
import { ChatPanel } from '../chat/chat-panel';
import { Findings } from '../chat/evidence';
import { Digest } from '../parts/digest';
import { Empty } from '../parts/empty';
import { SignMark, Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Page, Panel } from '../parts/page';
import { Ports } from '../parts/ports';
import { Prose } from '../parts/prose';
import { Skeleton } from '../parts/skeleton';
import { Ago } from '../parts/time';
import { bytes } from '../text/format';
import { meantVersusIs } from '../text/meant';
import { containerSign } from '../text/signs';
import { ContainerActions } from './container-actions';
import { ContainerHistoryPanel } from './container-history';
import { ContainerLog } from './container-log';

/** A container: its state in one sentence, what was found in it, and its companion to ask. */
export function ContainerPage({ name }: { name: string }) {
  const container = useContainer(name);
  const build = useBuild(container.data?.build_hash);
  if (isMissing(container.error)) {
    return (
      <Page title={name} kind="Container">
        <Empty title="It is not here">
          <Trouble error={container.error} />
          <p>
            <Link href="/containers">All containers</Link>
          </p>
        </Empty>
      </Page>
    );
  }
  if (!container.data) {
    return (
      <Page title={name} kind="Container">
        {container.error ? <Trouble error={container.error} /> : <Skeleton shape="panel" count={3} />}
      </Page>
    );
  }
  return (
    <Page title={name} kind="Container" actions={<ContainerActions container={container.data} />}>
      <div className="beside">
        <div className="stack">
          <p className="sentence" role="status" data-wellness={container.data.wellness}>
            <SignMark sign={containerSign(container.data)} />
            <span>
              <Prose text={container.data.sentence} />{' '}
              <a className="to-chat" href="#chat">
                Ask {container.data.companion}
              </a>
            </span>
          </p>
          <Proposed id={container.data.id} />
          <Measured container={container.data} />
          <Panel title="Findings">
            {container.data.findings.length ? (
              <Findings findings={container.data.findings} evidence={container.data.evidence} />
            ) : (
              <p className="faint">Nothing to look at.</p>
            )}
          </Panel>
          <ContainerHistoryPanel name={container.data.name} />
          <Services container={container.data} />
          {container.data.build_hash && build.isPending && (
            <Panel title="Meant and found">
              <Skeleton count={4} />
            </Panel>
          )}
          {build.data && <Meant build={build.data} container={container.data} />}
          <ContainerLog container={container.data} />
        </div>
        <ChatPanel companion={container.data.companion} kind="container" />
      </div>
    </Page>
  );
}

/** What waits for somebody's approval, of this very container and not of another one of its name. */
function Proposed({ id }: { id: string }) {
  const proposals = useProposals();
  const mine = proposals.data?.filter((each) => each.container_id === id && isWaiting(each)) ?? [];
  return mine.map((proposal) => <ProposalCard key={proposal.code} proposal={proposal} />);
}

function Measured({ container }: { container: Container }) {
  return (
    <dl className="measures">
      <div>
        <dt>State</dt>
        <dd>
          <Status sign={containerSign(container)}>{container.state}</Status>
        </dd>
      </div>
      <div>
        <dt>Started</dt>
        <dd>{container.started_at ? <Ago time={container.started_at} /> : '—'}</dd>
      </div>
      <div>
        <dt>Memory</dt>
        <dd className="numbers">
          {container.memory == null ? (
            '—'
          ) : (
            <>
              {bytes(container.memory)}{' '}
              <span className="faint note">
                {container.memory_limit == null ? 'no limit' : `of ${bytes(container.memory_limit)}`}
              </span>
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>Restarts</dt>
        <dd className="numbers">{container.restarts}</dd>
      </div>
      <div>
        <dt>Ports</dt>
        <dd className="measure-ports">
          {container.ports.length ? <Ports ports={container.ports} /> : <span className="faint">none published</span>}
        </dd>
      </div>
      {container.build_hash && (
        <div>
          <dt>Build</dt>
          <dd>
            <Digest
              value={container.build_hash}
              what="build hash"
              href={`/builds/${encodeURIComponent(container.build_hash)}`}
            />
          </dd>
        </div>
      )}
    </dl>
  );
}

function Services({ container }: { container: Container }) {
  return (
    <Panel title="Services found">
      {container.services.length === 0 && (
        <p className="faint">{container.state === 'running' ? 'None among its processes.' : 'It is not running.'}</p>
      )}
      <ul className="services">
        {container.services.map((service) => (
          <li key={service.pid}>
            <span>
              <strong>{service.name}</strong> {service.version && <span className="numbers">{service.version} </span>}
              <span className="soft">{service.role}</span>
              {service.ports.length > 0 && <span className="soft"> on {service.ports.join(', ')}</span>}
            </span>
            <code className="faint wrap-anywhere">
              {service.pid} · {service.command}
            </code>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Meant({ build, container }: { build: Build; container: Container }) {
  const rows = meantVersusIs(build, container);
  if (!rows.length) return null;
  return (
    <Panel title="Meant and found">
      <div className="table-scroll" tabIndex={0} role="region" aria-label="Meant and found">
        <table className="table meant" data-folds="true">
          <thead>
            <tr>
              <th scope="col">
                <span className="hidden-visually">What</span>
              </th>
              <th scope="col">The manifest means</th>
              <th scope="col">Found</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.what}>
                <th scope="row">{row.what}</th>
                <td data-column="meant">
                  <code className="wrap-anywhere">{row.meant}</code>
                </td>
                <td data-column="found">
                  <code className="wrap-anywhere">{row.actual}</code>{' '}
                  {row.agrees === true && <Status sign="good">as meant</Status>}
                  {row.agrees === false && <Status sign="warn">differs</Status>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
