import type { Container, LogTemplate, StackTrace } from '../api/types';
import { Status } from '../parts/lamp';
import { Panel } from '../parts/page';
import { Ago } from '../parts/time';
import { count } from '../text/format';
import { levelSign, perMinute } from '../text/log';
import { plainLine } from '../text/terminal';

/** What a container wrote: by kind, its stack traces, and the last lines as they are. */
export function ContainerLog({ container }: { container: Container }) {
  const digest = container.log_digest;
  return (
    <>
      {digest && digest.templates.length > 0 && (
        <Panel title="Log by kind" aside={`${count(digest.lines, 'line')}, ${count(digest.errors, 'error')}`}>
          <ul className="log-kinds">
            {digest.templates.map((template) => (
              <Kind key={template.id} template={template} />
            ))}
          </ul>
        </Panel>
      )}
      {digest && digest.traces.length > 0 && (
        <Panel title="Stack traces">
          <ul className="log-kinds">
            {digest.traces.map((trace) => (
              <Trace key={`${trace.error} ${trace.place} ${trace.first}`} trace={trace} />
            ))}
          </ul>
        </Panel>
      )}
      <Lines lines={container.log} />
    </>
  );
}

function Kind({ template }: { template: LogTemplate }) {
  return (
    <li>
      <details className="disclosure">
        <summary>
          <code className="wrap-anywhere">{template.pattern}</code>
        </summary>
        <pre className="raw" tabIndex={0} aria-label="The last line of this kind">
          {plainLine(template.sample)}
        </pre>
      </details>
      <span className="log-facts soft">
        <Status sign={levelSign(template.level)}>{template.level}</Status>
        {template.is_new && <strong>new</strong>}
        <span>{count(template.count, 'time')}</span>
        <span>{perMinute(template)}</span>
        <Ago time={template.last} />
      </span>
    </li>
  );
}

function Trace({ trace }: { trace: StackTrace }) {
  return (
    <li>
      <details className="disclosure">
        <summary>
          <code className="wrap-anywhere">
            {trace.error}
            {trace.message && `: ${trace.message}`}
          </code>
        </summary>
        <pre className="raw" tabIndex={0} aria-label="The stack trace">
          {trace.text}
        </pre>
      </details>
      <span className="log-facts soft">
        <span>{trace.language}</span>
        {trace.is_new && <strong>new</strong>}
        {trace.place && <code className="wrap-anywhere">{trace.place}</code>}
        <span>{count(trace.count, 'time')}</span>
        <Ago time={trace.last} />
      </span>
    </li>
  );
}

function Lines({ lines }: { lines: readonly string[] }) {
  return (
    <Panel title="Log" aside={lines.length ? `the last ${lines.length} lines` : undefined}>
      {lines.length ? (
        <pre className="raw" tabIndex={0} aria-label="The last lines of the log">
          {lines.map(plainLine).join('\n')}
        </pre>
      ) : (
        <p className="faint">It has written nothing.</p>
      )}
    </Panel>
  );
}
