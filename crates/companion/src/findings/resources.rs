//! Memory, processor time, disks and processes.

use jiff::{SignedDuration, Timestamp};

use super::{Draft, Look, Severity};
use crate::observation::Outcome;
use crate::words;

/// A share of the limit from which on it is worth a look.
const NEAR_LIMIT_PERCENT: u64 = 90;
/// One or two that wait to be collected are ordinary; many mean that nobody collects them.
const MANY_ZOMBIES: usize = 5;

/// Hundredths of a percent of its periods in which it was made to wait, from which on that is a trouble.
const THROTTLED: u32 = 2500;
/// Hundredths of a percent of a processor: whoever uses less than this does nothing.
const IDLE: u32 = 200;

/// Percent of the change that a straight line has to explain.
const STEADY: u32 = 90;
/// Bytes: less than this is no leak.
const LEAST_GROWTH: u64 = 8 << 20;
/// A limit that is reached later than this is not the most urgent thing.
const FULL_SOON: SignedDuration = SignedDuration::from_hours(1);
/// Seconds that a growth has to go on, with a limit in sight and without one.
const SHORT_TREND: i64 = 25;
const LONG_TREND: i64 = 15 * 60;

impl Look<'_> {
    /// It wants to work and may not, or it could work and does not.
    pub(super) fn processor(&self) -> Option<Draft> {
        let observation = self.observation;
        let used = observation
            .signals
            .processor
            .as_ref()
            .filter(|_| observation.is_running())?;
        let silent = observation
            .probe
            .as_ref()
            .is_some_and(|probe| probe.outcome == Outcome::TimedOut);
        if let Some(share) = used.throttled_share.filter(|share| *share >= THROTTLED) {
            let limit = used
                .quota
                .map(|quota| format!(" of {:.2} processors", quota as f64 / 1e9))
                .unwrap_or_default();
            let text = format!(
                "I get less processor time than I want: the limit{limit} made me wait in {} of the time slices of the last seconds",
                words::percent(share)
            );
            let slow = observation
                .probe
                .as_ref()
                .is_some_and(|probe| !probe.is_good());
            let severity = if slow {
                Severity::Critical
            } else {
                Severity::Warning
            };
            let mut draft = Draft::new("processor.throttled", severity, text)
                .because(self.facts.processor_use())
                .remedy("Raise the limit (`docker update --cpus …`), or find what uses the time.");
            draft.clause = Some("the limit of processor time slows it down".to_owned());
            return Some(draft);
        }
        let stuck =
            silent && !observation.is_starting() && used.share.is_some_and(|share| share < IDLE);
        stuck.then(|| {
            let text = "My program hangs: it takes connections, answers none, and does nothing meanwhile";
            let mut draft = Draft::new("stuck", Severity::Critical, text)
                .because(self.facts.probe())
                .because(self.facts.processor_use())
                .because(self.facts.waiting())
                .remedy(format!(
                    "Restart it to go on (`docker restart {}`); look at what its threads wait for (`sudo cat /proc/PID/task/*/wchan`) before.",
                    observation.subject.container
                ));
            draft.clause = Some("the program hangs".to_owned());
            draft
        })
    }

    /// Disks on which next to nothing can be written any more.
    pub(super) fn disks(&self) -> Vec<Draft> {
        let disks = &self.observation.signals.disks;
        let full = disks
            .iter()
            .filter(|disk| disk.is_full() && !disk.read_only);
        full.map(|disk| {
            let what = if disk.free < disk.size / 100 {
                "full"
            } else {
                "out of files (inodes)"
            };
            let text = format!(
                "The disk at {} is {what}: {} of {} are free",
                disk.mount,
                words::bytes(disk.free),
                words::bytes(disk.size)
            );
            let id = if disk.mount == "/dev/shm" {
                "shm.full"
            } else {
                "disk.full"
            };
            let mut draft = Draft::new(id, Severity::Warning, text)
                .because([self.facts.disk(disk)])
                .remedy("Remove what is not needed there, or give it more room.");
            draft.clause = Some(format!("the disk at {} is full", disk.mount));
            draft
        })
        .collect()
    }

    pub(super) fn descriptors_limit(&self) -> Option<Draft> {
        let fullest = self.observation.signals.descriptors.iter().find(|one| {
            one.limit.is_some_and(|limit| {
                one.open.saturating_mul(100) / limit.max(1) >= NEAR_LIMIT_PERCENT
            })
        })?;
        let text = format!(
            "{} has {} of {} files and connections open that it may have",
            fullest.name,
            fullest.open,
            fullest.limit.unwrap_or_default()
        );
        Some(
            Draft::new("descriptors.exhausted", Severity::Warning, text)
                .because([self.facts.descriptors(fullest)])
                .remedy(
                    "Find what it does not close; or raise the limit with `--ulimit nofile=…`.",
                ),
        )
    }

    pub(super) fn tasks_limit(&self) -> Option<Draft> {
        let tasks = self.observation.signals.tasks?;
        let limit = tasks.limit?;
        (tasks.now.saturating_mul(100) / limit.max(1) >= NEAR_LIMIT_PERCENT).then(|| {
            let text = format!(
                "I have {} of {limit} processes and threads that I may have",
                tasks.now
            );
            Draft::new("tasks.exhausted", Severity::Warning, text)
                .because([self.facts.tasks(tasks)])
                .remedy("Let it start fewer, or raise the limit with `--pids-limit`.")
        })
    }

    /// Processes that the kernel killed while the container went on.
    pub(super) fn out_of_memory(&self) -> Option<Draft> {
        let memory = self
            .observation
            .memory
            .as_ref()
            .filter(|_| self.observation.is_running())?;
        let kills = memory.oom_kills.filter(|kills| *kills > 0)?;
        let limit = memory
            .limit
            .map(|limit| format!("; the limit is {}", words::bytes(limit)))
            .unwrap_or_default();
        let killed = words::count(kills, "process", "processes");
        let text = format!("The kernel killed {killed} of mine because memory ran out{limit}");
        let draft =
            Draft::new("memory.out", Severity::Critical, text).because(self.facts.oom_kills());
        Some(draft.remedy("Raise the memory limit, or find what uses it."))
    }

    /// Memory that grows and grows.
    pub(super) fn leak(&self) -> Option<Draft> {
        let observation = self.observation;
        let trend = observation
            .past
            .memory_trend()
            .filter(|_| observation.is_running())?;
        let grew = trend.to.checked_sub(trend.from)?;
        let long = trend.until - trend.since;
        if trend.fit < STEADY || grew < LEAST_GROWTH || grew < trend.from / 10 {
            return None;
        }
        // What a program loads while it warms up is no leak: it would have to go on to the limit, or double for long.
        let soon = trend
            .full_in
            // Nobody sees further ahead than some times as far as they looked back.
            .filter(|left| {
                *left < FULL_SOON
                    && long >= SHORT_TREND
                    && left.as_secs() <= long.saturating_mul(10)
            });
        let doubled = grew >= trend.from && long >= LONG_TREND;
        if soon.is_none() && !doubled {
            return None;
        }
        let full = soon
            .map(|left| {
                format!(
                    "; at this rate the limit is reached in {}",
                    words::duration(left)
                )
            })
            .unwrap_or_default();
        let span = words::duration(SignedDuration::from_secs(long));
        let text = format!(
            "My memory grows and does not shrink: by {} in the last {span}{full}",
            words::bytes(grew)
        );
        let since = Timestamp::from_second(trend.since).unwrap_or(observation.time);
        let draft = Draft::new("memory.growing", Severity::Warning, text)
            .because(self.facts.memory())
            .because(self.facts.counted(observation.past.since(since)));
        Some(draft.remedy("Find what it keeps and does not need (a profile of its memory says); restarting it gives time."))
    }

    pub(super) fn memory_limit(&self) -> Option<Draft> {
        let memory = self.observation.memory.as_ref()?;
        let limit = memory.limit?;
        let percent = memory.used.saturating_mul(100) / limit.max(1);
        (percent >= NEAR_LIMIT_PERCENT).then(|| {
            let figures = format!("{} of {}", words::bytes(memory.used), words::bytes(limit));
            let text = format!("I use {percent} % of the memory I may use ({figures})");
            let draft = Draft::new("memory.near_limit", Severity::Warning, text)
                .because(self.facts.memory());
            draft.remedy("Raise the limit, or find what uses the memory.")
        })
    }

    pub(super) fn zombies(&self) -> Option<Draft> {
        let zombies = self
            .observation
            .processes
            .iter()
            .filter(|process| process.state == 'Z')
            .count();
        (zombies >= MANY_ZOMBIES).then(|| {
            let text =
                format!("{zombies} of my processes ended and nobody collects them (zombies)");
            let draft = Draft::new("processes.zombies", Severity::Warning, text)
                .because([self.facts.zombies()]);
            draft.remedy("Start the container with an init (`docker run --init`).")
        })
    }
}
