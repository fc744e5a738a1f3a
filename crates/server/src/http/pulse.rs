//! What goes on on a connection, so that whoever only holds it open is noticed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::limits::ConnectionLimits;

/// What goes on on one connection. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Mutex<Beat>>);

#[derive(Debug)]
struct Beat {
    /// Requests that are being answered.
    working: usize,
    quiet: Quiet,
    since: Instant,
    /// Whether what is heard while nothing is answered begins a request. In HTTP/2 it may be anything.
    hears_requests: bool,
}

/// What goes on while nothing is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quiet {
    /// Nothing was asked yet.
    New,
    /// A request has begun to come.
    Coming,
    /// The last one was answered.
    Idle,
}

/// How a connection has used its time up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// A request that began does not come to an end.
    Request,
    /// Nothing is asked.
    Silence,
}

impl Beat {
    fn new(hears_requests: bool, now: Instant) -> Self {
        Self {
            working: 0,
            quiet: Quiet::New,
            since: now,
            hears_requests,
        }
    }

    /// Something was read.
    fn heard(&mut self, now: Instant) {
        if self.hears_requests && self.working == 0 && self.quiet != Quiet::Coming {
            // Whoever connects and says nothing has not got more time by beginning at last.
            if self.quiet == Quiet::Idle {
                self.since = now;
            }
            self.quiet = Quiet::Coming;
        }
    }

    fn began(&mut self) {
        self.working += 1;
    }

    fn answered(&mut self, now: Instant) {
        self.working = self.working.saturating_sub(1);
        if self.working == 0 {
            self.quiet = Quiet::Idle;
            self.since = now;
        }
    }

    fn overdue(&self, limits: &ConnectionLimits, now: Instant) -> Option<Overdue> {
        if self.working > 0 {
            return None;
        }
        let (limit, overdue) = match self.quiet {
            Quiet::New => (limits.headers, Overdue::Silence),
            Quiet::Coming => (limits.headers, Overdue::Request),
            Quiet::Idle => (limits.idle, Overdue::Silence),
        };
        (now.saturating_duration_since(self.since) >= limit).then_some(overdue)
    }
}

impl Pulse {
    pub fn new(hears_requests: bool) -> Self {
        Self(Arc::new(Mutex::new(Beat::new(
            hears_requests,
            Instant::now(),
        ))))
    }

    fn beat(&self) -> MutexGuard<'_, Beat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was read.
    pub fn heard(&self) {
        self.beat().heard(Instant::now());
    }

    /// A request is there; it is being answered until what this returns is dropped.
    pub fn began(&self) -> Work {
        self.beat().began();
        Work(self.clone())
    }

    /// How the connection has used its time up, if it has.
    pub fn overdue(&self, limits: &ConnectionLimits) -> Option<Overdue> {
        self.beat().overdue(limits, Instant::now())
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Work(Pulse);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.beat().answered(Instant::now());
    }
}

/// An answer's body: as long as it is on its way, its request is being answered.
#[derive(Debug)]
pub struct Answering {
    body: Body,
    _work: Work,
}

impl Answering {
    pub fn new(body: Body, work: Work) -> Self {
        Self { body, _work: work }
    }
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limits() -> ConnectionLimits {
        ConnectionLimits {
            headers: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            ..ConnectionLimits::default()
        }
    }

    fn after(begun: Instant, seconds: u64) -> Instant {
        begun + Duration::from_secs(seconds)
    }

    #[test]
    fn a_request_that_does_not_come_to_an_end_is_overdue_however_slowly_it_comes() {
        let begun = Instant::now();
        let mut beat = Beat::new(true, begun);
        for second in 1..10 {
            let now = after(begun, second);
            beat.heard(now);
            assert_eq!(beat.overdue(&limits(), now), None);
        }
        beat.heard(after(begun, 10));
        let overdue = beat.overdue(&limits(), after(begun, 10));
        assert_eq!(overdue, Some(Overdue::Request));
    }

    #[test]
    fn silence_is_borne_for_longer_once_something_was_asked() {
        let begun = Instant::now();
        let mut beat = Beat::new(true, begun);
        let overdue = |beat: &Beat, seconds| beat.overdue(&limits(), after(begun, seconds));
        assert_eq!(overdue(&beat, 10), Some(Overdue::Silence));
        beat.began();
        beat.answered(after(begun, 10));
        assert_eq!(overdue(&beat, 69), None);
        beat.heard(after(begun, 69));
        assert_eq!(overdue(&beat, 78), None);
        assert_eq!(overdue(&beat, 79), Some(Overdue::Request));
    }

    #[test]
    fn an_answer_may_take_as_long_as_it_takes() {
        let begun = Instant::now();
        let mut beat = Beat::new(true, begun);
        let overdue = |beat: &Beat, seconds| beat.overdue(&limits(), after(begun, seconds));
        beat.began();
        beat.began();
        beat.answered(after(begun, 3600));
        beat.heard(after(begun, 3600));
        assert_eq!(overdue(&beat, 7200), None);
        beat.answered(after(begun, 7200));
        assert_eq!(overdue(&beat, 7259), None);
        assert_eq!(overdue(&beat, 7260), Some(Overdue::Silence));
    }

    #[test]
    fn frames_of_http2_are_no_requests() {
        let begun = Instant::now();
        let mut beat = Beat::new(false, begun);
        beat.began();
        beat.answered(begun);
        beat.heard(after(begun, 1));
        assert_eq!(beat.overdue(&limits(), after(begun, 30)), None);
    }
}
