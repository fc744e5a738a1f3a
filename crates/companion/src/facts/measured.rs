//! The evidence in what was counted.

use jiff::{SignedDuration, Timestamp};

use super::Facts;
use crate::evidence::Fact;
use crate::{Point, words};

impl Facts<'_> {
    pub(crate) fn traffic(&self) -> Option<Fact> {
        let traffic = self.observation.signals.traffic.as_ref()?;
        Some(
            self.fact(
                "proc",
                format!(
                    "{} bytes received, {} sent, {} errors, {} dropped",
                    traffic.received, traffic.sent, traffic.errors, traffic.dropped
                ),
                self.first_process()
                    .map(|pid| format!("cat /proc/{pid}/net/dev")),
            ),
        )
    }

    pub(crate) fn connections(&self) -> Fact {
        let count = self.observation.signals.connections.len() as u64;
        self.fact(
            "proc",
            words::count(count, "TCP connection", "TCP connections"),
            self.first_process()
                .map(|pid| format!("nsenter -t {pid} -n ss -tan")),
        )
    }

    /// What was counted over time; nothing where nothing was.
    pub(crate) fn counted(&self, points: &[Point]) -> Option<Fact> {
        let (first, last) = (points.first()?, points.last()?);
        let time = |second| Timestamp::from_second(second).ok();
        let (since, until) = (time(first.time)?, time(last.time)?);
        let minutes = until.duration_since(since) + SignedDuration::from_secs(60);
        Some(Fact {
            text: format!(
                "{} from {since} to {until}",
                words::count(points.len() as u64, "reading", "readings")
            ),
            source: "history",
            time: until,
            command: Some(format!(
                "ergon container history {} --since {}m",
                self.name(),
                minutes.as_mins()
            )),
        })
    }

    fn first_process(&self) -> Option<u32> {
        self.observation.state()?.pid
    }
}
