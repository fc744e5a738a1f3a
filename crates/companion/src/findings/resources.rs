//! Memory and processes.

use super::{Draft, Look, Severity};
use crate::words;

/// A share of the limit from which on it is worth a look.
const NEAR_LIMIT_PERCENT: u64 = 90;
/// One or two that wait to be collected are ordinary; many mean that nobody collects them.
const MANY_ZOMBIES: usize = 5;

impl Look<'_> {
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
