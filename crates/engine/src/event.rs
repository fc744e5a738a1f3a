//! What happens to containers, as it happens.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;

use crate::{Engine, EngineError};

/// Something happened to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineEvent {
    pub time: Timestamp,
    /// `container`; `network` where it was connected to one, or disconnected.
    pub kind: String,
    /// `create`, `start`, `die`, `oom`, `kill`, `stop`, `destroy`, `health_status`, …
    pub action: String,
    /// What follows the action's colon: `healthy`, the command of an `exec_start`, …
    pub detail: Option<String>,
    /// The container's id.
    pub id: String,
    /// `name`, `image`, `exitCode`, `signal`, and the container's labels.
    pub attributes: BTreeMap<String, String>,
}

/// Events as they come; it ends when the engine goes away.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<EngineEvent, EngineError>> + Send>>;

impl EngineEvent {
    pub fn name(&self) -> &str {
        self.attributes.get("name").map_or("", String::as_str)
    }

    /// Of a `die`: the code process 1 ended with. (Podman spells it in its own way.)
    pub fn exit_code(&self) -> Option<i64> {
        let code = self
            .attributes
            .get("exitCode")
            .or_else(|| self.attributes.get("containerExitCode"))?;
        code.parse().ok()
    }

    /// Of a `kill`: the signal that was sent.
    pub fn signal(&self) -> Option<i32> {
        self.attributes.get("signal")?.parse().ok()
    }

    fn from_model(model: EventMessage) -> Option<Self> {
        let nanoseconds = model.time_nano.map(i128::from).or_else(|| {
            model
                .time
                .map(|seconds| i128::from(seconds) * 1_000_000_000)
        })?;
        let actor = model.actor.unwrap_or_default();
        let action = model.action?;
        let (action, detail) = match action.split_once(": ") {
            Some((action, detail)) => (action.to_owned(), Some(detail.to_owned())),
            None => (action, None),
        };
        let kind = model.typ.map(|kind| kind.to_string()).unwrap_or_default();
        let mut attributes: BTreeMap<String, String> =
            actor.attributes.unwrap_or_default().into_iter().collect();
        let id = if kind == "network" {
            // The name is the network's, not the container's.
            if let Some(network) = attributes.remove("name") {
                attributes.insert("network".to_owned(), network);
            }
            // What happens to a network itself is nobody's life.
            attributes.remove("container")?
        } else {
            actor.id.unwrap_or_default()
        };
        Some(Self {
            time: Timestamp::from_nanosecond(nanoseconds).ok()?,
            kind,
            action,
            detail,
            id,
            attributes,
        })
    }
}

impl Engine {
    /// Events of containers from now on, or from `since` (that moment included), then as they come.
    ///
    /// The engine remembers a few hundred events, so that a reader who comes back with the time of the
    /// last event it saw misses nothing.
    pub fn events(&self, since: Option<Timestamp>) -> EventStream {
        let kinds = HashMap::from([("type", vec!["container", "network"])]);
        let mut options = EventsOptionsBuilder::new().filters(&kinds);
        if let Some(since) = since {
            options = options.since(&seconds(since));
        }
        let engine = self.clone();
        let events = self.client().events(Some(options.build()));
        events
            .filter_map(move |event| {
                std::future::ready(match event {
                    Ok(model) => EngineEvent::from_model(model).map(Ok),
                    Err(error) => Some(Err(engine.wrong(error))),
                })
            })
            .boxed()
    }
}

/// The engine's way to write a moment: seconds, a point, nine digits.
fn seconds(time: Timestamp) -> String {
    format!("{}.{:09}", time.as_second(), time.subsec_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: serde_json::Value) -> Option<EngineEvent> {
        EngineEvent::from_model(serde_json::from_value(json).expect("an event message"))
    }

    #[test]
    fn a_death_tells_its_code_and_a_kill_its_signal() {
        let death = event(serde_json::json!({
            "Type": "container", "Action": "die", "time": 1, "timeNano": 1_500_000_000,
            "Actor": {"ID": "8f2c", "Attributes": {"name": "web", "exitCode": "137"}},
        }))
        .expect("an event");
        assert_eq!(
            (death.name(), death.exit_code(), death.signal()),
            ("web", Some(137), None)
        );
        assert_eq!(seconds(death.time), "1.500000000");
        let kill = event(serde_json::json!({
            "Type": "container", "Action": "kill", "time": 2, "Actor": {"ID": "8f2c", "Attributes": {"signal": "9"}},
        }))
        .expect("an event");
        assert_eq!(kill.signal(), Some(9));
    }

    #[test]
    fn a_health_status_is_split_from_its_action() {
        let health = event(serde_json::json!({
            "Type": "container", "Action": "health_status: unhealthy", "time": 2, "Actor": {"ID": "8f2c"},
        }))
        .expect("an event");
        assert_eq!(
            (health.action.as_str(), health.detail.as_deref()),
            ("health_status", Some("unhealthy"))
        );
    }

    #[test]
    fn a_networks_event_is_about_the_container_it_connects() {
        let connected = event(serde_json::json!({
            "Type": "network", "Action": "connect", "time": 2,
            "Actor": {"ID": "net", "Attributes": {"container": "8f2c", "name": "backend"}},
        }))
        .expect("an event");
        assert_eq!(
            (
                connected.kind.as_str(),
                connected.id.as_str(),
                connected.name()
            ),
            ("network", "8f2c", "")
        );
        let created = serde_json::json!({
            "Type": "network", "Action": "create", "time": 2, "Actor": {"ID": "net"},
        });
        assert_eq!(event(created), None);
    }

    #[test]
    fn an_event_without_time_or_action_is_none() {
        assert_eq!(event(serde_json::json!({"Type": "container"})), None);
    }
}
