//! Who else is there: all containers of the engine, watched or not. No I/O.
//!
//! Nothing is asked before somebody wants to know; events only say of whom what is known is out of date.

use std::collections::BTreeMap;

use ergon_engine::{Attachment, ContainerState};

use crate::COMPANION_LABEL;
use crate::observation::Neighbour;

/// More neighbours are not told of.
const MOST: usize = 64;
/// Networks that connect nobody, or everybody with everything.
const NO_NETWORKS: [&str; 2] = ["host", "none"];

/// All containers of the engine.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    all: BTreeMap<String, Known>,
}

/// A container, as far as it is known.
#[derive(Debug, Default)]
struct Known {
    /// Counts what happened to it.
    version: u64,
    /// What was seen, and at which count.
    seen: Option<(u64, Attached)>,
}

/// A container and its networks.
#[derive(Debug)]
struct Attached {
    neighbour: Neighbour,
    pid: Option<u32>,
    attachments: Vec<Attachment>,
}

/// Somebody of whom nothing is known, or not the latest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub id: String,
    version: u64,
}

impl Neighbours {
    /// These are there, and no others; what was known of them may be old.
    pub(super) fn are(&mut self, ids: impl IntoIterator<Item = String>) {
        let mut before = std::mem::take(&mut self.all);
        for id in ids {
            let mut known = before.remove(&id).unwrap_or_default();
            known.version += 1;
            self.all.insert(id, known);
        }
    }

    /// Something happened to one of them.
    pub(super) fn stir(&mut self, id: &str) {
        self.all.entry(id.to_owned()).or_default().version += 1;
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.all.remove(id);
    }

    /// Of whom the engine has to be asked.
    pub(super) fn questions(&self) -> Vec<Question> {
        self.all
            .iter()
            .filter(|(_, known)| {
                known
                    .seen
                    .as_ref()
                    .is_none_or(|(version, _)| *version != known.version)
            })
            .map(|(id, known)| Question {
                id: id.clone(),
                version: known.version,
            })
            .collect()
    }

    /// What the engine said.
    pub(super) fn learn(&mut self, question: &Question, state: &ContainerState) {
        let Some(known) = self.all.get_mut(&question.id) else {
            return;
        };
        let running = state.is_running();
        let neighbour = Neighbour {
            name: state.name.clone(),
            id: state.id.clone(),
            running,
            stopped_at: state.finished_at.filter(|_| !running),
            exit_code: state.exit_code,
            oom_killed: state.oom_killed,
            companion: state.labels.get(COMPANION_LABEL).cloned(),
            ports: state.exposed.clone(),
            ..Neighbour::default()
        };
        let attached = Attached {
            neighbour,
            pid: state.pid,
            attachments: state.attachments.clone(),
        };
        known.seen = Some((question.version, attached));
    }

    /// Who shares a network with a container, with the first process of those that run.
    pub(super) fn of(&self, state: &ContainerState) -> Vec<(Neighbour, Option<u32>)> {
        let mine: Vec<&str> = state
            .attachments
            .iter()
            .map(|attachment| attachment.network.as_str())
            .filter(|network| !NO_NETWORKS.contains(network))
            .collect();
        let mut neighbours: Vec<(Neighbour, Option<u32>)> = self
            .all
            .values()
            .filter_map(|known| known.seen.as_ref().map(|(_, attached)| attached))
            .filter(|attached| attached.neighbour.id != state.id)
            .filter_map(|attached| Some((attached.to(&mine)?, attached.pid)))
            .collect();
        // Those that run, and those that ended last, matter most.
        neighbours.sort_by(|(one, _), (other, _)| {
            (other.running, other.stopped_at, &one.name).cmp(&(
                one.running,
                one.stopped_at,
                &other.name,
            ))
        });
        neighbours.truncate(MOST);
        neighbours.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        neighbours
    }
}

impl Attached {
    /// As whoever is on these networks sees it; nothing where it is on none of them.
    fn to(&self, networks: &[&str]) -> Option<Neighbour> {
        let mut shared = self
            .attachments
            .iter()
            .filter(|attachment| networks.contains(&attachment.network.as_str()))
            .peekable();
        shared.peek()?;
        let mut neighbour = self.neighbour.clone();
        neighbour.names.push(neighbour.name.clone());
        for attachment in shared {
            neighbour.addresses.extend(&attachment.addresses);
            for alias in &attachment.aliases {
                // The beginning of its id is a name too, but nobody's.
                if !neighbour.names.contains(alias) && !neighbour.id.starts_with(alias.as_str()) {
                    neighbour.names.push(alias.clone());
                }
            }
        }
        Some(neighbour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ergon_engine::Status;

    fn state(id: &str, networks: &[(&str, &[&str])], running: bool) -> ContainerState {
        ContainerState {
            id: id.to_owned(),
            name: format!("name-{id}"),
            status: if running {
                Status::Running
            } else {
                Status::Exited
            },
            exit_code: (!running).then_some(3),
            finished_at: Some(jiff::Timestamp::from_second(7).expect("a time")),
            attachments: networks
                .iter()
                .map(|(network, aliases)| Attachment {
                    network: (*network).to_owned(),
                    addresses: if running {
                        vec![[172, 18, 0, 2].into()]
                    } else {
                        Vec::new()
                    },
                    aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
                })
                .collect(),
            ..ContainerState::default()
        }
    }

    fn all(states: &[ContainerState]) -> Neighbours {
        let mut neighbours = Neighbours::default();
        neighbours.are(states.iter().map(|state| state.id.clone()));
        for question in neighbours.questions() {
            let state = states.iter().find(|state| state.id == question.id);
            neighbours.learn(&question, state.expect("asked of one that is there"));
        }
        neighbours
    }

    #[test]
    fn whoever_shares_a_network_is_a_neighbour_running_or_not() {
        let web = state("aaaa", &[("backend", &["web"]), ("host", &[])], true);
        let neighbours = all(&[
            web.clone(),
            state("bbbb", &[("backend", &["db", "bb"])], false),
            state("cccc", &[("other", &["cache"])], true),
            state("dddd", &[("host", &[])], true),
        ]);
        let found = neighbours.of(&web);
        assert_eq!(found.len(), 1, "{found:?}");
        let (database, _) = &found[0];
        assert_eq!(database.names, ["name-bbbb", "db"]);
        assert_eq!((database.running, database.exit_code), (false, Some(3)));
        assert!(database.stopped_at.is_some() && database.addresses.is_empty());
    }

    #[test]
    fn the_engine_is_asked_again_only_of_those_something_happened_to() {
        let mut neighbours = all(&[
            state("aaaa", &[], true),
            state("bbbb", &[("backend", &["db"])], true),
        ]);
        assert_eq!(neighbours.questions(), []);
        neighbours.stir("bbbb");
        let asked = neighbours.questions();
        assert_eq!(asked.len(), 1);
        // It happens again while the engine is asked: the answer may be old already.
        neighbours.stir("bbbb");
        neighbours.learn(&asked[0], &state("bbbb", &[], false));
        assert_eq!(neighbours.questions().len(), 1);
        neighbours.remove("bbbb");
        neighbours.learn(&asked[0], &state("bbbb", &[], false));
        assert_eq!(neighbours.questions(), []);
        neighbours.stir("new");
        assert_eq!(neighbours.questions().len(), 1);
    }
}
