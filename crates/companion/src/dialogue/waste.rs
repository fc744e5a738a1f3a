//! What is wasteful, told.

use super::Speaker;
use crate::evidence::Book;
use crate::findings;

/// What is looked at, for those who have nothing wasteful.
const LOOKED_AT: &str =
    "memory and processor limits, workers, caches, the log, shared memory and how often I ended";

impl Speaker<'_> {
    /// What could be better, each with what to do; nothing of it is done.
    pub(super) fn waste(&self, book: &mut Book) -> String {
        if !self.observation.is_running() {
            return "I do not run, so I waste nothing; start me, and ask again after a while."
                .to_owned();
        }
        let wastes = findings::wastes(self.observation);
        let mut lines: Vec<String> = wastes
            .found
            .iter()
            .map(|waste| {
                let remedy = waste.draft.remedy.as_ref();
                let remedy = remedy
                    .map(|remedy| format!(" {remedy}"))
                    .unwrap_or_default();
                format!("{}{remedy}", waste.draft.sentence(book))
            })
            .collect();
        if lines.is_empty() {
            let looked = [self.facts.memory(), self.facts.processor_use()];
            let counted = self.facts.counted(self.observation.past.of_this_life());
            let looked: Vec<_> = looked.into_iter().flatten().chain(counted).collect();
            let cited = book.cite(&looked);
            lines.push(format!(
                "I see nothing wasteful{cited}; I looked at {LOOKED_AT}."
            ));
        }
        if let Some(early) = wastes.too_early {
            lines.push(format!("It is too early to say {early}."));
        }
        lines.join("\n")
    }
}
