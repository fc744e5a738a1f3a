import { useMemo, useState } from 'react';
import { Link } from 'wouter';

import { useEvents, useJobs, useProjects } from '../api/queries';
import type { Event } from '../api/types';
import { Button } from '../parts/button';
import { Empty } from '../parts/empty';
import { Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { Ago } from '../parts/time';
import { count } from '../text/format';
import { eventDetail, eventWords, filterEvents, subjectName, subjectPage } from '../text/events';

/** As many as are drawn at first, and more with each press. */
const SHOWN = 100;

/** One feed of everything that changed, newest first, live. */
export function ActivityPage() {
  const events = useEvents();
  const projects = useProjects().data;
  const jobs = useJobs().data;
  const names = useMemo(
    () =>
      new Map([
        ...(projects ?? []).map(({ id, name }) => [id, name] as const),
        ...(jobs ?? []).map((job) => [job.id, job.project_name] as const),
      ]),
    [projects, jobs],
  );
  const [filter, setFilter] = useState('');
  const [limit, setLimit] = useState(SHOWN);
  const found = useMemo(() => filterEvents(events.data ?? [], filter), [events.data, filter]);
  return (
    <Page title="Activity">
      <div className="stack">
        <label className="field activity-filter">
          <span className="field-label">Filter</span>
          <input
            className="input"
            type="search"
            value={filter}
            placeholder="project, a name, failed…"
            spellCheck={false}
            onChange={(event) => setFilter(event.target.value)}
          />
        </label>
        {events.isPending && <Skeleton count={8} />}
        <Trouble error={events.data ? null : events.error} />
        {events.data?.length === 0 && (
          <Empty title="Nothing has happened yet">
            <p className="soft">
              Everything that changes shows up here by itself. <Link href="/projects">Add a project</Link> to begin.
            </p>
          </Empty>
        )}
        {events.data && events.data.length > 0 && found.length === 0 && (
          <p className="soft">No event has “{filter}” in it.</p>
        )}
        {found.length > 0 && (
          <ol className="panel feed" aria-label="Events, newest first">
            {found.slice(0, limit).map((event) => (
              <FeedLine key={event.id} event={event} names={names} />
            ))}
          </ol>
        )}
        {found.length > limit && (
          <div>
            <Button onClick={() => setLimit(limit + SHOWN)}>
              Show {count(Math.min(SHOWN, found.length - limit), 'earlier event')}
            </Button>
          </div>
        )}
      </div>
    </Page>
  );
}

function FeedLine({ event, names }: { event: Event; names: ReadonlyMap<string, string> }) {
  const page = subjectPage(event.subject);
  const name = subjectName(event, names);
  return (
    <li className="feed-line">
      <span className="feed-time faint note">
        <Ago time={event.time} />
      </span>
      <span className="feed-kind">{eventWords(event.type)}</span>
      <span className="feed-subject one-line">{page ? <Link href={page}>{name}</Link> : name}</span>
      <span className="feed-detail soft note one-line">{eventDetail(event, name)}</span>
    </li>
  );
}
