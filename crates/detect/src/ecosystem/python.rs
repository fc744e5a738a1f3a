//! Python: pip, from `requirements.txt` or `pyproject.toml`.

mod dependencies;
pub(crate) mod requirements;
mod source;
mod start;

use ergon_manifest::Application;

use self::dependencies::Dependencies;
use self::start::{FRAMEWORKS, Framework, start};
use super::{Claim, Ecosystem, Found, Packed, Packing, Probe, Report, Strength, UsualRuntime};
use crate::analysis::Topic;
use crate::sources::Sources;
use crate::versions::{self, Part};
use crate::{environment, names, services};

/// What bases offer where nothing is said: Debian's.
const USUAL: UsualRuntime = UsualRuntime {
    name: "python",
    label: "Python",
    version: "3.11",
    remedy: "echo 3.11 > .python-version",
};
const MINOR_VERSIONS: [u32; 8] = [7, 8, 9, 10, 11, 12, 13, 14];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Python",
    languages: &["python", "python3"],
    looks_for: "Python: requirements.txt, pyproject.toml, setup.py, manage.py or a .py file at the root",
    markers: &[
        "requirements.txt",
        "pyproject.toml",
        "setup.py",
        "manage.py",
        "Pipfile",
    ],
    detect,
    droppings: &[
        "**/__pycache__",
        "**/*.py[co]",
        ".venv",
        "venv",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
    ],
    packing,
};

fn packing(_: &Packed<'_>) -> Packing {
    Packing {
        env: vec![("PYTHONUNBUFFERED", "1".to_owned())],
        probe: Some(probe),
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let marker = sources.first_of(&[
        "requirements.txt",
        "pyproject.toml",
        "setup.py",
        "manage.py",
        "Pipfile",
    ]);
    let files = sources.program_files(&["py"]);
    let at_root = files.iter().find(|path| !path.contains('/'));
    let marker = marker.or(at_root.copied()).filter(|_| !files.is_empty())?;

    let mut report = Report::default();
    let dependencies = Dependencies::read(sources);
    report.certain(Topic::Language, "Python", marker);
    let framework = framework(sources, &dependencies, &mut report);
    let claims = version_file(sources)
        .into_iter()
        .chain(version_range(sources));
    let runtime = report.runtime(&USUAL, claims);
    let (strength, start) = match start(sources, &dependencies, framework, &mut report) {
        Some(start) if framework.is_some() || start.kind == "django" => {
            (Strength::Framework, Some(start))
        }
        Some(start) => (Strength::Program, Some(start)),
        None => (Strength::Sources, None),
    };
    let texts = sources.program_texts(&["py"]);
    let object = start.as_ref().and_then(|start| start.entrypoint.as_deref());
    let routes: Vec<_> = texts
        .iter()
        .filter(|(path, _)| Some(*path) == object)
        .flat_map(|(path, text)| source::routes(path, text))
        .collect();

    let mut application = Application {
        kind: start
            .as_ref()
            .map_or("python", |start| start.kind)
            .to_owned(),
        language: "python".to_owned(),
        entrypoint: object.map(str::to_owned),
        dependencies: dependencies.file.clone(),
        build_commands: dependencies.install_command().into_iter().collect(),
        package_manager: dependencies.file.is_some().then(|| "pip".to_owned()),
        ..Application::default()
    };
    if let Some(start) = start {
        report
            .likely(Topic::RunCommand, start.said, start.from)
            .note(start.note);
        if let Some(port) = start.port {
            application.ports = vec![report.port(&port)];
            application.health = report.health(&routes);
        }
        application.run_command = Some(start.run_command);
    }
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| source::environment(path, text))
        .collect();
    application.env = environment::variables(&reads);
    environment::report(&application.env, &mut report);
    application.services = services::of_dependencies(
        services::Packages::Python,
        dependencies.places(),
        &mut report,
    );
    application.system_packages = dependencies.system_packages(&mut report);
    dependencies.report(&mut report);

    let base_image = format!("python:{}-slim", runtime.version);
    application.runtime = Some(runtime);
    Some(Found {
        strength,
        name: name(sources),
        application,
        base_image,
        delegates: false,
        report,
    })
}

/// The package's own name.
fn name(sources: &Sources<'_>) -> Option<String> {
    let project = sources.document("pyproject.toml")?;
    let name = project
        .text(&["project", "name"])
        .or_else(|| project.text(&["tool", "poetry", "name"]))?;
    names::from_package(name)
}

fn framework(
    sources: &Sources<'_>,
    dependencies: &Dependencies,
    report: &mut Report,
) -> Option<&'static Framework> {
    let listed = FRAMEWORKS
        .iter()
        .find_map(|framework| Some((framework, dependencies.get(framework.package)?)));
    if let Some((framework, dependency)) = listed {
        let value = match dependency.requirement.version() {
            Some(version) => format!("{} {}", framework.label, short(version)),
            None => framework.label.to_owned(),
        };
        report.certain(Topic::Framework, value, dependency.from());
        return Some(framework);
    }
    if let Some(django) = dependencies.get("django") {
        let version = django
            .requirement
            .version()
            .map(|version| format!(" {}", short(version)));
        report.certain(
            Topic::Framework,
            format!("Django{}", version.unwrap_or_default()),
            django.from(),
        );
        return None;
    }
    // Nothing lists it, but the code may still use it.
    let (framework, object) = FRAMEWORKS.iter().find_map(|framework| {
        Some((
            framework,
            source::app_object(sources, framework.package, framework.constructor)?,
        ))
    })?;
    report.likely(Topic::Framework, framework.label, object.from());
    Some(framework)
}

/// `0.115` of `0.115.6`.
fn short(version: &str) -> String {
    version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}

/// The version in a file whose only purpose is to say it.
fn version_file(sources: &Sources<'_>) -> Option<Claim> {
    let is_number = |number: &str| number.len() < 4 && number.parse::<u16>().is_ok();
    [".python-version", "runtime.txt"].iter().find_map(|file| {
        let text = sources.text(file)?;
        let mut lines = text
            .lines()
            .map(|line| line.trim().trim_start_matches("python-"));
        let line = lines.position(|version| {
            matches!(version.split('.').count(), 2 | 3) && version.split('.').all(is_number)
        })?;
        let version = text.lines().nth(line)?.trim().trim_start_matches("python-");
        Some(Claim::exactly(version, format!("{file}:{}", line + 1)))
    })
}

/// The version that the package's metadata allows.
fn version_range(sources: &Sources<'_>) -> Option<Claim> {
    let project = sources.document("pyproject.toml")?;
    let places: [&[&str]; 2] = [
        &["project", "requires-python"],
        &["tool", "poetry", "dependencies", "python"],
    ];
    places.iter().find_map(|keys| {
        let range = project.text(keys)?;
        let minor = versions::choose(range, &MINOR_VERSIONS, 11, Part::MinorOf(3))?;
        Some(Claim::range(
            range,
            format!("3.{minor}"),
            project.from(keys),
        ))
    })
}

/// Asks with what every Python has.
fn probe(probe: &Probe<'_>) -> Vec<String> {
    // A JSON string is a Python string.
    let path = serde_json::Value::from(probe.path);
    let port = if probe.port_variable {
        format!("os.environ.get('PORT') or '{}'", probe.port)
    } else {
        format!("'{}'", probe.port)
    };
    let script = format!(
        "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + ({port}) + {path}, timeout=3)"
    );
    vec!["python".to_owned(), "-c".to_owned(), script]
}
