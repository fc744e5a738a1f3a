//! What is seen of a container, as the API shows it. Pure.

use ergon_companion::observation::LogDigest;
use ergon_companion::{Diagnosis, Observation};

use super::crew::Known;
use crate::api;

/// Whether two looks show the same to a person.
pub(super) fn alike(a: &api::ContainerSummary, b: &api::ContainerSummary) -> bool {
    (&a.state, &a.wellness, &a.sentence, &a.ports) == (&b.state, &b.wellness, &b.sentence, &b.ports)
}

/// A container in a list.
pub(super) fn summary(
    known: &Known,
    observation: &Observation,
    diagnosis: &Diagnosis,
) -> api::ContainerSummary {
    let state = observation.state();
    let intent = known.intent.as_ref();
    api::ContainerSummary {
        id: known.row.id.clone(),
        name: known.row.name.clone(),
        state: state
            .map_or("unknown", |state| state.status.as_str())
            .to_owned(),
        wellness: diagnosis.wellness.as_str().to_owned(),
        sentence: diagnosis.sentence.clone(),
        companion: known.row.companion.clone(),
        image: intent
            .map(|intent| intent.image.clone())
            .or(state.map(|state| state.image.clone())),
        image_digest: intent.map(|intent| intent.image_digest.clone()),
        build_hash: intent.map(|intent| intent.build_hash.clone()),
        project_id: known.row.project_id.as_ref().map(ToString::to_string),
        ports: published(observation.published()),
        started_at: state
            .filter(|state| state.is_running())
            .and_then(|state| state.started_at)
            .map(|time| time.to_string()),
    }
}

/// So many kinds of line, and so many stack traces, are shown.
const SHOWN_TEMPLATES: usize = 40;
const SHOWN_TRACES: usize = 8;

/// What a page has room for.
pub(super) fn shortened(mut digest: LogDigest) -> LogDigest {
    digest.templates.truncate(SHOWN_TEMPLATES);
    digest.traces.truncate(SHOWN_TRACES);
    digest
}

/// Published ports, each once; the engine lists one line for each kind of address.
pub fn published(bindings: &[ergon_engine::PortBinding]) -> Vec<api::PublishedPort> {
    let mut ports: Vec<api::PublishedPort> = bindings
        .iter()
        .filter(|binding| !binding.address.contains(':'))
        .map(|binding| api::PublishedPort {
            container: binding.container,
            address: binding.address.clone(),
            host: binding.host,
        })
        .collect();
    ports.sort_by_key(|port| (port.container, port.host));
    ports.dedup();
    ports
}
