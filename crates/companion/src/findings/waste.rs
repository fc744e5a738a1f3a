//! What is wasteful in a container, or will be wrong one day, though nothing is broken. Looked for when somebody
//! asks, and never told unasked.

mod caches;
mod logs;
mod memory;
mod workers;

use ergon_engine::ContainerState;
use jiff::SignedDuration;

use super::{Draft, Look, Severity};
use crate::evidence::Fact;
use crate::facts::Facts;
use crate::{Observation, Point, words};

/// A limit is judged after this time: most programs have met their day's work by then, or have a day by day one.
const LONG: SignedDuration = SignedDuration::from_mins(58);
/// And that it is too tight, after this.
const SHORT: SignedDuration = SignedDuration::from_mins(9);
/// Hundredths of a percent of the slices in which it was made to wait, over a long time.
const THROTTLED: u64 = 500;
/// More often than this in a day, something is wrong with it, even if it comes up each time.
const MANY_ENDS: usize = 2;
/// Shared memory that is fuller than this is soon full.
const SHM_FULL_PERCENT: u64 = 70;
/// A whole processor, as `--cpus` counts.
const PROCESSOR: u64 = 1_000_000_000;

/// What is wasteful, and what would cure it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waste {
    pub draft: Draft,
    pub cure: Option<Cure>,
}

/// What the engine can do about it while the container goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cure {
    /// This memory limit, in bytes.
    Memory(u64),
    /// This limit of processor time, in billionths of a processor.
    Processors(u64),
}

/// What was looked at, and what could not be judged yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wastes {
    pub found: Vec<Waste>,
    /// `my memory limit: I have watched it for 3 min, and can judge it after an hour`.
    pub too_early: Option<String>,
}

/// What is wasteful in a running container, the weightiest first.
pub(crate) fn wastes(observation: &Observation) -> Wastes {
    let Some(state) = observation.state().filter(|state| state.is_running()) else {
        return Wastes::default();
    };
    let look = Look {
        observation,
        facts: Facts::of(observation),
        is_looping: false,
    };
    let past = Used::of(observation.past.of_this_life());
    let mut found = Vec::new();
    found.extend(look.memory_waste(state, past.as_ref()));
    found.extend(look.throttled_waste(state, past.as_ref()));
    found.extend(look.workers_waste(past.as_ref()));
    found.extend(look.caches_waste(state));
    found.extend(look.logs_waste(state));
    found.extend(look.shared_memory_waste());
    found.extend(look.ends_waste());
    found.sort_by_key(|waste: &Waste| std::cmp::Reverse(waste.draft.severity));
    let watched = past.as_ref().map_or(SignedDuration::ZERO, Used::span);
    let too_early = (watched < LONG).then(|| {
        format!(
            "whether my memory limit fits: I have watched what I use for {}, and judge it after an hour",
            words::duration(watched)
        )
    });
    Wastes { found, too_early }
}

/// What it used over a time.
struct Used<'a> {
    points: &'a [Point],
    first: &'a Point,
    last: &'a Point,
    /// Bytes of memory at most.
    peak: u64,
}

impl<'a> Used<'a> {
    fn of(points: &'a [Point]) -> Option<Self> {
        Some(Self {
            points,
            first: points.first()?,
            last: points.last()?,
            peak: points.iter().map(|point| point.memory_peak).max()?,
        })
    }

    fn span(&self) -> SignedDuration {
        SignedDuration::from_secs(self.last.time.saturating_sub(self.first.time))
    }

    fn mean(&self, value: impl Fn(&Point) -> u32) -> u64 {
        let sum: u64 = self
            .points
            .iter()
            .map(|point| u64::from(value(point)))
            .sum();
        sum.checked_div(self.points.len() as u64).unwrap_or(0)
    }
}

impl Waste {
    fn new(id: &'static str, severity: Severity, text: String, facts: Vec<Fact>) -> Self {
        Self {
            draft: Draft::new(id, severity, text).because(facts),
            cure: None,
        }
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.draft.remedy = Some(remedy.into());
        self
    }

    fn cure(mut self, cure: Option<Cure>) -> Self {
        self.cure = cure;
        self
    }
}

impl Look<'_> {
    /// Processors it may use: those of the machine, or fewer by its limit. Billionths.
    fn processors(&self) -> Option<u64> {
        let signals = &self.observation.signals;
        let machine = signals
            .machine
            .processors
            .map(|count| u64::from(count) * PROCESSOR);
        let quota = signals.processor.as_ref().and_then(|used| used.quota);
        match (machine, quota) {
            (Some(machine), Some(quota)) => Some(machine.min(quota)),
            (machine, quota) => machine.or(quota),
        }
    }

    /// The limit of processor time was in the way all the time, not only now.
    fn throttled_waste(&self, state: &ContainerState, past: Option<&Used>) -> Option<Waste> {
        let past = past.filter(|past| past.span() >= SHORT)?;
        let used = self.observation.signals.processor.as_ref()?;
        let quota = used.quota?;
        let waited = past.mean(|point| point.throttled);
        if waited < THROTTLED {
            return None;
        }
        let machine = self.observation.signals.machine.processors?;
        let most = u64::from(machine) * PROCESSOR;
        let quarter = PROCESSOR / 4;
        let wanted = (quota.saturating_mul(3) / 2).div_ceil(quarter) * quarter;
        let cure = (state.processor_limit == Some(quota) && wanted.min(most) > quota)
            .then(|| Cure::Processors(wanted.min(most)));
        let text = format!(
            "My limit of {} processors made me wait in {} of the time slices of the last {}",
            in_processors(quota),
            words::percent(u32::try_from(waited).unwrap_or(u32::MAX)),
            words::duration(past.span())
        );
        let mut facts: Vec<Fact> = self
            .facts
            .throttled(past.points, waited)
            .into_iter()
            .collect();
        facts.extend(self.facts.processor_use());
        let waste = Waste::new("processor.tight", Severity::Warning, text, facts);
        Some(
            waste
                .remedy(format!(
                    "Give it more (`docker update --cpus {} {}`), or find what uses the time.",
                    in_processors(wanted.min(most)),
                    self.observation.subject.container
                ))
                .cure(cure),
        )
    }

    fn shared_memory_waste(&self) -> Option<Waste> {
        let disks = &self.observation.signals.disks;
        let shm = disks.iter().find(|disk| disk.mount == "/dev/shm")?;
        let used = shm.size.checked_sub(shm.free)?;
        if shm.is_full() || used.saturating_mul(100) < shm.size.saturating_mul(SHM_FULL_PERCENT) {
            return None;
        }
        let text = format!(
            "{} of the {} of shared memory at /dev/shm are in use",
            words::bytes(used),
            words::bytes(shm.size)
        );
        let waste = Waste::new(
            "shm.tight",
            Severity::Warning,
            text,
            vec![self.facts.disk(shm)],
        );
        Some(waste.remedy("Make it again with more (`docker run --shm-size …`) before it is full."))
    }

    /// It ended by itself, and came up again each time: no loop, and yet no good.
    fn ends_waste(&self) -> Option<Waste> {
        let observation = self.observation;
        let day = SignedDuration::from_hours(24);
        let ends = observation.history.crashes(observation.time - day);
        let (first, last) = (ends.first()?, ends.last()?);
        if ends.len() < MANY_ENDS {
            return None;
        }
        let text = format!(
            "I ended by myself {} in the last {}, the last time at {}, and was started again",
            words::count(ends.len() as u64, "time", "times"),
            words::duration(observation.time.duration_since(first.0)),
            last.0.strftime("%H:%M:%S")
        );
        let waste = Waste::new(
            "restarts.many",
            Severity::Warning,
            text,
            vec![self.facts.deaths(&ends)],
        );
        Some(waste.remedy(
            "Find why it ends (`what happened?`): whoever is connected is cut off each time.",
        ))
    }
}

/// `1.5`, `2`.
pub(crate) fn in_processors(nano: u64) -> String {
    let number = format!("{:.2}", nano as f64 / PROCESSOR as f64);
    number
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// Up to the next step that people would choose: 1/4 of the power of two below.
fn round_up(bytes: u64) -> u64 {
    const LEAST: u64 = 16 << 20;
    let bytes = bytes.max(LEAST);
    let step = (1_u64 << bytes.ilog2()) / 4;
    bytes.div_ceil(step).saturating_mul(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_round_and_never_lower_than_wanted() {
        let mib = |bytes: u64| round_up(bytes << 20) >> 20;
        assert_eq!(
            [1, 16, 17, 41, 100, 129, 900, 1025].map(mib),
            [16, 16, 20, 48, 112, 160, 1024, 1280]
        );
        assert_eq!(in_processors(1_500_000_000), "1.5");
        assert_eq!(in_processors(2_000_000_000), "2");
        assert_eq!(in_processors(250_000_000), "0.25");
    }
}
