//! From what a build says to a program, for every language of the Java virtual machine.

use ergon_manifest::{Application, Health};

use super::build::{Build, Launch, Start};
use super::framework::{self, Used};
use super::settings::Settings;
use super::source::Main;
use super::version::{self, USUAL};
use super::{packing, reads, routes, source};
use crate::analysis::Topic;
use crate::ecosystem::{Claim, Found, LockState, Port, Report, Strength, counted};
use crate::environment::{self, Read};
use crate::plan::shell_quoted;
use crate::scan::{Route, Scan};
use crate::services;
use crate::sources::{Sources, Text};

/// The least port that needs no rights.
const FIRST_FREE_PORT: u16 = 1024;

/// A program, its pieces read.
pub struct Program<'a, 's> {
    pub sources: &'a Sources<'s>,
    /// As `language` in the manifest.
    pub language: &'static str,
    /// As people write it.
    pub label: &'static str,
    pub build: Build,
    pub launch: Option<Launch>,
    pub main: Option<Main>,
    pub texts: Vec<Text<'s>>,
    /// What its own language says beside what Java says.
    pub reads: Vec<Read>,
    pub routes: Vec<Route>,
    pub port: Option<Port>,
}

impl Program<'_, '_> {
    pub fn found(mut self) -> Found {
        let mut report = Report::default();
        report.certain(Topic::Language, self.label, self.marker());
        let used = framework::of(&self.build);
        if let Some(used) = &used {
            report.certain(Topic::Framework, used.label(), &used.from);
        }
        let mut claims = self.claims();
        if let Some(used) = &used
            && claims.iter().all(Claim::is_unknown)
        {
            claims.extend(used.least_java());
        }
        let runtime = report.runtime(&USUAL, claims);
        let kind = used
            .as_ref()
            .map_or(self.language, |used| used.framework.kind);
        let mut application = Application {
            kind: kind.to_owned(),
            language: self.language.to_owned(),
            ..Application::default()
        };
        self.dependencies(&mut application, &mut report);
        let strength = self.start(used.as_ref(), &mut application, &mut report);
        let dependencies = self.build.dependencies.iter();
        let dependencies = dependencies.map(|used| (used.name.as_str(), used.from.clone()));
        application.services =
            services::of_dependencies(services::Packages::Jvm, dependencies, &mut report);
        self.pinned(&mut report);
        let base_image = packing::base_image(&runtime.version);
        application.runtime = Some(runtime);
        Found {
            strength,
            name: self.build.name.take(),
            application,
            base_image,
            delegates: false,
            report,
        }
    }

    fn marker(&self) -> String {
        match &self.main {
            Some(main) => main.from.clone(),
            None => self.build.file.clone(),
        }
    }

    /// What names a version goes before what a compiler is told, unless the compiler wants more than that.
    fn claims(&mut self) -> Vec<Claim> {
        let mut of_files = version::of_files(self.sources);
        let mut of_build = std::mem::take(&mut self.build.claims);
        let first = |claims: &[Claim]| claims.first().map(|claim| version::major(&claim.version));
        if let (Some(named), Some(compiled)) = (first(&of_files), first(&of_build))
            && named < compiled
        {
            of_build.append(&mut of_files);
            return of_build;
        }
        of_files.append(&mut of_build);
        of_files
    }

    fn dependencies(&self, application: &mut Application, report: &mut Report) {
        let build = &self.build;
        if build.tool.is_empty() {
            return;
        }
        report.certain(Topic::PackageManager, build.label, &build.file);
        let count = counted(build.dependencies.len(), "library").replace("librarys", "libraries");
        report.certain(Topic::Dependencies, count, &build.file);
        application.dependencies = Some(build.file.clone());
        application.package_manager = Some(build.tool.to_owned());
        if let Some(lock) = build.lock {
            report.lock(
                LockState::Locked,
                lock,
                format!("{lock} pins every version"),
            );
        }
        if self.launch.is_some()
            && let Some(fetch) = &build.fetch
        {
            report
                .likely(Topic::BuildCommand, fetch, &build.file)
                .note("gets the libraries before the sources are there");
            application.build_commands.push(fetch.clone());
        }
    }

    fn pinned(&self, report: &mut Report) {
        if let Some((pinned, why)) = &self.build.pinned {
            let value = if *pinned { "yes" } else { "no" };
            let from = self.build.lock.unwrap_or(&self.build.file);
            report.likely(Topic::Pinned, value, from).note(why);
        }
    }

    fn start(
        &mut self,
        used: Option<&Used>,
        application: &mut Application,
        report: &mut Report,
    ) -> Strength {
        let Some(mut launch) = self.launch.take().filter(is_plain) else {
            return Strength::Sources;
        };
        if !launch.artifacts.iter().all(|path| is_inside(path)) {
            launch.artifacts.clear();
        }
        if used.is_some_and(|used| used.framework.kind == "dropwizard") {
            self.dropwizard(&mut launch);
        }
        let settings = Settings::read(self.sources);
        let mut reads = std::mem::take(&mut self.reads);
        reads.extend(
            self.texts
                .iter()
                .flat_map(|(path, text)| reads::environment(path, text)),
        );
        reads.extend(settings.environment());
        let spring = used.is_some_and(Used::is_spring_boot);
        let serves = matches!(launch.start, Start::Runner { .. }) || self.serves(used);
        let port = serves.then(|| self.listens(used, &settings, &reads));
        let run = run_command(&launch.start, port.as_ref().filter(|_| spring));
        if !launch.command.is_empty() {
            report
                .likely(Topic::BuildCommand, &launch.command, &launch.from)
                .note(format!("makes {}", launch.makes));
            application.build_commands.push(launch.command);
        }
        report
            .likely(Topic::RunCommand, &run, &launch.from)
            .note(launch.note);
        if let Some((text, remedy)) = launch.question {
            report.ask(text, remedy);
        }
        application.artifacts = launch.artifacts;
        application.entrypoint = self.main.as_ref().map(|main| main.file.clone());
        if let Some(port) = &port {
            application.ports = vec![report.port(port)];
            application.health = self.health(used, &settings, report);
        }
        application.env = environment::told(&reads, report);
        application.run_command = Some(run);
        if used.is_some() || serves {
            Strength::Framework
        } else {
            Strength::Program
        }
    }

    /// Dropwizard is told what to do and where its settings are.
    fn dropwizard(&self, launch: &mut Launch) {
        let what = match &mut launch.start {
            Start::Java(what) | Start::Script(what) => what,
            Start::Runner { .. } => return,
        };
        what.push_str(" server");
        let mut files = self.sources.names().filter(|name| {
            (name.ends_with(".yml") || name.ends_with(".yaml")) && !name.starts_with('.')
        });
        let settings = files.find(|name| {
            let text = self.sources.text(name);
            text.is_some_and(|text| {
                text.lines()
                    .any(|line| line.starts_with("server:") || line.starts_with("database:"))
            })
        });
        if let Some(file) = settings {
            what.push(' ');
            what.push_str(&shell_quoted(file));
            launch.artifacts.push(file.to_owned());
        }
    }

    fn serves(&self, used: Option<&Used>) -> bool {
        if self.port.is_some() || used.is_some_and(|used| used.serves(&self.build)) {
            return true;
        }
        // Servers that need no library.
        let servers = [
            "HttpServer.create",
            "new ServerSocket",
            "createHttpServer",
            "embeddedServer",
            "ServerBuilder.forPort",
            "newServerBuilderForPort",
        ];
        used.is_none_or(|used| used.framework.kind == "vertx")
            && self.texts.iter().any(|(_, text)| {
                servers
                    .iter()
                    .any(|call| Scan::behind(text, call, source::COMMENT).next().is_some())
            })
    }

    fn listens(&mut self, used: Option<&Used>, settings: &Settings, reads: &[Read]) -> Port {
        let spring = used.is_some_and(Used::is_spring_boot);
        let names = used.map_or(&[][..], |used| used.framework.port_settings);
        let written = settings.port(names);
        let in_code = || source::port(&self.texts, reads);
        let said = if spring {
            written
        } else {
            written.or_else(in_code)
        };
        // A port that only root may take is given to it by nobody here.
        let said = said.filter(|port| !spring || port.number >= FIRST_FREE_PORT);
        said.or(self.port.take()).unwrap_or_else(|| {
            let known = used.and_then(|used| Some((used.framework, used.framework.port?)));
            match known {
                Some((framework, port)) => {
                    Port::usual(port, &format!("{}'s default", framework.label))
                }
                None => Port::usual(8080, "usual for Java"),
            }
        })
    }

    fn health(
        &self,
        used: Option<&Used>,
        settings: &Settings,
        report: &mut Report,
    ) -> Option<Health> {
        let prefix = [
            "server.servlet.context-path",
            "server.context-path",
            "spring.webflux.base-path",
        ]
        .iter()
        .find_map(|name| settings.get(name))
        .map(|(path, _)| path.trim_end_matches('/'))
        .filter(|path| {
            path.starts_with('/') && path.chars().all(|c| c.is_ascii_graphic() && c != '$')
        })
        .unwrap_or("");
        if let Some((path, from)) = used.and_then(|used| used.health(&self.build)) {
            let path = match settings.get("management.endpoints.web.base-path") {
                Some((base, _)) if base.starts_with('/') && path.starts_with("/actuator") => {
                    format!("{}/health", base.trim_end_matches('/'))
                }
                _ => path.to_owned(),
            };
            let own_port = settings
                .get("management.server.port")
                .and_then(|(port, _)| crate::scan::port(port));
            let path = if own_port.is_some() {
                path
            } else {
                format!("{prefix}{path}")
            };
            report.likely(Topic::Health, format!("GET {path}"), from);
            return Some(Health {
                path,
                port: own_port,
            });
        }
        let routes: Vec<Route> = self
            .texts
            .iter()
            .flat_map(|(path, text)| routes::routes(path, text))
            .chain(self.routes.iter().cloned())
            .map(|route| Route {
                path: format!("{prefix}{}", route.path),
                ..route
            })
            .collect();
        report.health(&routes)
    }
}

/// Whether what files say of it can stand in a line.
fn is_plain(launch: &Launch) -> bool {
    let texts = match &launch.start {
        Start::Java(text) | Start::Script(text) => [text, &launch.command],
        Start::Runner { jar, war } => [jar, war],
    };
    !texts.iter().any(|text| text.contains(char::is_control))
}

/// Whether a path is one in the program's own folder.
fn is_inside(path: &str) -> bool {
    let odd = |c: char| c.is_control() || "\\$*?[]\"'".contains(c);
    !path.is_empty()
        && !path.starts_with('/')
        && !path.contains(odd)
        && !path.split('/').any(|element| element == "..")
}

fn run_command(start: &Start, spring: Option<&Port>) -> String {
    match (start, spring) {
        (Start::Java(what), Some(port)) => {
            format!(
                "java -Dserver.port=${{PORT:-{}}} $JAVA_OPTS {what}",
                port.number
            )
        }
        (Start::Java(what), None) => format!("java $JAVA_OPTS {what}"),
        (Start::Script(script), _) => script.clone(),
        (Start::Runner { jar, war }, _) => {
            format!("java $JAVA_OPTS -jar {jar} --port ${{PORT:-8080}} {war}")
        }
    }
}
