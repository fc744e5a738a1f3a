//! What the program needs from elsewhere, and does not get: joined with what is known of its neighbours.

use std::net::IpAddr;

use super::causes::Cause;
use super::{Draft, Look, Severity};
use crate::Observation;
use crate::evidence::Fact;
use crate::observation::{ConnectionState, Neighbour};
use crate::symptom::{Symptom, Trouble};
use crate::words;

/// Somewhere else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    host: Option<String>,
    port: Option<u16>,
}

impl Place {
    fn told(&self) -> String {
        match (&self.host, self.port) {
            (Some(host), Some(port)) if host.contains(':') => format!("[{host}]:{port}"),
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.clone(),
            (None, Some(port)) => format!("port {port}"),
            (None, None) => "what it needs".to_owned(),
        }
    }

    fn is_itself(&self) -> bool {
        self.host.as_deref().is_some_and(|host| {
            host == "localhost"
                || host
                    .parse()
                    .is_ok_and(|address: IpAddr| address.is_loopback())
        })
    }
}

impl Look<'_> {
    /// Another side that cannot be reached.
    pub(super) fn elsewhere(&self, symptom: &Symptom) -> Cause {
        let place = self.place(symptom);
        let neighbour = self.neighbour(&place);
        if let Some(neighbour) = neighbour.filter(|neighbour| !neighbour.running) {
            return self.down(&place, neighbour);
        }
        let told = place.told();
        let facts: Vec<Fact> = neighbour
            .map(|neighbour| self.facts.neighbour(neighbour))
            .into_iter()
            .chain(self.facts.attempts(place.port))
            .collect();
        let cause = |id, clause, remedy: String| Cause {
            id,
            clause,
            facts: facts.clone(),
            remedy,
        };
        match symptom.trouble {
            Trouble::Name => self.name(&place),
            Trouble::Refused if place.is_itself() => cause(
                "dependency.refused",
                format!("nothing takes connections at {told}, which is the container itself"),
                "In a container `localhost` is that container: name the other one instead."
                    .to_owned(),
            ),
            Trouble::Refused => {
                let instead = neighbour
                    .filter(|neighbour| {
                        place
                            .port
                            .is_some_and(|port| !neighbour.ports.contains(&port))
                    })
                    .map(|neighbour| match &neighbour.ports[..] {
                        [] => format!("; {} runs, and listens on no port yet", neighbour.name),
                        ports => {
                            let ports: Vec<String> =
                                ports.iter().map(ToString::to_string).collect();
                            format!(
                                "; {} runs, and listens on {}",
                                neighbour.name,
                                words::list(&ports)
                            )
                        }
                    })
                    .unwrap_or_default();
                cause(
                    "dependency.refused",
                    format!("nothing takes connections at {told}{instead}"),
                    format!(
                        "See whether {told} runs and listens there, and whether the address is right."
                    ),
                )
            }
            Trouble::Unreachable => cause(
                "dependency.unreachable",
                format!("there is no way to {told}"),
                "See whether both are on one network, and what stands between them.".to_owned(),
            ),
            _ => cause(
                "dependency.slow",
                format!("{told} does not answer in time"),
                format!(
                    "See what {told} is busy with, and whether something between drops what is sent."
                ),
            ),
        }
    }

    /// What the complaint names; where it names nothing, the one thing that it tries to reach.
    fn place(&self, symptom: &Symptom) -> Place {
        let mut place = Place {
            host: symptom.what.clone(),
            port: symptom.port,
        };
        if place.host.is_some() {
            return place;
        }
        let mut attempts: Vec<(IpAddr, u16)> = self
            .observation
            .signals
            .connections
            .iter()
            .filter(|one| one.state == ConnectionState::SynSent)
            .map(|one| one.remote)
            .collect();
        attempts.dedup();
        if let [(address, port)] = attempts[..] {
            place.host = Some(address.to_string());
            place.port = place.port.or(Some(port));
            return place;
        }
        let named = places_in_environment(self.observation);
        let fits = |one: &&Place| place.port.is_none() || one.port == place.port;
        // Of several that it could mean, the one that does not run.
        let candidates: Vec<&Place> = named.iter().filter(fits).collect();
        let down = candidates.iter().find(|candidate| {
            self.neighbour(candidate)
                .is_some_and(|neighbour| !neighbour.running)
        });
        match (&candidates[..], down) {
            (_, Some(down)) => (**down).clone(),
            ([only], None) => (*only).clone(),
            _ => place,
        }
    }

    fn neighbour(&self, place: &Place) -> Option<&Neighbour> {
        let host = place.host.as_deref()?;
        let address: Option<IpAddr> = host.parse().ok();
        self.observation.neighbours.iter().find(|neighbour| {
            neighbour.name == host
                || neighbour.names.iter().any(|name| name == host)
                || address.is_some_and(|address| neighbour.addresses.contains(&address))
        })
    }

    /// A neighbour that does not run.
    fn down(&self, place: &Place, neighbour: &Neighbour) -> Cause {
        let mut how = String::new();
        if let Some(stopped) = neighbour.stopped_at {
            let ago = words::duration(self.observation.time.duration_since(stopped));
            how.push_str(&format!(" for {ago}"));
        }
        match (neighbour.exit_code, neighbour.oom_killed) {
            (_, true) => how.push_str(" (out of memory)"),
            (Some(code), false) => how.push_str(&format!(" (exit {code})")),
            (None, false) => {}
        }
        let told = place.told();
        let named = if told == neighbour.name {
            String::new()
        } else {
            format!(", which it needs at {told},")
        };
        let remedy = match &neighbour.companion {
            Some(companion) => format!(
                "Ask `aish {companion} \"what happened?\"`, and start it with `docker start {}`.",
                neighbour.name
            ),
            None => format!("Start it with `docker start {}`.", neighbour.name),
        };
        Cause {
            id: "dependency.down",
            clause: format!("{}{named} does not run{how}", neighbour.name),
            facts: vec![self.facts.neighbour(neighbour)],
            remedy,
        }
    }

    /// A name that cannot be resolved.
    fn name(&self, place: &Place) -> Cause {
        let network = self
            .observation
            .state()
            .map_or("", |state| state.network_mode.as_str());
        let host = place.host.as_deref();
        let told = host.map_or_else(
            || "a name".to_owned(),
            |host| format!("the name \"{host}\""),
        );
        let on_default =
            matches!(network, "default" | "bridge") && host.is_some_and(|host| !host.contains('.'));
        let why = if on_default {
            "; the engine's default network knows no names of containers"
        } else {
            ""
        };
        let remedy = if on_default {
            "Put both containers on a network of their own (`docker network create …`), where they know each other by name."
        } else if network == "none" {
            "Give it a network: it was started without one."
        } else {
            "See whether the name is right, whether both are on one network, and whether a name server answers."
        };
        Cause {
            id: "dns.failed",
            clause: format!("{told} cannot be resolved{why}"),
            facts: self
                .observation
                .state()
                .map(|state| self.facts.network(state))
                .into_iter()
                .collect(),
            remedy: remedy.to_owned(),
        }
    }

    /// Connections that were asked for and nobody answers, though the program has not complained.
    pub(super) fn unanswered(&self) -> Option<Draft> {
        let waiting: Vec<_> = self
            .observation
            .signals
            .connections
            .iter()
            .filter(|one| one.state == ConnectionState::SynSent)
            .collect();
        let first = waiting.first()?;
        let same = waiting
            .iter()
            .filter(|one| one.remote == first.remote)
            .count();
        // One may just be on its way.
        if same < 2 {
            return None;
        }
        let place = Place {
            host: Some(first.remote.0.to_string()),
            port: Some(first.remote.1),
        };
        let text = format!(
            "{same} connections to {} wait for an answer that does not come",
            place.told()
        );
        let mut draft = Draft::new("dependency.slow", Severity::Warning, text)
            .because(self.facts.attempts(place.port))
            .remedy("See whether it runs, and what drops what is sent to it.");
        draft.clause = Some(format!("{} does not answer", place.told()));
        Some(draft)
    }
}

/// Other sides that its environment names, as `db:5432`; never what stands beside them.
pub(crate) fn named_places(observation: &Observation) -> Vec<String> {
    let places = places_in_environment(observation);
    let mut told: Vec<String> = places.iter().map(Place::told).collect();
    told.sort();
    told.dedup();
    told
}

/// Hosts and ports that the environment names: in URLs, and in pairs of `…_HOST` and `…_PORT`.
fn places_in_environment(observation: &Observation) -> Vec<Place> {
    let Some(state) = observation.state() else {
        return Vec::new();
    };
    let mut places = Vec::new();
    for (name, value) in &state.env {
        if let Some((_, rest)) = value.split_once("://") {
            let authority = rest.split(['/', '?', '#', ',']).next().unwrap_or(rest);
            let host = authority.rsplit('@').next().unwrap_or(authority);
            let (host, port) = match host.rsplit_once(':') {
                Some((host, port)) => (host, port.parse().ok()),
                None => (host, None),
            };
            let port = port.or_else(|| usual_port(value.split("://").next().unwrap_or("")));
            if !host.is_empty() {
                places.push(Place {
                    host: Some(host.to_owned()),
                    port,
                });
            }
        } else if let Some(stem) = name.strip_suffix("_HOST")
            && !value.is_empty()
        {
            let port = state.env.get(&format!("{stem}_PORT"));
            places.push(Place {
                host: Some(value.clone()),
                port: port.and_then(|port| port.parse().ok()),
            });
        }
    }
    places.retain(|place| !place.is_itself());
    places.dedup();
    places
}

/// Ports that URLs leave out.
fn usual_port(scheme: &str) -> Option<u16> {
    Some(match scheme.split('+').next().unwrap_or(scheme) {
        "http" | "ws" => 80,
        "https" | "wss" => 443,
        "postgres" | "postgresql" => 5432,
        "mysql" | "mariadb" => 3306,
        "redis" => 6379,
        "amqp" => 5672,
        "mongodb" => 27017,
        "nats" => 4222,
        _ => return None,
    })
}
