//! A request's body that does not pause for long.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// A request's body. Where nothing of it comes for too long, it is broken off.
#[derive(Debug)]
pub struct Steady {
    body: Incoming,
    pause: Duration,
    /// Until when something has to come; absent while nobody waits.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Nothing of a body came for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body did not arrive in time")]
pub struct Stalled;

impl Steady {
    pub fn new(body: Incoming, pause: Duration) -> Self {
        Self {
            body,
            pause,
            deadline: None,
        }
    }
}

impl HttpBody for Steady {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.deadline = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let pause = self.pause;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + pause)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Some(Err(Stalled.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether an error came of a body that stalled.
pub fn is_stalled(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut reason = Some(error);
    while let Some(error) = reason {
        if error.is::<Stalled>() {
            return true;
        }
        reason = error.source();
    }
    false
}
