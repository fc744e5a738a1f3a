//! What a Python program depends on, wherever that is written.

use serde_json::Value;

use super::requirements::{self, Requirement};
use crate::analysis::Topic;
use crate::ecosystem::{Report, counted};
use crate::sources::Sources;

/// Requirement files, the most usual first.
const FILES: [&str; 4] = [
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/base.txt",
];
/// No chain of includes that people write is longer.
const DEEPEST_INCLUDE: usize = 8;

/// Libraries of the system that packages load when they run.
const SYSTEM_PACKAGES: [(&str, &str); 2] = [("psycopg", "libpq5"), ("mysqlclient", "libmariadb3")];

/// The dependencies of a program.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    /// The file that lists them.
    pub file: Option<String>,
    kind: Kind,
    all: Vec<Dependency>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[default]
    None,
    Requirements,
    Project,
}

/// One dependency and where it is listed.
#[derive(Debug)]
pub(super) struct Dependency {
    pub requirement: Requirement,
    file: String,
    /// It only bounds a version.
    constraint: bool,
}

impl Dependency {
    pub fn from(&self) -> String {
        format!("{}:{}", self.file, self.requirement.line)
    }
}

impl Dependencies {
    pub fn read(sources: &Sources<'_>) -> Self {
        if let Some(file) = sources.first_of(&FILES) {
            let mut found = Self {
                file: Some(file.to_owned()),
                kind: Kind::Requirements,
                all: Vec::new(),
            };
            found.read_requirements(sources, file, false, 0);
            return found;
        }
        Self::of_project(sources).unwrap_or_default()
    }

    fn read_requirements(
        &mut self,
        sources: &Sources<'_>,
        file: &str,
        constraint: bool,
        depth: usize,
    ) {
        let Some(text) = sources.text(file).filter(|_| depth < DEEPEST_INCLUDE) else {
            return;
        };
        let listed = requirements::parse(&text);
        let own = listed.requirements.into_iter();
        self.all.extend(own.map(|requirement| Dependency {
            requirement,
            file: file.to_owned(),
            constraint,
        }));
        for include in listed.includes {
            let folder = file
                .rsplit_once('/')
                .map_or(String::new(), |(folder, _)| format!("{folder}/"));
            let path = format!("{folder}{}", include.path.trim_start_matches("./"));
            if !self.all.iter().any(|dependency| dependency.file == path) {
                self.read_requirements(sources, &path, constraint || include.constraint, depth + 1);
            }
        }
    }

    fn of_project(sources: &Sources<'_>) -> Option<Self> {
        let file = "pyproject.toml";
        let project = sources.document(file)?;
        let line = |from: String| {
            from.rsplit_once(':')
                .and_then(|(_, line)| line.parse().ok())
                .unwrap_or(1)
        };
        let mut all = Vec::new();
        let mut add = |requirement: Option<Requirement>| {
            all.extend(requirement.map(|requirement| Dependency {
                requirement,
                file: file.to_owned(),
                constraint: false,
            }));
        };
        let listed = project
            .get(&["project", "dependencies"])
            .and_then(Value::as_array);
        for (index, text) in listed.into_iter().flatten().enumerate() {
            let index = index.to_string();
            let line = line(project.from(&["project", "dependencies", &index]));
            add(text
                .as_str()
                .and_then(|text| Requirement::parse(text, line)));
        }
        for (name, value) in project
            .table(&["tool", "poetry", "dependencies"])
            .filter(|(name, _)| *name != "python")
        {
            let version = value
                .as_str()
                .or_else(|| value.get("version")?.as_str())
                .unwrap_or("");
            let exact = version.starts_with(|first: char| first.is_ascii_digit());
            let specifier = if exact {
                format!("=={version}")
            } else {
                version.to_owned()
            };
            let name = requirements::normalised(name);
            let line = line(project.from(&["tool", "poetry", "dependencies", &name]));
            add(Some(Requirement {
                name,
                extras: Vec::new(),
                specifier,
                line,
            }));
        }
        let is_package = project.get(&["build-system"]).is_some() || !all.is_empty();
        is_package.then(|| Self {
            file: Some(file.to_owned()),
            kind: Kind::Project,
            all,
        })
    }

    /// The dependency on a package, by its normalised name.
    pub fn get(&self, package: &str) -> Option<&Dependency> {
        self.all
            .iter()
            .find(|dependency| !dependency.constraint && dependency.requirement.name == package)
    }

    /// Names, and where each is listed.
    pub fn places(&self) -> impl Iterator<Item = (&str, String)> {
        let asked = self.all.iter().filter(|dependency| !dependency.constraint);
        asked.map(|dependency| (dependency.requirement.name.as_str(), dependency.from()))
    }

    pub fn install_command(&self) -> Option<String> {
        match self.kind {
            Kind::None => None,
            Kind::Requirements => Some(format!(
                "pip install --no-cache-dir -r {}",
                self.file.as_deref().unwrap_or(FILES[0])
            )),
            Kind::Project => Some("pip install --no-cache-dir .".to_owned()),
        }
    }

    pub fn system_packages(&self, report: &mut Report) -> Vec<String> {
        let mut packages = Vec::new();
        for (package, library) in SYSTEM_PACKAGES {
            let Some(dependency) = self.get(package) else {
                continue;
            };
            // The binary package brings the library with it.
            if dependency
                .requirement
                .extras
                .iter()
                .any(|extra| extra == "binary")
                || self.get("psycopg-binary").is_some()
            {
                continue;
            }
            report
                .likely(Topic::SystemPackage, library, dependency.from())
                .note(format!("{package} loads it"));
            packages.push(library.to_owned());
        }
        packages
    }

    /// Says what there is and whether it will be the same next time.
    pub fn report(&self, report: &mut Report) {
        let (Some(file), Some(command)) = (&self.file, self.install_command()) else {
            return;
        };
        let count = self
            .all
            .iter()
            .filter(|dependency| !dependency.constraint)
            .count();
        report.certain(Topic::PackageManager, "pip", file);
        report
            .certain(Topic::Dependencies, counted(count, "package"), file)
            .note(format!("listed in {file}"));
        report
            .likely(Topic::BuildCommand, command, file)
            .note(format!("pip reads {file}"));
        let open = self.all.iter().find(|dependency| {
            !dependency.constraint
                && !dependency.requirement.is_pinned()
                && !self.is_constrained(dependency)
        });
        match open {
            None if self.kind == Kind::Project && count > 0 => {
                report.likely(Topic::Pinned, "no", file).note(format!(
                    "{file} pins what it names, but nothing pins what that needs"
                ));
            }
            None => {
                report
                    .certain(Topic::Pinned, "yes", file)
                    .note(format!("every line of {file} has =="));
            }
            Some(open) => {
                let note = format!("{} in {} has no ==", open.requirement.name, open.from());
                report.certain(Topic::Pinned, "no", open.from()).note(note);
                report.ask(
                    format!(
                        "Which version of {}? {} leaves it open.",
                        open.requirement.name,
                        open.from()
                    ),
                    "pip freeze, and write the versions with ==",
                );
            }
        }
    }

    fn is_constrained(&self, dependency: &Dependency) -> bool {
        self.all.iter().any(|other| {
            other.constraint
                && other.requirement.name == dependency.requirement.name
                && other.requirement.is_pinned()
        })
    }
}
