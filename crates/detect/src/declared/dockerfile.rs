//! A `Dockerfile` that the project has already: what its image starts from, what it starts, its ports.

mod reader;
mod stage;

pub(super) use self::stage::health_path;
use self::stage::{Stage, stages};
use super::{Above, Declared, Said, Weight, images, in_words};
use crate::dockerfile::HEADER;
use crate::ecosystem::Claim;
use crate::sources::Sources;

const FILES: [&str; 3] = ["Dockerfile", "dockerfile", "Containerfile"];

pub(super) fn read(sources: &Sources<'_>, declared: &mut Declared) {
    let Some((file, text)) = FILES
        .iter()
        .find_map(|file| Some((*file, own(sources, file)?)))
    else {
        return;
    };
    read_as(sources, file, &text, None, declared);
}

/// For a program in a folder, the versions that the project's own Dockerfile names.
pub(super) fn read_above(sources: &Sources<'_>, declared: &mut Declared) {
    let above = Above::of(sources);
    let text = sources.root_file("Dockerfile");
    let Some(text) = text.filter(|text| !sources.folder().is_empty() && !text.starts_with(HEADER))
    else {
        return;
    };
    for stage in stages(&text).iter().rev() {
        if let Some((runtime, version)) = images::runtime(&stage.image) {
            let from = above.place(&format!("Dockerfile:{}", stage.line));
            let claim = Claim::exactly(version, from);
            declared.versions.push((runtime.to_owned(), claim));
        }
    }
}

/// The text of a Dockerfile; none of one that Ergon wrote, which says nothing that is not known.
fn own(sources: &Sources<'_>, file: &str) -> Option<String> {
    let text = if file == "Dockerfile" && sources.folder().is_empty() {
        sources.own_file(file)?
    } else {
        sources.has(file).then(|| sources.text(file))??.to_string()
    };
    (!text.starts_with(HEADER)).then_some(text)
}

/// A Dockerfile by another name, or for one of its stages, as a compose file names them.
pub(super) fn read_named(
    sources: &Sources<'_>,
    file: &str,
    target: Option<&str>,
    declared: &mut Declared,
) {
    if let Some(text) = own(sources, file) {
        read_as(sources, file, &text, target, declared);
    }
}

fn read_as(
    sources: &Sources<'_>,
    file: &str,
    text: &str,
    target: Option<&str>,
    declared: &mut Declared,
) {
    let stages = stages(text);
    let place = |line: usize| format!("{file}:{line}");
    // The image that is started says it better than the one that builds.
    for stage in stages.iter().rev() {
        if let Some((runtime, version)) = images::runtime(&stage.image) {
            let claim = Claim::exactly(version, place(stage.line));
            declared.versions.push((runtime.to_owned(), claim));
        }
    }
    let named = target.and_then(|target| {
        stages
            .iter()
            .rposition(|stage| stage.name.as_deref() == Some(target))
    });
    let Some(last) = named.or(stages.len().checked_sub(1)) else {
        return;
    };
    let stage = &stages[last];
    if let Some((command, line)) = stage.command()
        && let Some(command) = settle(sources, stage, command)
        && let Some(start) = declared.start(&command, place(line), &format!("the {file}"))
    {
        start.weight = Weight::Evidence;
    }
    for (number, line) in &stage.ports {
        declared.ports.push(Said::new(*number, place(*line)));
    }
    for (path, line) in &stage.volumes {
        declared
            .volumes
            .push(Said::new(path.as_str(), place(*line)));
    }
    if let Some((path, line)) = &stage.health {
        declared.health.push(Said::new(path.as_str(), place(*line)));
    }
    for (name, value, line) in &stage.env {
        let of_tools = ["PATH", "DEBIAN_FRONTEND", "LANG", "LC_ALL", "HOME"];
        if !of_tools.contains(&name.as_str()) && !name.starts_with("PIP_") {
            let value = (!value.contains('$')).then(|| value.clone());
            declared.variable(name, value, place(*line), "the Dockerfile");
        }
    }
    if declared.image.is_none() && stage.image != "scratch" && images::is_plain(&stage.image) {
        for (files, to, line) in &stage.copies {
            let copy = (files.clone(), to.clone());
            declared.copies.push(Said::new(copy, place(*line)));
        }
        declared.ran = stage.ran.map(place);
        declared.image = Some(Said::new(stage.image.as_str(), place(stage.line)));
    }
}

/// What is started, seen from the program's folder instead of the image's.
fn settle(sources: &Sources<'_>, stage: &Stage, command: stage::Command) -> Option<String> {
    let line = match command {
        stage::Command::Line(line) => line,
        stage::Command::Words(words) => in_words(&without_wrappers(words)),
    };
    let mut places = Vec::new();
    let workdir = stage.workdir.trim_end_matches('/');
    if !workdir.is_empty() {
        places.push(format!("{workdir}/"));
    }
    // Where the sources were put, when that is not where the program is started.
    places.extend(
        stage
            .copied_to
            .iter()
            .map(|to| format!("{}/", to.trim_end_matches('/'))),
    );
    let words: Vec<_> = line
        .split(' ')
        .map(|word| {
            let inner = places
                .iter()
                .find_map(|place| word.strip_prefix(place.as_str()));
            match inner {
                Some(inner) if sources.has(inner) => inner.to_owned(),
                _ => word.to_owned(),
            }
        })
        .collect();
    let line = words.join(" ");
    (!line.trim().is_empty()).then_some(line)
}

/// Without what only passes signals on, or waits for others.
fn without_wrappers(words: Vec<String>) -> Vec<String> {
    const WRAPPERS: [&str; 4] = ["tini", "dumb-init", "su-exec", "gosu"];
    let mut words = words;
    while let Some(first) = words.first() {
        let name = first.rsplit('/').next().unwrap_or(first).to_owned();
        if words.len() < 2 || !WRAPPERS.contains(&name.as_str()) {
            break;
        }
        words.remove(0);
        if matches!(name.as_str(), "su-exec" | "gosu") {
            words.remove(0);
        }
        while words.len() > 1 && words[0].starts_with('-') {
            words.remove(0);
        }
    }
    words
}
