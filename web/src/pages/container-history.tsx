import { useState } from 'react';

import { useContainerHistory } from '../api/queries';
import type { ContainerHistory, HistoryMark, Series } from '../api/types';
import { Trouble } from '../parts/notice';
import { Panel } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { Ago } from '../parts/time';
import { ceiling, described, happened, height, latest, path, place, PLOT, shown } from '../text/plot';

/** How far one may look back. */
const WINDOWS = [
  ['15m', '15 minutes'],
  ['60m', 'an hour'],
  ['24h', 'a day'],
  ['7d', 'a week'],
  ['31d', 'a month'],
] as const;

/** What each plot shows, and the least its scale reaches up to. */
const PLOTS = [
  { title: 'Memory', metrics: ['memory'], least: 1_000_000 },
  { title: 'Processor', metrics: ['processor'], least: 10 },
  { title: 'Network', metrics: ['received', 'sent'], least: 1000 },
] as const;

/** So many marks are told in words. */
const MARKS_TOLD = 4;

/** What the container used until now. */
export function ContainerHistoryPanel({ name }: { name: string }) {
  const [since, setSince] = useState('15m');
  const history = useContainerHistory(name, since);
  const choice = (
    <label className="plot-window">
      <span className="hidden-visually">Show the last</span>
      <select className="input" value={since} onChange={(event) => setSince(event.target.value)}>
        {WINDOWS.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <Panel title="Used" aside={choice}>
      {history.data ? (
        <Plots history={history.data} />
      ) : history.error ? (
        <Trouble error={history.error} />
      ) : (
        <Skeleton count={3} />
      )}
    </Panel>
  );
}

function Plots({ history }: { history: ContainerHistory }) {
  const all = history.series.filter((series) => latest(series.values) !== null);
  if (!all.length) return <p className="faint">Nothing was counted in this time.</p>;
  return (
    <>
      <div className="plots">
        {PLOTS.map(({ title, metrics, least }) => {
          const series = all.filter((line) => metrics.some((metric) => metric === line.metric));
          return (
            series.length > 0 && <Plot key={title} title={title} series={series} least={least} history={history} />
          );
        })}
      </div>
      <Told marks={history.marks} />
    </>
  );
}

interface PlotProps {
  title: string;
  series: readonly Series[];
  least: number;
  history: ContainerHistory;
}

function Plot({ title, series, least, history }: PlotProps) {
  const { marks } = history;
  const top = ceiling(
    series.flatMap((line) => [...line.values, ...(line.peaks ?? [])]),
    least,
  );
  const unit = series[0]?.unit ?? '';
  const limit = series[0]?.limit;
  return (
    <figure className="plot">
      <figcaption>
        <strong>{title}</strong>
        {series.map((line, at) => (
          <span key={line.metric} className="numbers" data-line={at}>
            {series.length > 1 && <span className="plot-key">{line.metric}</span>}{' '}
            {shown(latest(line.values) ?? 0, unit)}
          </span>
        ))}
        {limit != null && <span className="faint note">of {shown(limit, unit)}</span>}
      </figcaption>
      <div className="plot-box">
        <span className="plot-top faint numbers">{shown(top, unit)}</span>
        <svg
          role="img"
          aria-label={`${title}: ${described(series, marks)}`}
          viewBox={`0 0 ${PLOT.width} ${PLOT.height}`}
          preserveAspectRatio="none"
        >
          {marks.map((mark) => (
            <MarkLine key={`${mark.time} ${mark.kind}`} mark={mark} history={history} />
          ))}
          {limit != null && limit <= top && (
            <path className="plot-limit" d={`M0 ${height(limit, top)}H${PLOT.width}`} />
          )}
          {series.map((line, at) => (
            <g key={line.metric} data-line={at}>
              {line.peaks && <path className="plot-peak" d={path(line.peaks, top)} />}
              <path className="plot-line" d={path(line.values, top)} />
            </g>
          ))}
        </svg>
      </div>
    </figure>
  );
}

function MarkLine({ mark, history }: { mark: HistoryMark; history: ContainerHistory }) {
  const x = place(mark.time, history.since, history.until) * PLOT.width;
  return (
    <path className="plot-mark" data-kind={mark.kind} d={`M${x.toFixed(1)} 0V${PLOT.height}`}>
      <title>{happened(mark)}</title>
    </path>
  );
}

/** The latest marks in words. */
function Told({ marks }: { marks: readonly HistoryMark[] }) {
  if (!marks.length) return null;
  const told = marks.slice(-MARKS_TOLD).reverse();
  return (
    <ul className="plot-marks soft note" aria-label="What happened meanwhile">
      {told.map((mark) => (
        <li key={`${mark.time} ${mark.kind}`} data-kind={mark.kind}>
          {happened(mark)} <Ago time={mark.time} />
        </li>
      ))}
      {marks.length > told.length && <li>and {marks.length - told.length} more before</li>}
    </ul>
  );
}
