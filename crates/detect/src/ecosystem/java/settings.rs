//! Files that a framework reads at its start: `application.properties`, `application.yml`, `application.conf`.

use std::rc::Rc;

use super::reads;
use crate::ecosystem::Port;
use crate::environment::{Need, Read};
use crate::scan;
use crate::sources::Sources;

const FOLDERS: [&str; 5] = [
    "src/main/resources/",
    "src/main/resources/config/",
    "config/",
    "conf/",
    "",
];
const NAMES: [&str; 8] = [
    "application.properties",
    "application.yml",
    "application.yaml",
    "META-INF/microprofile-config.properties",
    "application.conf",
    "bootstrap.yml",
    "config.yml",
    "config.yaml",
];

/// What these files say, as far as it is known.
#[derive(Default)]
pub struct Settings {
    files: Vec<(String, Rc<str>)>,
    /// Settings by their dotted names, with `file:line`.
    values: Vec<(String, String, String)>,
}

impl Settings {
    pub fn read(sources: &Sources<'_>) -> Self {
        let mut settings = Self::default();
        for folder in FOLDERS {
            for name in NAMES {
                // Anybody's `config.yml` may lie at the root.
                let file = format!("{folder}{name}");
                if !sources.has(&file) {
                    continue;
                }
                let Some(text) = sources.text(&file) else {
                    continue;
                };
                let values = match file.rsplit_once('.').map_or("", |(_, extension)| extension) {
                    "properties" => properties(&text),
                    "conf" => hocon(&text),
                    _ => yaml(&text),
                };
                let placed = values
                    .into_iter()
                    .map(|(key, value, line)| (key, value, format!("{file}:{line}")));
                settings.values.extend(placed);
                settings.files.push((file, text));
            }
        }
        settings
    }

    /// A setting by its name, and where it stands.
    pub fn get(&self, name: &str) -> Option<(&str, &str)> {
        self.values
            .iter()
            .find(|(key, ..)| key == name)
            .map(|(_, value, from)| (value.as_str(), from.as_str()))
    }

    /// The port that one of these settings names: `8080`, `${PORT:8080}`.
    pub fn port(&self, names: &[&str]) -> Option<Port> {
        names.iter().find_map(|name| {
            // HOCON takes the last one that has a value: first the number, then `${?PORT}`.
            let said: Vec<_> = self.values.iter().filter(|(key, ..)| key == name).collect();
            let variable = said.iter().any(|(_, value, _)| value.contains("PORT"));
            said.iter().find_map(|(_, value, from)| {
                let number = match reads::placeholders(value).into_iter().next() {
                    Some((_, Need::Default(default))) => scan::port(&default)?,
                    Some(_) => return None,
                    None => scan::port(value)?,
                };
                Some(if variable {
                    Port::fallback(number, from)
                } else {
                    Port {
                        why: format!("{name} says so"),
                        ..Port::written(number, from)
                    }
                })
            })
        })
    }

    /// The variables that stand in these files.
    pub fn environment(&self) -> Vec<Read> {
        let lines = self.files.iter().flat_map(|(file, text)| {
            text.lines()
                .enumerate()
                .filter(|(_, line)| {
                    line.contains("${") && !line.trim_start().starts_with(['#', '/'])
                })
                .map(move |(index, line)| (format!("{file}:{}", index + 1), line))
        });
        let reads = lines.flat_map(|(from, line)| {
            reads::placeholders(line)
                .into_iter()
                .map(move |(name, need)| Read {
                    name: name.to_owned(),
                    need,
                    from: from.clone(),
                })
                .collect::<Vec<_>>()
        });
        reads.collect()
    }
}

type Values = Vec<(String, String, usize)>;

fn properties(text: &str) -> Values {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim_start().starts_with(['#', '!']))
        .filter_map(|(index, line)| {
            let (key, value) = line.split_once(['=', ':'])?;
            Some((key.trim().to_owned(), value.trim().to_owned(), index + 1))
        })
        .collect()
}

/// The plain settings of a YAML file, by indentation alone: what is there may be a template of several
/// documents, which no reader of YAML takes before it is filled in.
fn yaml(text: &str) -> Values {
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut values = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let content = line.trim().trim_start_matches("- ");
        if content.starts_with('#') || line.starts_with("---") {
            continue;
        }
        let Some((key, value)) = content.split_once(':') else {
            continue;
        };
        above.retain(|(depth, _)| *depth < indent);
        let path = above.iter().map(|(_, key)| key.as_str());
        let name = path.chain([key.trim()]).collect::<Vec<_>>().join(".");
        let value = value.split(" #").next().unwrap_or("").trim();
        if value.is_empty() {
            if above.len() < 32 {
                above.push((indent, key.trim().to_owned()));
            }
        } else {
            let value = value.trim_matches(['"', '\'']).to_owned();
            values.push((name, value, index + 1));
        }
    }
    values
}

/// The plain settings of a HOCON file: `a { b.c = 1 }`.
fn hocon(text: &str) -> Values {
    let mut above: Vec<String> = Vec::new();
    let mut values = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let content = line.trim();
        if content.starts_with(['#', '/']) {
            continue;
        }
        // `port = ${?PORT}` has braces of its own.
        let opens = content.ends_with('{');
        if opens {
            let key = content.trim_end_matches(['{', ' ', '=', ':']);
            if above.len() < 32 {
                above.push(key.trim().to_owned());
            }
        } else if content.starts_with('}') {
            above.pop();
        } else if let Some((key, value)) = content.split_once(['=', ':']) {
            let path = above.iter().map(String::as_str);
            let name = path.chain([key.trim()]).collect::<Vec<_>>().join(".");
            let value = value.trim().trim_matches('"').to_owned();
            values.push((name, value, index + 1));
        }
    }
    values
}
