//! Where a container is not what it was meant to be.

use super::{Draft, Look, Severity};
use crate::ending::Ending;
use crate::words;

/// Whom the programs of images that Ergon builds run as.
const BUILT_USER: &str = "65532:65532";
/// Above this, systems give out ports by themselves.
const EPHEMERAL: u16 = 32768;

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

    /// Somebody started it as another user than it was built for.
    pub(super) fn user(&self) -> Option<Draft> {
        let state = self.observation.state()?;
        self.observation.subject.meant.as_ref()?;
        if !matches!(state.user.as_str(), "" | "root" | "0" | "0:0") {
            return None;
        }
        let text = "I run as root, though I was built to run without its rights";
        let draft = Draft::new("user.differs", Severity::Warning, text)
            .because([self.facts.user(state), self.facts.built_user(BUILT_USER)]);
        Some(draft.remedy("Run it again without `--user`."))
    }

    /// Files that a program is made of or set up by, and that are not those of the image.
    pub(super) fn files(&self) -> Option<Draft> {
        let drift = self.observation.drift.as_ref()?;
        let code: Vec<&str> = drift
            .files
            .iter()
            .filter(|file| file.is_code())
            .map(|file| file.path.as_str())
            .collect();
        let first = code.first()?;
        let others = match code.len() - 1 {
            0 => String::new(),
            others => format!(" and {}", words::count(others as u64, "other", "others")),
        };
        let text = format!("Files of my image were changed since I was made: {first}{others}");
        let draft = Draft::new("files.changed", Severity::Info, text)
            .because([self.facts.drift(drift)])
            .remedy("What was changed by hand is lost with the container: put it into the project, and build again.");
        Some(draft)
    }

    /// Ports that others can reach and that nobody meant.
    pub(super) fn other_ports(&self) -> Option<Draft> {
        let meant = self.observation.meant_ports();
        let listeners = self.observation.listeners.as_ref()?;
        if meant.is_empty() {
            return None;
        }
        let mut other: Vec<u16> = listeners
            .iter()
            .filter(|listener| !listener.loopback && listener.port < EPHEMERAL)
            .map(|listener| listener.port)
            .filter(|port| !meant.contains(port))
            .collect();
        other.sort_unstable();
        other.dedup();
        let closed = meant
            .iter()
            .any(|port| !listeners.iter().any(|listener| listener.port == *port));
        // Where a port that was meant is closed, that finding tells what is open instead.
        if other.is_empty() || closed {
            return None;
        }
        let told: Vec<String> = other.iter().map(ToString::to_string).collect();
        let text = format!(
            "I listen on {} too, which the manifest does not say is mine",
            words::list(&told)
        );
        let draft = Draft::new("port.unexpected", Severity::Info, text)
            .because(self.facts.meant_ports())
            .because(self.facts.listeners());
        Some(draft.remedy("Add it to `ports` in ergon.json, or let the program not listen there."))
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
