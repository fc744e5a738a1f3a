//! What a Python program depends on, wherever that is written, and what installs it.

use serde_json::Value;

use super::lock;
use super::manager::{Install, Manager};
use super::metadata::Metadata;
use super::requirements::{self, Requirement};
use super::unread::{Unread, Why};
use crate::analysis::{Loser, Topic};
use crate::document::Document;
use crate::ecosystem::{Claim, LockState, Report, counted};
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// Requirement files, the most usual first.
const FILES: [&str; 11] = [
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/base.txt",
    "requirements/requirements.txt",
    "requirements/main.txt",
    "requirements/common.txt",
    "requirements-prod.txt",
    "requirements_prod.txt",
    "requirements.in",
    "requirements/base.in",
];
/// No chain of includes that people write is longer.
const DEEPEST_INCLUDE: usize = 8;

/// The dependencies of a program.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    /// The file that lists them.
    pub file: Option<String>,
    pub manager: Option<Manager>,
    /// What a lock file says, where the package manager has one.
    pub lock: Option<lock::Lock>,
    /// Where a package is named by its repository.
    pub from_git: Option<String>,
    /// What the program's own file says of Python, where it lists the dependencies too.
    pub python: Option<Claim>,
    all: Vec<Dependency>,
    /// Another file that lists packages, and was not followed.
    passed_over: Option<Loser>,
    unread: Vec<Unread>,
    /// It installs what lies in the project.
    local: bool,
    /// Packages that have no name, but an address.
    nameless: usize,
    /// Where such an address is, and nothing says what lies there.
    open_address: Option<String>,
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
    /// What is locked goes before what is only listed.
    pub fn read(sources: &Sources<'_>, metadata: &Metadata) -> Self {
        let requirements = sources.first_of(&FILES);
        let pyproject = metadata.pyproject.as_ref();
        if let Some((manager, lock_file)) = lock::find(sources, metadata) {
            let mut found = Self::default();
            match (manager, pyproject) {
                (Manager::Pipenv, _) => found.read_pipfile(metadata),
                (_, Some(project)) => found.read_project(project),
                _ => {}
            }
            found.manager = Some(manager);
            found.lock = Some(lock::state(
                manager, &lock_file, sources, metadata, &found.all,
            ));
            found.passed_over = requirements.map(|file| Loser {
                value: "pip".to_owned(),
                from: file.to_owned(),
            });
            return found;
        }
        if let Some(file) = requirements {
            return Self::of_requirements(sources, metadata, file);
        }
        let mut found = Self::default();
        if metadata.pipfile.is_some() {
            found.read_pipfile(metadata);
            found.manager = Some(Manager::Pipenv);
            found.lock = Some(lock::missing("Pipfile.lock"));
            return found;
        }
        if let Some(project) = pyproject {
            found.read_project(project);
        }
        let setup = metadata.setup_dependencies();
        for (text, file, line) in setup {
            found.add(Requirement::parse(&text, line), file);
        }
        if metadata.has_setup() {
            found.file.get_or_insert_with(|| "setup.py".to_owned());
        }
        if found.file.is_some()
            && (metadata.builds() || metadata.has_setup() || !found.all.is_empty())
        {
            found.manager = Some(Manager::of_project(sources, metadata));
            found.lock = found
                .manager
                .and_then(Manager::lock_file)
                .map(lock::missing);
            return found;
        }
        Self::of_script(sources)
            .or_else(|| Self::of_conda(sources))
            .unwrap_or_default()
    }

    fn add(&mut self, requirement: Option<Requirement>, file: &str) {
        self.all.extend(requirement.map(|requirement| Dependency {
            requirement,
            file: file.to_owned(),
            constraint: false,
        }));
    }

    fn of_requirements(sources: &Sources<'_>, metadata: &Metadata, file: &str) -> Self {
        let mut found = Self {
            manager: Some(Manager::Pip),
            ..Self::default()
        };
        let itself = found.read_requirements(sources, file, None, false, 0);
        if itself {
            if let Some(project) = &metadata.pyproject {
                found.read_project(project);
            }
            for (text, file, line) in metadata.setup_dependencies() {
                found.add(Requirement::parse(&text, line), file);
            }
        }
        found.file = Some(file.to_owned());
        found.lock = lock::compiled(sources, file, &found.all);
        found
    }

    /// Reads a file and those that it names; whether one of them names the project itself.
    fn read_requirements(
        &mut self,
        sources: &Sources<'_>,
        file: &str,
        named: Option<String>,
        constraint: bool,
        depth: usize,
    ) -> bool {
        if depth == DEEPEST_INCLUDE {
            return false;
        }
        let text = sources.text(file);
        let why = Why::of(sources, file, text.as_deref());
        self.unread.extend(why.map(|why| Unread {
            file: file.to_owned(),
            named,
            why,
        }));
        let Some(text) = text.filter(|text| !text.contains('\0')) else {
            return false;
        };
        let listed = requirements::parse(&text);
        if listed.git && self.from_git.is_none() {
            let line = text.lines().position(|line| line.contains("git+"));
            self.from_git = Some(format!("{file}:{}", line.unwrap_or(0) + 1));
        }
        self.local |= listed.local;
        self.nameless += listed.addresses.len();
        let open = listed.addresses.iter().find(|(_, is_pinned)| !is_pinned);
        let open = open.map(|(line, _)| format!("{file}:{line}"));
        self.open_address = self.open_address.take().or(open);
        let own = listed.requirements.into_iter();
        self.all.extend(own.map(|requirement| Dependency {
            requirement,
            file: file.to_owned(),
            constraint,
        }));
        let mut itself = listed.itself && !file.contains('/');
        for include in listed.includes {
            let path = beside(file, &include.path);
            if !self.all.iter().any(|dependency| dependency.file == path) {
                let line = text.lines().position(|line| line.contains(&include.path));
                let named = format!("{file}:{}", line.unwrap_or(0) + 1);
                let constraint = constraint || include.constraint;
                itself |=
                    self.read_requirements(sources, &path, Some(named), constraint, depth + 1);
            }
        }
        itself
    }

    /// The dependencies that `pyproject.toml` lists, by the standard or as Poetry has them.
    fn read_project(&mut self, project: &Document) {
        let file = "pyproject.toml";
        self.file = Some(file.to_owned());
        let listed = project
            .get(&["project", "dependencies"])
            .and_then(Value::as_array);
        for (index, text) in listed.into_iter().flatten().enumerate() {
            let line = line(&project.from(&["project", "dependencies", &index.to_string()]));
            let Some(text) = text.as_str() else { continue };
            if text.contains("git+") && self.from_git.is_none() {
                self.from_git = Some(format!("{file}:{line}"));
            }
            self.add(Requirement::parse(text, line), file);
        }
        self.read_table(project, &["tool", "poetry", "dependencies"], file);
    }

    fn read_pipfile(&mut self, metadata: &Metadata) {
        if let Some(pipfile) = &metadata.pipfile {
            self.file = Some("Pipfile".to_owned());
            self.read_table(pipfile, &["packages"], "Pipfile");
        }
    }

    /// A table of names with a version, or a table of what is wanted of it.
    fn read_table(&mut self, document: &Document, keys: &[&str], file: &str) {
        for (name, value) in document.table(keys).filter(|(name, _)| *name != "python") {
            // Only those get it who ask for an extra.
            if value
                .get("optional")
                .is_some_and(|optional| optional == true)
            {
                continue;
            }
            let mut place = keys.to_vec();
            place.push(name);
            let line = line(&document.from(&place));
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
            let extras = value.get("extras").and_then(Value::as_array);
            let extras = extras
                .into_iter()
                .flatten()
                .filter_map(|extra| extra.as_str().map(requirements::normalised))
                .collect();
            if value.get("git").is_some() && self.from_git.is_none() {
                self.from_git = Some(format!("{file}:{line}"));
            }
            let requirement = Requirement {
                name: requirements::normalised(name),
                extras,
                specifier,
                line,
            };
            self.add(Some(requirement), file);
        }
    }

    /// A script that lists what it needs in a comment of its own (PEP 723).
    fn of_script(sources: &Sources<'_>) -> Option<Self> {
        let names = sources.names().filter(|name| name.ends_with(".py"));
        let (file, start, block) = names.take(20).find_map(|name| {
            let text = sources.text(name)?;
            let mut lines = text.lines().enumerate();
            let (start, _) = lines.find(|(_, line)| line.trim_end() == "# /// script")?;
            let block: Vec<_> = lines
                .map(|(_, line)| line)
                .take_while(|line| line.starts_with('#') && line.trim_end() != "# ///")
                .map(|line| line.trim_start_matches('#').to_owned())
                .collect();
            Some((name, start, block.join("\n")))
        })?;
        let said = Document::parse("script.toml", &block).ok()?;
        let place = |keys: &[&str]| line(&said.from(keys)) + start + 1;
        let mut found = Self {
            file: Some(file.to_owned()),
            manager: Some(Manager::Script),
            ..Self::default()
        };
        found.python = said.text(&["requires-python"]).and_then(|range| {
            super::version::of_range(range, format!("{file}:{}", place(&["requires-python"])))
        });
        let listed = said.get(&["dependencies"]).and_then(Value::as_array);
        for (index, text) in listed.into_iter().flatten().enumerate() {
            let line = place(&["dependencies", &index.to_string()]);
            found.add(
                text.as_str()
                    .and_then(|text| Requirement::parse(text, line)),
                file,
            );
        }
        Some(found)
    }

    /// Conda's environment: its packages are noticed, but nothing here installs them.
    fn of_conda(sources: &Sources<'_>) -> Option<Self> {
        let file = sources.first_of(&["environment.yml", "environment.yaml"])?;
        let document = sources.document(file)?;
        let listed = document.get(&["dependencies"])?.as_array()?;
        let mut found = Self {
            file: Some(file.to_owned()),
            manager: Some(Manager::Conda),
            ..Self::default()
        };
        for (index, one) in listed.iter().enumerate() {
            let index = index.to_string();
            let pip = one.get("pip").and_then(Value::as_array);
            let inner = pip.into_iter().flatten().enumerate().map(|(at, text)| {
                let at = at.to_string();
                (text, document.from(&["dependencies", &index, "pip", &at]))
            });
            let own = (one, document.from(&["dependencies", &index]));
            for (text, from) in std::iter::once(own).chain(inner) {
                let Some(text) = text.as_str().filter(|text| !text.starts_with("python=")) else {
                    continue;
                };
                // A channel stands before the name, a build behind the version: `conda-forge::numpy=1.26=py310`.
                let text = text.rsplit("::").next().unwrap_or(text);
                let name = text.split('=').next().unwrap_or(text);
                let line = line(&from);
                let requirement = Requirement::parse(text, line)
                    .filter(|_| text.contains("==") || !text.contains('='))
                    .or_else(|| Requirement::parse(name, line));
                found.add(requirement, file);
            }
        }
        Some(found)
    }

    /// The dependency on a package, by its normalised name.
    pub fn get(&self, package: &str) -> Option<&Dependency> {
        self.all
            .iter()
            .find(|dependency| !dependency.constraint && dependency.requirement.name == package)
    }

    pub fn has(&self, package: &str) -> bool {
        self.get(package).is_some()
    }

    /// Names, and where each is listed.
    pub fn places(&self) -> impl Iterator<Item = (&str, String)> {
        let asked = self.all.iter().filter(|dependency| !dependency.constraint);
        asked.map(|dependency| (dependency.requirement.name.as_str(), dependency.from()))
    }

    /// What [`Self::places`] has, and the extras: `celery[redis]` brings a client as well.
    pub fn clients(&self) -> impl Iterator<Item = (&str, String)> {
        let asked = self.all.iter().filter(|dependency| !dependency.constraint);
        asked.flat_map(|dependency| {
            let extras = dependency.requirement.extras.iter().map(String::as_str);
            std::iter::once(dependency.requirement.name.as_str())
                .chain(extras)
                .map(|name| (name, dependency.from()))
        })
    }

    /// As pip is told them: `rich>=13`.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.all.iter().map(|dependency| {
            let Requirement {
                name,
                extras,
                specifier,
                ..
            } = &dependency.requirement;
            let extras = if extras.is_empty() {
                String::new()
            } else {
                format!("[{}]", extras.join(","))
            };
            let space = if specifier.starts_with('@') { " " } else { "" };
            format!("{name}{extras}{space}{specifier}")
        })
    }

    /// What a person types to list one more.
    pub fn to_add(&self, package: &str) -> String {
        match (self.manager, self.file.as_deref()) {
            (Some(Manager::Uv), _) => format!("uv add {package}"),
            (Some(Manager::Poetry), _) => format!("poetry add {package}"),
            (Some(Manager::Pdm), _) => format!("pdm add {package}"),
            (Some(Manager::Pipenv), _) => format!("pipenv install {package}"),
            (_, Some(file)) if file.ends_with(".txt") || file.ends_with(".in") => {
                format!("echo {package} >> {file}")
            }
            (_, Some(file)) => format!("add {package} to the dependencies in {file}"),
            (_, None) => format!("echo {package} >> requirements.txt"),
        }
    }

    /// Says what there is and whether it will be the same next time.
    pub fn report(
        &self,
        install: &Install,
        sources: &Sources<'_>,
        metadata: &Metadata,
        report: &mut Report,
    ) {
        let (Some(file), Some(manager)) = (&self.file, self.manager) else {
            return;
        };
        if let Some(lock) = &self.lock
            && lock.state != LockState::Missing
        {
            lock::ask_which((manager, &lock.file), sources, metadata, report);
        }
        let count = self.places().count() + self.nameless;
        let decided = self
            .lock
            .as_ref()
            .filter(|lock| lock.state != LockState::Missing);
        let managed_by = decided.map_or(file, |lock| &lock.file);
        let fact = report.certain(Topic::PackageManager, manager.name(), managed_by);
        if let Some(loser) = &self.passed_over {
            let name = managed_by.rsplit('/').next().unwrap_or(managed_by);
            fact.note(format!("{name} goes before {}", loser.from));
            fact.over = vec![loser.clone()];
        }
        if let Some(unread) = self.unread.first() {
            let fact = if count > 0 {
                report.likely(Topic::Dependencies, counted(count, "package"), file)
            } else {
                report.assumed(Topic::Dependencies, "unread")
            };
            fact.note(format!("{} was not read{}", unread.file, unread.how_far()));
        } else {
            report
                .certain(Topic::Dependencies, counted(count, "package"), file)
                .note(format!("listed in {file}"));
        }
        for unread in &self.unread {
            unread.ask(report);
        }
        for command in &install.commands {
            let note = match manager {
                Manager::Pip => format!("pip reads {file}"),
                _ if command.starts_with("pip install") => format!("it brings {}", manager.name()),
                _ => format!(
                    "{} reads {}",
                    manager.name(),
                    managed_by.rsplit('/').next().unwrap_or(managed_by)
                ),
            };
            report.likely(Topic::BuildCommand, command, file).note(note);
        }
        if manager == Manager::Conda {
            report.ask(
                format!("Which of {file}'s packages does it need? They are conda's, and the image has pip alone."),
                "pip list --format=freeze > requirements.txt",
            );
            return;
        }
        if let Some(lock) = &self.lock {
            lock.report(manager, count, file, report);
            return;
        }
        self.report_pins(file, count, report);
    }

    fn report_pins(&self, file: &str, count: usize, report: &mut Report) {
        let mut all_open = self.all.iter().filter(|dependency| {
            !dependency.constraint
                && !dependency.requirement.is_pinned()
                && !self.is_constrained(dependency)
        });
        let open = all_open.next();
        let others = all_open.count();
        let names_all = FILES.contains(&file);
        match open {
            None if !self.unread.is_empty() => {
                report
                    .assumed(Topic::Pinned, "no")
                    .note(format!("{} was not read", self.unread[0].file));
            }
            None if self.from_git.is_some() => {
                let from = self.from_git.as_deref().unwrap_or(file);
                report
                    .likely(Topic::Pinned, "no", from)
                    .note("a repository's branch or tag may move");
            }
            None if self.open_address.is_some() => {
                let from = self.open_address.as_deref().unwrap_or(file);
                report
                    .likely(Topic::Pinned, "no", from)
                    .note("what lies at an address may change");
            }
            None if !names_all && count > 0 => {
                report.likely(Topic::Pinned, "no", file).note(format!(
                    "{file} pins what it names, but nothing pins what that needs"
                ));
            }
            None if count == 0 && self.local => {
                report
                    .likely(Topic::Pinned, "no", file)
                    .note(format!("nothing pins what the folders in {file} need"));
            }
            None => {
                let why = if count == 0 {
                    "nothing is depended on".to_owned()
                } else {
                    format!("every line of {file} has ==")
                };
                report.certain(Topic::Pinned, "yes", file).note(why);
            }
            Some(open) => {
                let note = format!("{} in {} has no ==", open.requirement.name, open.from());
                report.certain(Topic::Pinned, "no", open.from()).note(note);
                let more = match others {
                    0 => String::new(),
                    1 => ", and 1 more is open".to_owned(),
                    others => format!(", and {others} more are open"),
                };
                report.ask(
                    format!(
                        "Which version of {}? {} leaves it open{more}.",
                        open.requirement.name,
                        open.from()
                    ),
                    self.to_pin(file, open),
                );
            }
        }
    }

    /// What a person types to pin them all.
    fn to_pin(&self, file: &str, open: &Dependency) -> String {
        let own = file.rsplit_once('.').map(|(_, ending)| ending);
        match (self.manager, own) {
            (Some(Manager::Script), _) => {
                format!("pip freeze shows the versions: write them with == into {file}")
            }
            (_, Some("in")) => format!("pip-compile {}", shell_quoted(file)),
            (_, Some("txt")) if open.file != "pyproject.toml" => {
                let file = shell_quoted(file);
                format!("in a fresh environment: pip install -r {file} && pip freeze > {file}")
            }
            _ if open.file == "pyproject.toml" => "uv lock, and commit uv.lock".to_owned(),
            _ => "in its environment: pip freeze > requirements.txt".to_owned(),
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

/// The path of what a file names, from where the file is seen.
fn beside(file: &str, named: &str) -> String {
    if named.starts_with('/') {
        return named.to_owned();
    }
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut elements: Vec<&str> = Vec::new();
    for element in folder.split('/').chain(named.split('/')) {
        match element {
            "" | "." => {}
            ".." if elements.last().is_some_and(|last| *last != "..") => {
                elements.pop();
            }
            element => elements.push(element),
        }
    }
    elements.join("/")
}

/// The line of a `file:line`.
fn line(from: &str) -> usize {
    from.rsplit_once(':')
        .and_then(|(_, line)| line.parse().ok())
        .unwrap_or(1)
}
