//! Questions that an `ergon.json` of the project's own has answered: builds use that one.

use ergon_manifest::{Application, Manifest};

use crate::analysis::{Analysis, Question};
use crate::sources::Sources;

const FILE: &str = "ergon.json";

/// Takes away what is asked for to be written into the manifest, where the project has one that says it.
pub fn by_manifest(sources: &Sources<'_>, analysis: &mut Analysis) {
    let asks = |question: &Question| question.remedy.contains(FILE);
    if !analysis.questions.iter().any(asks) {
        return;
    }
    let written = sources
        .root_file(FILE)
        .and_then(|text| ergon_manifest::check(&text).ok());
    let Some(written) = written.map(|document| document.manifest) else {
        return;
    };
    let detected = &analysis.manifest;
    analysis
        .questions
        .retain(|question| !asks(question) || !answers(&written, detected, question));
}

/// Whether everything that a question wants to have written is there, and for each program that is asked about.
fn answers(written: &Manifest, detected: &Manifest, question: &Question) -> bool {
    let about = question.application.as_deref();
    let about = about.and_then(|name| written.applications.get(name));
    let applications: Vec<&Application> = match about {
        Some(application) => vec![application],
        None => written.applications.values().collect(),
    };
    let remedy = &question.remedy;
    if remedy.contains("applications") || remedy.contains("an application") {
        return written.applications.len() > detected.applications.len();
    }
    let all = |has: fn(&Application) -> bool| applications.iter().all(|one| has(one));
    let wanted: [(&str, bool); 4] = [
        ("run_command", all(|one| one.run_command.is_some())),
        ("build_commands", all(|one| !one.build_commands.is_empty())),
        (
            "system_packages",
            all(|one| !one.system_packages.is_empty()),
        ),
        (
            "base_image",
            written
                .containers
                .values()
                .all(|container| !container.base_image.is_empty()),
        ),
    ];
    let mut named = wanted.iter().filter(|(field, _)| remedy.contains(field));
    let mut is_named = false;
    named.all(|(_, is_there)| {
        is_named = true;
        *is_there
    }) && is_named
        && !applications.is_empty()
}
