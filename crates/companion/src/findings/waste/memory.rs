//! Whether the memory limit fits what is used.

use ergon_engine::ContainerState;

use super::{Cure, LONG, SHORT, Used, Waste, round_up};
use crate::findings::{Look, Severity};
use crate::words;

/// A limit so many times the most that was used keeps memory from others for nothing.
const TIMES: u64 = 4;
/// Less than this is not worth a word.
const WORTH: u64 = 128 << 20;
/// Percent of the limit at most used, from which on the next busy day is too much.
const TIGHT_PERCENT: u64 = 85;
/// Percent from which on it is told as a finding already.
const NEAR_PERCENT: u64 = 90;
/// No limit is proposed below this.
const LEAST: u64 = 64 << 20;

impl Look<'_> {
    pub(super) fn memory_waste(
        &self,
        state: &ContainerState,
        past: Option<&Used>,
    ) -> Option<Waste> {
        match state.memory_limit {
            None => Some(self.unlimited(state, past)),
            Some(limit) => {
                let past = past.filter(|past| past.last.memory_limit == round_to_kib(limit))?;
                self.tight(state, limit, past)
                    .or_else(|| self.generous(state, limit, past))
            }
        }
    }

    fn unlimited(&self, state: &ContainerState, past: Option<&Used>) -> Waste {
        let machine = self.observation.signals.machine.memory;
        let all = machine.map_or_else(
            || "all of the machine's memory".to_owned(),
            |bytes| format!("all {} of the machine's memory", words::bytes(bytes)),
        );
        let text =
            format!("I have no memory limit: if I leak, I take {all} before anybody stops me");
        let mut facts = vec![self.facts.memory_limit(state)];
        facts.extend(self.facts.memory());
        let judged = past.filter(|past| past.span() >= LONG && past.last.memory_limit == 0);
        facts.extend(judged.and_then(|past| self.facts.peak(past.points)));
        let to = judged.map(|past| round_up(past.peak.saturating_mul(2)).max(LEAST));
        let remedy = match to {
            Some(to) => format!(
                "Set one: `docker update --memory {to} --memory-swap {to} {}` is twice what I used at most.",
                state.name
            ),
            None => {
                "Set one (`docker update --memory …`) above what it uses on a busy day.".to_owned()
            }
        };
        let waste = Waste::new("memory.unlimited", Severity::Info, text, facts);
        waste.remedy(remedy).cure(to.map(Cure::Memory))
    }

    fn tight(&self, state: &ContainerState, limit: u64, past: &Used) -> Option<Waste> {
        let percent = past.peak.saturating_mul(100) / limit.max(1);
        let now = self
            .observation
            .memory
            .as_ref()
            .map_or(0, |memory| memory.used);
        let is_told = now.saturating_mul(100) / limit.max(1) >= NEAR_PERCENT;
        // To a leak, more memory is only more time.
        if past.span() < SHORT || percent < TIGHT_PERCENT || is_told || self.leak().is_some() {
            return None;
        }
        let to = round_up(past.peak.saturating_mul(3) / 2);
        let machine = self.observation.signals.machine.memory.unwrap_or(u64::MAX);
        let text = format!(
            "My memory limit is tight: I used up to {percent} % of it ({} of {}) in the last {}",
            words::bytes(past.peak),
            words::bytes(limit),
            words::duration(past.span())
        );
        let mut facts = vec![self.facts.memory_limit(state)];
        facts.extend(self.facts.peak(past.points));
        let waste = Waste::new("memory.tight", Severity::Warning, text, facts);
        let waste = waste.remedy(format!(
            "Raise it to {}, or find what uses the memory.",
            words::bytes(to)
        ));
        Some(waste.cure((to > limit && to < machine).then_some(Cure::Memory(to))))
    }

    fn generous(&self, state: &ContainerState, limit: u64, past: &Used) -> Option<Waste> {
        let to = round_up(past.peak.saturating_mul(2)).max(LEAST);
        let is_generous =
            past.peak.saturating_mul(TIMES) < limit && to.saturating_add(WORTH) < limit;
        if past.span() < LONG || !is_generous {
            return None;
        }
        let text = format!(
            "My memory limit is far above what I need: I used at most {} of {} in the last {}",
            words::bytes(past.peak),
            words::bytes(limit),
            words::duration(past.span())
        );
        let mut facts = vec![self.facts.memory_limit(state)];
        facts.extend(self.facts.peak(past.points));
        let waste = Waste::new("memory.generous", Severity::Info, text, facts);
        let remedy = format!(
            "{} would be twice what I used at most, and leave the rest to others.",
            words::bytes(to)
        );
        Some(waste.remedy(remedy).cure(Some(Cure::Memory(to))))
    }
}

/// As a series keeps it.
const fn round_to_kib(bytes: u64) -> u64 {
    bytes.div_ceil(1024).saturating_mul(1024)
}
