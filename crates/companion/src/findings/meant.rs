//! Where a container is not what it was meant to be.

use super::{Draft, Look, Severity};
use crate::ending::Ending;

impl Look<'_> {
    /// Variables that the program needs and does not have.
    pub(super) fn variables(&self) -> Vec<Draft> {
        let observation = self.observation;
        let (Some(state), Some(meant)) = (observation.state(), &observation.subject.meant) else {
            return Vec::new();
        };
        let is_set = |name: &str| state.env.get(name).is_some_and(|value| !value.is_empty());
        let answers = observation.is_running()
            && observation
                .probe
                .as_ref()
                .is_none_or(|probe| probe.is_good() || observation.is_starting());
        let asked_to_go = Ending::of(state, &observation.history).is_some_and(|ending| {
            ending.is_peaceful() || matches!(ending, Ending::KilledByRequest { .. })
        });
        // What does not answer, or has failed, may well lack just this.
        let severity = if answers || asked_to_go {
            Severity::Warning
        } else {
            Severity::Critical
        };
        meant
            .variables()
            .into_iter()
            .filter(|(name, variable)| {
                variable.required && variable.default.is_none() && !is_set(name)
            })
            .map(|(name, variable)| {
                let needs = match &variable.from {
                    Some(from) => format!("{from} needs it"),
                    None => "the manifest says it is required".to_owned(),
                };
                let mut draft = Draft::new(
                    "env.missing",
                    severity,
                    format!("{name} is not set, and {needs}"),
                );
                draft.clause = Some(format!("{name} is not set"));
                draft
                    .because([self.facts.missing_variable(name, variable.from.as_deref())])
                    .remedy(format!("Run it with `--env {name}=…`."))
            })
            .collect()
    }

    pub(super) fn image(&self) -> Option<Draft> {
        let state = self.observation.state()?;
        let meant = self.observation.subject.meant.as_ref()?;
        let expected = meant
            .image_id
            .as_ref()
            .filter(|expected| **expected != state.image_id)?;
        let text = format!(
            "I do not run the image I was built as: {} instead of {}",
            short(&state.image_id),
            short(expected)
        );
        Some(
            Draft::new("image.differs", Severity::Warning, text)
                .because(self.facts.meant())
                .because([self.facts.image(state)]),
        )
    }
}

/// Twelve digits of a digest.
fn short(digest: &str) -> &str {
    let digits = digest.strip_prefix("sha256:").unwrap_or(digest);
    digits.get(..12).unwrap_or(digits)
}
