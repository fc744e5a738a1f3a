//! Compose files: which folders are built, and what each of them is given and talks to.

use serde_json::Value;

use super::{Above, Declared, Said, Weight, command, dockerfile, images, plain, texts};
use crate::document::Document;
use crate::scan;
use crate::sources::Sources;

const FILES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
];
/// A file with more services was not written by a person.
const MOST: usize = 100;

/// A project's compose file.
pub struct Compose {
    document: Document,
    services: Vec<Service>,
}

/// One of its services.
pub struct Service {
    pub name: String,
    /// The folder that is built, relative to the project; none where an image is taken as it is.
    pub folder: Option<String>,
    dockerfile: Option<String>,
    target: Option<String>,
    image: Option<String>,
}

impl Compose {
    /// The compose file at a project's root.
    pub fn read(root: &Sources<'_>) -> Option<Self> {
        let document = root.document(root.first_of(&FILES)?)?;
        let services = document
            .table(&["services"])
            .filter(|(_, value)| value.is_object())
            .take(MOST)
            .map(|(name, value)| {
                let mut service = Service::read(name, value);
                let keys = ["services", name, "build"];
                service.leave_out_missing(root, &document.from(&keys));
                service
            })
            .collect();
        Some(Self { document, services })
    }

    /// The services that are built, those that people talk to first.
    pub fn built(&self) -> Vec<&Service> {
        let mut built: Vec<_> = self
            .services
            .iter()
            .filter(|service| service.folder.is_some())
            .collect();
        built.sort_by_key(|service| self.get(service, "ports").is_none());
        built
    }

    /// The names of those that a service must wait for, or is linked to, each with its place.
    pub fn waits_for(&self, service: &Service) -> Vec<(String, String)> {
        let mut names = Vec::new();
        for key in ["depends_on", "links"] {
            let Some(value) = self.get(service, key) else {
                continue;
            };
            let from = self.from(service, &[key]);
            match value {
                Value::Object(table) => {
                    names.extend(
                        table
                            .keys()
                            .map(|name| (name.clone(), self.from(service, &[key, name]))),
                    );
                }
                value => names.extend(texts(value).into_iter().map(|name| {
                    let name = name.split(':').next().unwrap_or("").to_owned();
                    (name, from.clone())
                })),
            }
        }
        names
    }

    /// The variables that a service is given, each with its place.
    pub fn variables(&self, service: &Service) -> Vec<(String, String, String)> {
        match self.get(service, "environment") {
            Some(Value::Object(table)) => table
                .iter()
                .map(|(name, value)| {
                    let from = self.from(service, &["environment", name]);
                    let value = plain(value).unwrap_or_default();
                    (name.clone(), value, from)
                })
                .collect(),
            Some(Value::Array(list)) => list
                .iter()
                .enumerate()
                .filter_map(|(index, entry)| {
                    let entry = entry.as_str()?;
                    let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
                    let from = self.from(service, &["environment", &index.to_string()]);
                    Some((name.to_owned(), value.to_owned(), from))
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The command that a service is started with, and its place.
    fn command(&self, service: &Service) -> Option<(String, String)> {
        let words = self.get(service, "command").and_then(command)?;
        // `$$` is a dollar that is left to the shell.
        let words = words.replace("$$", "$");
        Some((words, self.from(service, &["command"])))
    }

    /// Whether a service is started otherwise than another one of the same folder.
    pub fn has_command(&self, service: &Service) -> bool {
        self.command(service).is_some()
    }

    /// Whether anybody is told where a service listens.
    pub fn is_reached(&self, service: &Service) -> bool {
        !self.ports(service).is_empty()
    }

    /// Puts what is said of a service to what is declared for it; its own command tells it from others of
    /// the same folder where it is `one_of_several`.
    pub fn declare(
        &self,
        service: &Service,
        one_of_several: bool,
        sources: &Sources<'_>,
        declared: &mut Declared,
    ) {
        let above = Above::of(sources);
        let place = |from: String| above.place(&from);
        let by = "the compose file";
        if let Some(file) = &service.dockerfile {
            dockerfile::read_named(sources, file, service.target.as_deref(), declared);
        }
        if let Some((command, from)) = self.command(service)
            && let Some(start) = declared.start(&command, place(from), by)
        {
            start.weight = if one_of_several {
                Weight::Written
            } else {
                Weight::Evidence
            };
            // What is started there goes before what the image starts by itself.
            if let Some(start) = declared.starts.pop() {
                declared.starts.insert(0, start);
            }
        }
        let ports = self.ports(service).into_iter();
        let ports = ports.map(|port| Said {
            from: place(port.from),
            ..port
        });
        declared.ports.splice(0..0, ports);
        for (name, value, from) in self.variables(service) {
            if name == "PORT"
                && let Some(number) = scan::port(&value)
            {
                declared.port_variable = Some(Said::new(number, place(from.clone())));
            }
            declared.variable(&name, None, place(from), by);
        }
        for (path, from) in self.volumes(service) {
            declared.volumes.push(Said::new(path, place(from)));
        }
        let test = self
            .get(service, "healthcheck")
            .and_then(|check| check.get("test"));
        if let Some(path) = test
            .and_then(command)
            .and_then(|test| dockerfile::health_path(&test))
        {
            let from = place(self.from(service, &["healthcheck", "test"]));
            declared.health.insert(0, Said::new(path, from));
        }
        for other in self.talks_to(service) {
            if let Some(id) = other.image.as_deref().and_then(images::service) {
                let from = place(self.from(other, &["image"]));
                declared.services.push(Said::new(id, from));
            }
        }
    }

    /// The services beside it that a service talks to.
    fn talks_to(&self, service: &Service) -> Vec<&Service> {
        let waits = self.waits_for(service);
        let variables = self.variables(service);
        let only_one = self.built().len() == 1;
        let nothing_said = waits.is_empty();
        self.services
            .iter()
            .filter(|other| other.image.is_some() && other.name != service.name)
            .filter(|other| {
                waits.iter().any(|(name, _)| *name == other.name)
                    || variables
                        .iter()
                        .any(|(_, value, _)| names_host(value, &other.name))
                    || (only_one && nothing_said)
            })
            .collect()
    }

    fn ports(&self, service: &Service) -> Vec<Said<u16>> {
        let mut ports: Vec<Said<u16>> = Vec::new();
        for key in ["ports", "expose"] {
            let list = self.get(service, key).and_then(Value::as_array);
            for (index, entry) in list.into_iter().flatten().enumerate() {
                let number = match entry.get("target") {
                    Some(target) => super::port(target),
                    None => plain(entry).and_then(|entry| container_port(&entry)),
                };
                let from = self.from(service, &[key, &index.to_string()]);
                if let Some(number) = number
                    && !ports.iter().any(|port| port.value == number)
                {
                    ports.push(Said::new(number, from));
                }
            }
        }
        ports
    }

    /// Where a service keeps what outlives it; a folder of the project that it is shown is none.
    fn volumes(&self, service: &Service) -> Vec<(String, String)> {
        let list = self.get(service, "volumes").and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .enumerate()
            .filter_map(|(index, entry)| {
                let path = match entry.as_str() {
                    Some(short) => {
                        let (source, target) = short.split_once(':')?;
                        let named = !source.starts_with(['.', '/', '~', '$']);
                        named.then(|| target.split(':').next().unwrap_or(target).to_owned())?
                    }
                    None if entry.get("type")?.as_str()? == "volume" => {
                        entry.get("target")?.as_str()?.to_owned()
                    }
                    None => return None,
                };
                // Dependencies that are kept from a folder that is shown are the image's own.
                let is_data = !path.ends_with("node_modules") && !path.contains("/.venv");
                let from = self.from(service, &["volumes", &index.to_string()]);
                is_data.then_some((path, from))
            })
            .collect()
    }

    fn get(&self, service: &Service, key: &str) -> Option<&Value> {
        self.document
            .get(&["services", &service.name, key])
            .filter(|value| !value.is_null())
    }

    /// `file:line`, as the project has it.
    fn from(&self, service: &Service, keys: &[&str]) -> String {
        let keys: Vec<&str> = ["services", &service.name]
            .into_iter()
            .chain(keys.iter().copied())
            .collect();
        self.document.from(&keys)
    }
}

impl Service {
    fn read(name: &str, value: &Value) -> Self {
        let build = value.get("build");
        let text = |key: &str| build.and_then(|build| build.get(key)?.as_str());
        let context = match build {
            Some(Value::String(context)) => Some(context.as_str()),
            Some(Value::Object(_)) => Some(text("context").unwrap_or(".")),
            _ => None,
        };
        let mut folder = context.and_then(folder);
        let mut dockerfile = text("dockerfile")
            .map(|file| file.trim_start_matches("./").to_owned())
            .filter(|file| !file.starts_with(['.', '/']));
        // The project is the context, but only a folder of it is built.
        if folder.as_deref() == Some("")
            && let Some((inner, file)) =
                dockerfile.as_deref().and_then(|file| file.rsplit_once('/'))
            && !matches!(inner, "docker" | ".docker" | "deploy" | "build" | "infra")
        {
            folder = Some(inner.to_owned());
            dockerfile = Some(file.to_owned());
        }
        Self {
            name: name.to_owned(),
            folder,
            dockerfile,
            target: text("target").map(str::to_owned),
            image: value
                .get("image")
                .and_then(Value::as_str)
                .filter(|_| build.is_none())
                .map(str::to_owned),
        }
    }
}

impl Service {
    /// What is not there cannot be built: it is asked for, and no program is made of it.
    fn leave_out_missing(&mut self, root: &Sources<'_>, from: &str) {
        let Some(folder) = self.folder.clone().filter(|folder| !folder.is_empty()) else {
            return;
        };
        if root.is_there(&folder) {
            return;
        }
        self.folder = None;
        // What an installer brings is somebody else's, as is the image that is made of it.
        if !folder.starts_with("vendor/") && !folder.starts_with("node_modules/") {
            root.problem(
                format!(
                    "{from} builds {folder}, which is not there; the service {} was passed over.",
                    self.name
                ),
                format!("correct {from}"),
            );
        }
    }
}

/// A context as a folder of the project; none outside of it.
fn folder(context: &str) -> Option<String> {
    let elements: Vec<_> = context
        .split('/')
        .filter(|element| !matches!(*element, "" | "."))
        .collect();
    let outside =
        context.starts_with(['/', '~', '$']) || context.contains("://") || elements.contains(&"..");
    (!outside).then(|| elements.join("/"))
}

/// `8000:80`, `127.0.0.1:8000:80/tcp`, `${PORT:-8000}:80`, `80`.
fn container_port(entry: &str) -> Option<u16> {
    let entry = entry.split('/').next().unwrap_or(entry);
    if let Some(inside) = entry.strip_suffix('}') {
        let (_, default) = inside.rsplit_once(":-")?;
        return scan::port(default);
    }
    let last = entry.rsplit(':').next().unwrap_or(entry);
    scan::port(last.split('-').next().unwrap_or(last))
}

/// Whether an address in a value has this host: `redis://cache:6379/0`, `cache:6379`, `cache`.
pub fn names_host(value: &str, host: &str) -> bool {
    if host.is_empty() {
        return false;
    }
    value.match_indices(host).any(|(at, _)| {
        let before = value[..at].chars().next_back();
        let behind = value[at + host.len()..].chars().next();
        matches!(before, None | Some('/' | '@' | ',' | ' ' | '('))
            && matches!(behind, None | Some(':' | '/' | ',' | ' ' | ')'))
            && (before.is_some() || !matches!(behind, Some('/')))
    })
}
