//! Counts what all containers use, once a second.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::Run;
use super::memory::Watched;
use crate::series::Count;
use crate::{Mark, Reading, Sample};

impl Run {
    /// Counts what all containers use, and returns what is to be kept of it.
    pub(super) fn sample(&self, is_kept: bool) -> Vec<Count> {
        let is_kept = is_kept && self.shared.keeper.is_some();
        let mut memory = self.shared.memory();
        let counted = memory.all_mut().filter_map(|(id, watched)| {
            let reading = watched.sample();
            is_kept.then(|| Count {
                id: id.clone(),
                name: watched.name.clone(),
                reading,
                marks: watched.marks(),
            })
        });
        counted.collect()
    }

    /// Keeps it, aside: a disk may be slow.
    pub(super) fn keep(&self, counts: Vec<Count>) -> Option<JoinHandle<()>> {
        let keeper = Arc::clone(self.shared.keeper.as_ref()?);
        Some(tokio::task::spawn_blocking(move || {
            keeper.count(counts, Timestamp::now());
        }))
    }
}

impl Watched {
    /// Counts what a container that runs here uses.
    pub(super) fn sample(&mut self) -> Option<Reading> {
        let (local, gauges) = self.local.as_ref()?;
        let reading = gauges.read(Timestamp::now())?;
        let is_empty = match reading.tasks {
            Some(tasks) => tasks == 0,
            None => local.is_empty(),
        };
        // What an empty cgroup still holds is not what the program used; what was counted, counts.
        if let Some(last) = &mut self.history.last_sample
            && is_empty
        {
            last.oom_kills = last.oom_kills.max(reading.oom_kills);
            return None;
        }
        self.history.last_sample = Some(Sample {
            time: reading.time,
            memory: reading.memory,
            memory_limit: reading.memory_limit,
            oom_kills: reading.oom_kills,
        });
        self.history.count(reading);
        Some(reading)
    }

    /// What is to be drawn of its history, where there is something new.
    fn marks(&mut self) -> Vec<Mark> {
        let happened = self.history.moments().count();
        let last = self.history.moments().last().map(|moment| moment.time);
        if self.marked == (happened, last) {
            return Vec::new();
        }
        self.marked = (happened, last);
        self.history.moments().filter_map(Mark::of).collect()
    }
}
