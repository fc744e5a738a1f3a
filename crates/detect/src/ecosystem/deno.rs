//! Deno: TypeScript and JavaScript without a package manager beside the runtime.

mod source;
mod start;

use ergon_manifest::Application;

use self::start::Start;
use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Probe, Report, Strength,
    UsualRuntime, counted,
};
use crate::analysis::Topic;
use crate::document::Document;
use crate::sources::{Sources, Text};
use crate::{environment, names, services, version_files};

/// What bases offer where nothing is said.
const USUAL: UsualRuntime = UsualRuntime {
    name: "deno",
    label: "Deno",
    version: "2",
    remedy: "echo 2.1.4 > .dvmrc",
};
/// The last of the first major version.
const LAST_OF_1: &str = "1.46.3";
const PORT: u16 = 8000;

const EXTENSIONS: &[&str] = &["ts", "tsx", "js", "jsx", "mjs", "mts"];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Deno",
    languages: &["deno"],
    looks_for: "Deno: deno.json or deno.jsonc, or code for it",
    markers: &["deno.json", "deno.jsonc"],
    detect,
    droppings: &[],
    packing,
};

/// A web framework by what it is imported as.
struct Framework {
    names: &'static [&'static str],
    kind: &'static str,
    label: &'static str,
}

const FRAMEWORKS: [Framework; 5] = [
    Framework {
        names: &["$fresh/", "@fresh/core", "fresh"],
        kind: "fresh",
        label: "Fresh",
    },
    Framework {
        names: &["lume"],
        kind: "lume",
        label: "Lume",
    },
    Framework {
        names: &["@oak/oak", "oak"],
        kind: "oak",
        label: "oak",
    },
    Framework {
        names: &["@hono/hono", "hono"],
        kind: "hono",
        label: "Hono",
    },
    Framework {
        names: &["express"],
        kind: "express",
        label: "Express",
    },
];

/// A project as Deno sees it.
struct Project<'s, 'a> {
    sources: &'s Sources<'a>,
    /// `deno.json`, where there is one.
    settings: Option<Document>,
    texts: Vec<Text<'a>>,
    /// What is imported from elsewhere, and where.
    imports: Vec<source::Import>,
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let file = sources.first_of(&["deno.json", "deno.jsonc"]);
    // With a package.json, it is Node's until a file says that it is not.
    if file.is_none()
        && (sources.has("package.json")
            || !sources
                .files()
                .iter()
                .any(|path| EXTENSIONS.iter().any(|one| path.ends_with(one))))
    {
        return None;
    }
    // A project below stands for itself.
    let others: Vec<&str> = sources
        .files()
        .iter()
        .filter_map(|path| path.rsplit_once('/'))
        .filter(|(_, name)| file.is_none() && name.starts_with("deno.json"))
        .map(|(folder, _)| folder)
        .collect();
    let is_other = |path: &str| {
        others.iter().any(|folder| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    };
    let texts: Vec<_> = sources
        .program_texts(EXTENSIONS)
        .into_iter()
        .filter(|(path, _)| !path.contains(".min.") && !is_other(path))
        .collect();
    let marker = match file {
        Some(file) => file.to_owned(),
        None => texts
            .iter()
            .find_map(|(path, text)| source::is_for_deno(path, text))?,
    };
    let settings = file.and_then(|file| sources.document(file));
    let imports = source::imports(sources, settings.as_ref(), &texts);
    let project = Project {
        sources,
        settings,
        texts,
        imports,
    };
    Some(project.found(&marker))
}

impl Project<'_, '_> {
    fn found(&self, marker: &str) -> Found {
        let mut report = Report::default();
        report
            .certain(Topic::Language, "Deno", marker)
            .note("JavaScript and TypeScript");
        let framework = FRAMEWORKS.iter().find_map(|framework| {
            let mut imports = self.imports.iter();
            let import = imports.find(|one| framework.names.contains(&one.name.as_str()))?;
            Some((framework, import))
        });
        if let Some((framework, import)) = framework {
            let version = match &import.version {
                Some(version) => format!(" {version}"),
                None => String::new(),
            };
            let label = format!("{}{version}", framework.label);
            report.certain(Topic::Framework, label, &import.from);
        }
        let runtime = report.runtime(&USUAL, self.versions());
        let mut application = Application {
            kind: framework
                .map_or("deno", |(framework, _)| framework.kind)
                .to_owned(),
            language: "deno".to_owned(),
            dependencies: self
                .sources
                .first_of(&["deno.json", "deno.jsonc"])
                .map(str::to_owned),
            package_manager: Some("deno".to_owned()),
            ..Application::default()
        };
        report.certain(Topic::PackageManager, "deno", marker);
        self.lock(marker, &mut report);
        let start = start::start(self);
        self.build(start.as_ref(), &mut application, &mut report);
        let reads: Vec<_> = self
            .texts
            .iter()
            .flat_map(|(path, text)| source::environment(path, text))
            .collect();
        if let Some(start) = &start {
            start.tell(&mut report);
            application.entrypoint.clone_from(&start.file);
            application.run_command = Some(start.command.clone());
            let serves = framework.is_some() || start.serves;
            let usual = serves.then(|| Port::usual(PORT, "Deno's default"));
            if let Some(port) = source::port(&self.texts, &reads).or(usual) {
                application.ports = vec![report.port(&port)];
                application.health = report.health(&source::routes(&self.texts));
            }
        }
        application.env = environment::told(&reads, &mut report);
        let packages = self
            .imports
            .iter()
            .map(|import| (import.package(), import.from.clone()));
        application.services =
            services::of_dependencies(services::Packages::Node, packages, &mut report);
        let strength = match (&start, framework) {
            (None, _) => Strength::Sources,
            (Some(_), None) => Strength::Program,
            (Some(_), Some(_)) => Strength::Framework,
        };
        let base_image = base_image(&runtime.version);
        application.runtime = Some(runtime);
        let name = self
            .settings
            .as_ref()
            .and_then(|settings| settings.text(&["name"]))
            .and_then(names::from_package);
        Found {
            strength,
            name,
            application,
            base_image,
            delegates: false,
            report,
        }
    }

    fn versions(&self) -> Vec<Claim> {
        let files = [".dvmrc", ".deno-version"]
            .into_iter()
            .filter_map(|file| version_files::only(self.sources, file));
        let files = files.chain(version_files::of_tool(self.sources, "deno"));
        files
            .map(|said| {
                said.claim(|version| {
                    let plain = version.trim_start_matches('v');
                    version_files::is_dotted(plain).then(|| plain.to_owned())
                })
            })
            .collect()
    }

    fn lock(&self, marker: &str, report: &mut Report) {
        let elsewhere: Vec<_> = self.imports.iter().filter(|one| one.is_fetched).collect();
        let Some(first) = elsewhere.first() else {
            report.certain(Topic::Dependencies, counted(0, "import"), marker);
            report
                .certain(Topic::Pinned, "yes", marker)
                .note("nothing is imported from elsewhere");
            return;
        };
        report.certain(
            Topic::Dependencies,
            counted(elsewhere.len(), "import"),
            &first.from,
        );
        if self.sources.has("deno.lock") {
            report.lock(
                LockState::Locked,
                "deno.lock",
                "deno.lock has the hash of every import",
            );
            report
                .certain(Topic::Pinned, "yes", "deno.lock")
                .note("deno.lock pins every import");
        } else {
            report.lock(LockState::Missing, "deno.lock", "there is no deno.lock");
            report
                .certain(Topic::Pinned, "no", &first.from)
                .note("there is no deno.lock");
            report.ask(
                "Which imports exactly? there is no deno.lock.",
                "deno install, and commit deno.lock",
            );
        }
    }

    /// Fetches what is imported, and runs the task that builds.
    fn build(&self, start: Option<&Start>, application: &mut Application, report: &mut Report) {
        let fetched = self.imports.iter().find(|import| import.is_fetched);
        let file = start
            .and_then(|start| start.file.as_deref())
            .filter(|file| self.sources.has(file));
        if let Some(import) = fetched {
            let command = match file {
                Some(file) => format!("deno cache {}", crate::plan::shell_quoted(file)),
                None => "deno install".to_owned(),
            };
            report
                .likely(Topic::BuildCommand, &command, &import.from)
                .note("fetches what is imported");
            application.build_commands.push(command);
        }
        if let Some(settings) = &self.settings
            && let Some(task) = start::task(settings, "build")
        {
            let from = settings.from(&["tasks", "build"]);
            report
                .certain(Topic::BuildCommand, "deno task build", from)
                .note(format!("runs `{task}`"));
            application
                .build_commands
                .push("deno task build".to_owned());
        }
    }
}

/// The image has a tag for each version, not for what they have in common.
fn base_image(version: &str) -> String {
    let tag = match version {
        "1" => LAST_OF_1.to_owned(),
        "2" => "debian".to_owned(),
        version if version.split('.').count() == 2 => format!("{version}.0"),
        version => version.to_owned(),
    };
    format!("denoland/deno:{tag}")
}

fn packing(_: &Packed<'_>) -> Packing {
    Packing {
        // Where the image has it; said, so that the program finds there what the build has fetched.
        env: vec![
            ("DENO_DIR", "/deno-dir".to_owned()),
            ("DENO_NO_UPDATE_CHECK", "1".to_owned()),
        ],
        probe: Some(probe),
        ..Packing::default()
    }
}

/// Asks with Deno itself.
fn probe(probe: &Probe<'_>) -> Vec<String> {
    let path = serde_json::Value::from(probe.path);
    let port = if probe.port_variable {
        format!("Deno.env.get('PORT') ?? {}", probe.port)
    } else {
        probe.port.to_string()
    };
    let script = format!(
        "const r = await fetch('http://127.0.0.1:' + ({port}) + {path}, \
         {{signal: AbortSignal.timeout(3000)}}); Deno.exit(r.ok ? 0 : 1)"
    );
    vec!["deno".to_owned(), "eval".to_owned(), script]
}
