//! A `Dockerfile` that the project has already: what its image starts from, what it starts, its ports.

mod reader;
mod stage;

pub(super) use self::stage::health_path;
use self::stage::{Stage, stages};
use super::{Above, Declared, Said, Weight, images, in_words};
use crate::dockerfile::HEADER;
use crate::ecosystem::Claim;
use crate::scan;
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
        && let Some((command, left)) = settle(sources, stage, command)
        && let Some(start) = declared.start(&command, place(line), &format!("the {file}"))
    {
        start.weight = Weight::Evidence;
        start.note = left.map(|left| format!("what {left} does before it is left out"));
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
            if name == "PORT"
                && let Some(number) = value.as_deref().and_then(scan::port)
            {
                declared.port_variable = Some(Said::new(number, place(*line)));
            }
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

/// What is started, seen from the program's folder instead of the image's, and the script that went before it.
fn settle(
    sources: &Sources<'_>,
    stage: &Stage,
    command: stage::Command,
) -> Option<(String, Option<String>)> {
    let mut left = None;
    let line = match command {
        stage::Command::Line(line) => line,
        stage::Command::Words(words) => {
            let mut words = without_wrappers(words);
            if let Some(script) = preparing(sources, stage, &words) {
                left = Some(script);
                words.remove(0);
            }
            in_words(&words)
        }
    };
    let words: Vec<_> = line
        .split(' ')
        .enumerate()
        .map(|(index, word)| match inside(sources, stage, word) {
            // Only a path is started from the program's folder.
            Some(inner) if index == 0 && !inner.contains('/') => format!("./{inner}"),
            Some(inner) => inner,
            None => word.to_owned(),
        })
        .collect();
    let line = words.join(" ");
    (!line.trim().is_empty()).then_some((line, left))
}

/// The project's script that an image starts with, where that goes on with what it is given: it does for the image
/// what only root may do there, or waits for others.
fn preparing(sources: &Sources<'_>, stage: &Stage, words: &[String]) -> Option<String> {
    let script = inside(sources, stage, words.first()?)?;
    let text = sources.text(&script)?;
    let goes_on = ["exec \"$@\"", "exec \"${@}\""]
        .iter()
        .any(|line| text.contains(line));
    (goes_on && words.len() > 1).then_some(script)
}

/// The project's file that lies at a place of the image.
fn inside(sources: &Sources<'_>, stage: &Stage, word: &str) -> Option<String> {
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
    let below = places
        .iter()
        .find_map(|place| word.strip_prefix(place.as_str()))
        .filter(|inner| sources.has(inner));
    if let Some(inner) = below {
        return Some(inner.to_owned());
    }
    let mut copies = stage.copies.iter();
    copies.find_map(|(files, to, _)| {
        let own = files.iter().find_map(|file| {
            let name = file.rsplit('/').next().unwrap_or(file);
            let is_it = to == word || format!("{}/{name}", to.trim_end_matches('/')) == word;
            is_it.then(|| own_path(sources, file)).flatten()
        });
        own.filter(|own| sources.has(own))
    })
}

/// A path of the image's context as the program's folder has it; the context may be the project's root.
fn own_path(sources: &Sources<'_>, path: &str) -> Option<String> {
    let path = path.trim_start_matches("./").trim_start_matches('/');
    if sources.has(path) {
        return Some(path.to_owned());
    }
    let below = path.strip_prefix(sources.folder())?.strip_prefix('/')?;
    Some(below.to_owned())
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
