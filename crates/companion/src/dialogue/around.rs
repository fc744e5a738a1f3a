//! What changed, where it is not what it was meant to be, whom it needs and who needs it, and what to do.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ergon_engine::ContainerState;

use super::Speaker;
use super::state::clock;
use crate::evidence::Book;
use crate::findings::{Severity, named_places};
use crate::history::Happening;
use crate::observation::{Connection, ConnectionState, LogLevel, Neighbour};
use crate::words;

/// What stopped within this time may be missed.
const LATELY: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
/// So many of a kind are told.
const TOLD: usize = 8;

impl Speaker<'_> {
    /// What is not as it was: when it was started, what its log says that it did not say before, and which files differ.
    pub(super) fn changes(&self, state: &ContainerState, book: &mut Book) -> String {
        let mut lines = Vec::new();
        if let Some(created) = state.created_at {
            let cited = book.cite([&self.facts.created(state), &self.facts.started(state)]);
            let started = state
                .started_at
                .filter(|started| {
                    started.duration_since(created) > jiff::SignedDuration::from_secs(60)
                })
                .map(|started| format!(", started last {}", clock(started)))
                .unwrap_or_default();
            lines.push(format!("- I was made {}{started}{cited}.", clock(created)));
        }
        let ends: Vec<String> = self
            .observation
            .history
            .moments()
            .rev()
            .filter_map(|moment| match moment.what {
                Happening::Died { exit_code } => Some((moment, exit_code)),
                _ => None,
            })
            .take(3)
            .map(|(moment, code)| {
                format!(
                    "- I ended {} with exit code {code}{}.",
                    clock(moment.time),
                    book.cite([&self.facts.moment(moment)])
                )
            })
            .collect();
        lines.extend(ends);
        lines.extend(self.new_in_log(book));
        lines.extend(self.changed_files(book));
        for draft in &self.drafts {
            if draft.id.ends_with(".differs") || draft.id == "port.unexpected" {
                lines.push(format!("- {}", draft.sentence(book)));
            }
        }
        if lines.is_empty() {
            return "I know of no change.".to_owned();
        }
        format!("What I know of changes:\n{}", lines.join("\n"))
    }

    fn new_in_log(&self, book: &mut Book) -> Option<String> {
        let digest = self.observation.log_digest.as_ref()?;
        let since = digest.compared_with?;
        let new: Vec<_> = digest
            .templates
            .iter()
            .filter(|template| template.is_new && template.level >= LogLevel::Warning)
            .take(3)
            .collect();
        if new.is_empty() {
            return None;
        }
        let told: Vec<String> = new
            .iter()
            .map(|template| format!("\"{}\"", words::cut(&template.pattern, 120)))
            .collect();
        let cited = book.cite(
            new.iter()
                .map(|template| self.facts.template(template))
                .collect::<Vec<_>>()
                .iter(),
        );
        Some(format!(
            "- Since {} my log says what it did not say before: {}{cited}.",
            clock(since),
            words::list(&told)
        ))
    }

    fn changed_files(&self, book: &mut Book) -> Option<String> {
        let drift = self.observation.drift.as_ref()?;
        let cited = book.cite([&self.facts.drift(drift)]);
        if drift.files.is_empty() {
            return Some(format!("- No file of my image was changed{cited}."));
        }
        let (code, data): (Vec<_>, Vec<_>) = drift.files.iter().partition(|file| file.is_code());
        let told: Vec<&str> = code
            .iter()
            .chain(&data)
            .take(TOLD)
            .map(|file| file.path.as_str())
            .collect();
        let more = if drift.files.len() > TOLD || drift.is_cut {
            " and others"
        } else {
            ""
        };
        let count = words::count(drift.files.len() as u64, "file differs", "files differ");
        Some(format!(
            "- {count} from my image: {}{more}{cited}.",
            told.join(", ")
        ))
    }

    /// Where it is not what it was meant to be.
    pub(super) fn drift(&self, state: &ContainerState, book: &mut Book) -> String {
        let apart: Vec<String> = self
            .drafts
            .iter()
            .filter(|draft| {
                draft.id.ends_with(".differs")
                    || draft.id.starts_with("port.")
                    || draft.id == "env.missing"
            })
            .map(|draft| format!("- {}", draft.sentence(book)))
            .collect();
        let meant = self.observation.subject.meant.is_some();
        let opening = if !meant {
            "Ergon did not build me, so I know only my image, not what I was meant to be."
                .to_owned()
        } else if apart.is_empty() && !self.drafts.iter().any(|draft| draft.id == "files.changed") {
            let cited = book.cite(
                self.facts
                    .meant()
                    .iter()
                    .chain(std::iter::once(&self.facts.image(state))),
            );
            format!("I am what I was meant to be: image, ports, user and environment{cited}.")
        } else {
            "I am not quite what I was meant to be:".to_owned()
        };
        let files = self.changed_files(book);
        std::iter::once(opening)
            .chain(apart)
            .chain(files)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Whom it talks to, and who talks to it.
    pub(super) fn dependencies(&self, state: &ContainerState, book: &mut Book) -> String {
        let own: Vec<u16> = self
            .observation
            .listeners
            .iter()
            .flatten()
            .map(|listener| listener.port)
            .collect();
        let talking = self
            .observation
            .signals
            .connections
            .iter()
            .filter(|connection| connection.state == ConnectionState::Established)
            .filter(|connection| !connection.remote.0.is_loopback());
        let (to_me, to_others): (Vec<&Connection>, Vec<&Connection>) =
            talking.partition(|connection| own.contains(&connection.local.1));
        let mut needs: BTreeMap<String, usize> = BTreeMap::new();
        for connection in &to_others {
            let who = self.who(connection.remote.0);
            *needs
                .entry(format!("{who} (port {})", connection.remote.1))
                .or_default() += 1;
        }
        let mut needed_by: BTreeMap<String, usize> = BTreeMap::new();
        for connection in &to_me {
            let who = self.who(connection.remote.0);
            *needed_by
                .entry(format!("{who} (at my port {})", connection.local.1))
                .or_default() += 1;
        }
        let named = named_places(self.observation);
        let told = |places: &BTreeMap<String, usize>| {
            let places: Vec<String> = places
                .iter()
                .take(TOLD)
                .map(|(place, count)| {
                    format!(
                        "{place}, {}",
                        words::count(*count as u64, "connection", "connections")
                    )
                })
                .collect();
            places.join("; ")
        };
        let cited = book.cite([&self.facts.connections()]);
        let mut lines = Vec::new();
        lines.push(if needs.is_empty() {
            format!("I am connected to nobody just now{cited}.")
        } else {
            format!("I am connected to {}{cited}.", told(&needs))
        });
        if !named.is_empty() {
            let cited = book.cite([&self.facts.variables(state)]);
            lines.push(format!(
                "My environment names {}{cited}.",
                words::list(&named)
            ));
        }
        let meant = self.observation.subject.meant.as_ref();
        let declared = meant
            .and_then(crate::Meant::container)
            .map(|container| container.depends_on.clone())
            .unwrap_or_default();
        if !declared.is_empty() {
            let cited = book.cite(self.facts.meant().iter());
            lines.push(format!(
                "My manifest says that I need {}{cited}.",
                words::list(&declared)
            ));
        }
        lines.push(if needed_by.is_empty() {
            "Nobody is connected to me just now.".to_owned()
        } else {
            format!("Connected to me: {}{cited}.", told(&needed_by))
        });
        // What has not run for long, and nobody asks for, is somebody else's.
        let is_missed = |neighbour: &&Neighbour| {
            let called = |name: &String| {
                declared.contains(name)
                    || named.iter().any(|place| {
                        place == name
                            || place
                                .strip_prefix(name)
                                .is_some_and(|rest| rest.starts_with(':'))
                    })
            };
            let lately = neighbour
                .stopped_at
                .is_some_and(|at| self.observation.time.duration_since(at) < LATELY);
            !neighbour.running
                && (lately || called(&neighbour.name) || neighbour.names.iter().any(called))
        };
        let down: Vec<&Neighbour> = self
            .observation
            .neighbours
            .iter()
            .filter(is_missed)
            .collect();
        if let [first, ..] = down[..] {
            let names: Vec<&str> = down
                .iter()
                .take(TOLD)
                .map(|one| one.name.as_str())
                .collect();
            let cited = book.cite([&self.facts.neighbour(first)]);
            let do_not = if names.len() == 1 {
                "does not"
            } else {
                "do not"
            };
            lines.push(format!(
                "On my networks {} {do_not} run{cited}.",
                words::list(&names)
            ));
        }
        lines.join("\n")
    }

    fn who(&self, address: IpAddr) -> String {
        let neighbour = self
            .observation
            .neighbours
            .iter()
            .find(|neighbour| neighbour.addresses.contains(&address));
        neighbour.map_or_else(|| address.to_string(), |neighbour| neighbour.name.clone())
    }

    /// What a person can do about what was found.
    pub(super) fn advice(&self, book: &mut Book) -> String {
        let worth: Vec<String> = self
            .drafts
            .iter()
            .filter(|draft| draft.severity > Severity::Info || !self.observation.is_running())
            .filter_map(|draft| {
                let remedy = draft.remedy.as_ref()?;
                Some(format!("- {} {remedy}", draft.sentence(book)))
            })
            .collect();
        let mut told: Vec<String> = Vec::new();
        for line in worth {
            if !told.contains(&line) {
                told.push(line);
            }
        }
        match &told[..] {
            [] => "Nothing: I see nothing wrong.".to_owned(),
            [one] => one.trim_start_matches("- ").to_owned(),
            many => format!("In this order:\n{}", many.join("\n")),
        }
    }
}
