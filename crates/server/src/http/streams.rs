//! Server-sent events: everything that changes, and a job as it runs. Resumable; ended by the stack's end.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, header};
use axum::response::sse::{Event, KeepAlive, KeepAliveStream, Sse};
use ergon_store::{EventRow, JobRow, StoreError};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Serialize;
use tokio::sync::{mpsc, watch};

use crate::api::{JobStep, UpkeepEvent};
use crate::jobs;
use crate::stack::Stack;

/// What a client gets.
pub type EventStream = KeepAliveStream<Events>;
type Events = Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>;

/// A comment is sent so often, so that whoever is in between keeps the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Whoever is cut off by the stack's end comes back after so long.
const RETRY: Duration = Duration::from_secs(2);
/// So many events are read at a time.
const PAGE: i64 = 200;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Where a client wants to go on.
pub fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(LAST_EVENT_ID)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// The events that are wanted, by kind and subject, after a cursor; absent: from now on.
pub fn follow_events(
    stack: &Stack,
    after: Option<u64>,
    is_wanted: impl Fn(&str, &str) -> bool + Send + Sync + 'static,
) -> Sse<EventStream> {
    follow(stack, after, move |row| is_wanted(&row.kind, &row.subject))
}

/// The events that are about the directory.
pub fn follow_directory(stack: &Stack, after: Option<u64>) -> Sse<EventStream> {
    follow(stack, after, |row| {
        row.kind.starts_with("dev.ergon.companion.") || row.kind.starts_with("dev.ergon.directory.")
    })
}

fn follow(
    stack: &Stack,
    after: Option<u64>,
    is_wanted: impl Fn(&EventRow) -> bool + Send + Sync + 'static,
) -> Sse<EventStream> {
    let newest = stack.store().watch();
    let cursor = match after {
        Some(after) => i64::try_from(after).unwrap_or(i64::MAX),
        None => *newest.borrow(),
    };
    let source = Feed {
        stack: stack.clone(),
        newest,
        cursor,
        is_wanted: Box::new(is_wanted),
    };
    answer(stack, source)
}

/// A job's steps and lines, those after a line first that were missed, until it ends.
pub fn follow_job(stack: &Stack, job: JobRow, last_line: u64) -> Sse<EventStream> {
    let source = JobFeed {
        stack: stack.clone(),
        commits: stack.store().commits(),
        job,
        shown: Vec::new(),
        last_line: i64::try_from(last_line).unwrap_or(i64::MAX),
        is_over: false,
    };
    answer(stack, source)
}

/// What the registry's upkeep tells, until it ends.
pub fn follow_upkeep(stack: &Stack, told: mpsc::Receiver<UpkeepEvent>) -> Sse<EventStream> {
    answer(stack, UpkeepFeed(told))
}

/// What is told, until nobody tells anything any more.
pub fn follow_told(stack: &Stack, told: mpsc::Receiver<Event>) -> Sse<EventStream> {
    answer(stack, ToldFeed(told))
}

/// Whether a client asks for a stream instead of one answer.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|value| value.contains("text/event-stream"))
    })
}

/// Something that can be asked for what is new.
trait Source: Send + 'static {
    /// What is new; waits until something is. Nothing: it is over.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Event>>, StoreError>> + Send;
}

fn answer(stack: &Stack, source: impl Source) -> Sse<EventStream> {
    let shutdown = stack.shutdown().clone();
    let events = stream::unfold(
        (source, VecDeque::new()),
        async |(mut source, mut waiting)| {
            while waiting.is_empty() {
                match source.next().await {
                    Ok(Some(news)) => waiting.extend(news),
                    Ok(None) => return None,
                    Err(error) => {
                        // The client comes back to where it was.
                        tracing::error!(%error, "a stream of events ends early");
                        return None;
                    }
                }
            }
            waiting
                .pop_front()
                .map(|event| (Ok(event), (source, waiting)))
        },
    );
    let events = events.take_until(shutdown.clone().cancelled_owned());
    // Whoever is cut off by the stack's end is told to come back; what ended by itself needs no second look.
    let farewell = stream::once(async move { shutdown.is_cancelled() })
        .filter(|is_cut| std::future::ready(*is_cut))
        .map(|_| Ok(Event::default().retry(RETRY)));
    let events: Events = events.chain(farewell).boxed();
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT))
}

struct Feed {
    stack: Stack,
    newest: watch::Receiver<i64>,
    cursor: i64,
    is_wanted: Box<dyn Fn(&EventRow) -> bool + Send + Sync>,
}

impl Source for Feed {
    async fn next(&mut self) -> Result<Option<Vec<Event>>, StoreError> {
        loop {
            self.newest.borrow_and_update();
            let rows = self.stack.store().events_after(self.cursor, PAGE).await?;
            // Cursors have no gaps. Whoever is so slow that what comes next is gone comes back, and is told.
            if rows
                .first()
                .is_some_and(|first| first.id != self.cursor + 1)
            {
                return Ok(None);
            }
            if let Some(last) = rows.last() {
                self.cursor = last.id;
                let wanted = rows.into_iter().filter(|row| (self.is_wanted)(row));
                let news: Vec<_> = wanted.map(|row| self.event(row)).collect();
                if news.is_empty() {
                    continue;
                }
                return Ok(Some(news));
            }
            if self.newest.changed().await.is_err() {
                return Ok(None);
            }
        }
    }
}

impl Feed {
    fn event(&self, row: EventRow) -> Event {
        let id = row.id.to_string();
        named("change", &self.stack.event(row)).id(id)
    }
}

struct UpkeepFeed(mpsc::Receiver<UpkeepEvent>);

impl Source for UpkeepFeed {
    async fn next(&mut self) -> Result<Option<Vec<Event>>, StoreError> {
        let told = self.0.recv().await;
        Ok(told.map(|told| vec![named(told.name(), &told)]))
    }
}

struct ToldFeed(mpsc::Receiver<Event>);

impl Source for ToldFeed {
    async fn next(&mut self) -> Result<Option<Vec<Event>>, StoreError> {
        let told = self.0.recv().await;
        Ok(told.map(|told| vec![told]))
    }
}

/// A step with its place among the job's steps.
#[derive(Serialize)]
struct Placed<'a> {
    index: usize,
    #[serde(flatten)]
    step: &'a JobStep,
}

struct JobFeed {
    stack: Stack,
    commits: watch::Receiver<u64>,
    job: JobRow,
    /// The steps as the client has them.
    shown: Vec<JobStep>,
    last_line: i64,
    is_over: bool,
}

impl Source for JobFeed {
    async fn next(&mut self) -> Result<Option<Vec<Event>>, StoreError> {
        if self.is_over {
            return Ok(None);
        }
        loop {
            self.commits.borrow_and_update();
            // The job before its lines: what it wrote before it ended is then among them.
            if let Some(job) = self.stack.store().job(&self.job.id).await? {
                self.job = job;
            }
            let mut news = self.new_steps();
            let lines = self
                .stack
                .store()
                .job_log(&self.job.id, self.last_line, jobs::PAGE)
                .await?;
            let is_last_page = lines.len() < usize::try_from(jobs::PAGE).unwrap_or(usize::MAX);
            for row in lines {
                self.last_line = row.number;
                let number = row.number.to_string();
                news.push(named("log", &jobs::line(row)).id(number));
            }
            if is_last_page && self.job.state.is_over() {
                self.is_over = true;
                news.push(named("end", &jobs::view(&self.job)));
            }
            if !news.is_empty() {
                return Ok(Some(news));
            }
            if self.commits.changed().await.is_err() {
                return Ok(None);
            }
        }
    }
}

impl JobFeed {
    fn new_steps(&mut self) -> Vec<Event> {
        let steps = jobs::steps(&self.job);
        let is_new = |(index, step): &(usize, &JobStep)| {
            self.shown
                .get(*index)
                .is_none_or(|shown| !alike(shown, step))
        };
        let news = steps
            .iter()
            .enumerate()
            .filter(is_new)
            .map(|(index, step)| named("step", &Placed { index, step }))
            .collect();
        self.shown = steps;
        news
    }
}

fn alike(a: &JobStep, b: &JobStep) -> bool {
    (&a.name, &a.detail, &a.state, a.milliseconds, &a.outcome)
        == (&b.name, &b.detail, &b.state, b.milliseconds, &b.outcome)
}

/// An event with its data.
pub fn named(name: &str, data: &impl Serialize) -> Event {
    Event::default()
        .event(name)
        .json_data(data)
        .unwrap_or_default()
}
