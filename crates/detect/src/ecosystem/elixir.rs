//! Elixir: Mix, and Phoenix with and without a database.

use ergon_manifest::Application;

use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Strength, UsualRuntime,
    counted,
};
use crate::analysis::Topic;
use crate::environment::{self, Need, Read};
use crate::scan::Scan;
use crate::sources::{Sources, Text};
use crate::versions::{self, Part};
use crate::{names, services, version_files};

/// What Debian packages.
const USUAL: UsualRuntime = UsualRuntime {
    name: "elixir",
    label: "Elixir",
    version: "1.14",
    remedy: "echo \"elixir 1.14.0\" >> .tool-versions",
};
const MINOR_VERSIONS: [u32; 12] = [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Elixir",
    languages: &["elixir"],
    looks_for: "Elixir: mix.exs",
    markers: &["mix.exs"],
    detect,
    droppings: &["_build", "deps", ".elixir_ls"],
    packing,
};

/// Mix starts the program from what it has compiled, so that the image it was built in is the one it runs in.
fn packing(_: &Packed<'_>) -> Packing {
    Packing {
        env: vec![
            ("LANG", "C.UTF-8".to_owned()),
            ("MIX_ENV", "prod".to_owned()),
            ("MIX_HOME", "/app/.mix".to_owned()),
            ("HEX_HOME", "/app/.hex".to_owned()),
        ],
        ..Packing::default()
    }
}

/// What `mix.exs` says.
struct Mix {
    app: Option<String>,
    elixir: Option<(String, usize)>,
    /// Dependencies and their lines.
    deps: Vec<(String, usize)>,
}

impl Mix {
    fn parse(text: &str) -> Self {
        let comments = &["#"];
        let app = Scan::behind(text, "app:", comments)
            .find_map(|mut scan| scan.eat(":").then(|| scan.word()).flatten());
        let elixir = Scan::behind(text, "elixir:", comments).find_map(|mut scan| {
            let line = scan.line();
            Some((scan.string(&['"'])?.to_owned(), line))
        });
        let deps = Scan::behind(text, "{:", comments).filter_map(|mut scan| {
            let line = scan.line();
            let name = scan.word()?.to_owned();
            scan.eat(",").then_some((name, line))
        });
        Self {
            app: app.map(str::to_owned),
            elixir,
            deps: deps.collect(),
        }
    }

    fn line_of(&self, name: &str) -> Option<usize> {
        let (_, line) = self.deps.iter().find(|(dep, _)| dep == name)?;
        Some(*line)
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let text = sources.text("mix.exs")?;
    let mix = Mix::parse(&text);
    let mut report = Report::default();
    report.certain(Topic::Language, "Elixir", "mix.exs");
    let phoenix = mix.line_of("phoenix");
    if let Some(line) = phoenix {
        report.certain(Topic::Framework, "Phoenix", format!("mix.exs:{line}"));
    }
    let runtime = report.runtime(&USUAL, claims(sources, &mix));
    let texts = sources.program_texts(&["ex", "exs"]);
    let mut application = Application {
        kind: if phoenix.is_some() {
            "phoenix"
        } else {
            "elixir"
        }
        .to_owned(),
        language: "elixir".to_owned(),
        dependencies: Some("mix.exs".to_owned()),
        package_manager: Some("mix".to_owned()),
        ..Application::default()
    };
    report.certain(Topic::PackageManager, "mix", "mix.exs");
    dependencies(sources, &mix, &mut report);
    build(sources, &mix, &texts, &mut application, &mut report);
    start(sources, &mix, &texts, &mut application, &mut report);
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| variables(path, text))
        .collect();
    application.env = environment::told(&reads, &mut report);
    let listed = mix
        .deps
        .iter()
        .map(|(name, line)| (name.as_str(), format!("mix.exs:{line}")));
    application.services =
        services::of_dependencies(services::Packages::Elixir, listed, &mut report);
    let base_image = format!("elixir:{}", runtime.version);
    application.runtime = Some(runtime);
    Some(Found {
        strength: match (&application.run_command, phoenix) {
            (None, _) => Strength::Sources,
            (Some(_), None) => Strength::Program,
            (Some(_), Some(_)) => Strength::Framework,
        },
        name: mix.app.as_deref().and_then(names::from_package),
        application,
        base_image,
        delegates: false,
        report,
    })
}

fn claims(sources: &Sources<'_>, mix: &Mix) -> Vec<Claim> {
    let files = version_files::only(sources, ".elixir-version").into_iter();
    let named = files
        .chain(version_files::of_tool(sources, "elixir"))
        .filter_map(|said| {
            let version = said.version.split("-otp").next().unwrap_or(&said.version);
            version_files::is_dotted(version).then(|| Claim::exactly(version, said.from.clone()))
        });
    let buildpack = sources.text("elixir_buildpack.config").and_then(|text| {
        text.lines().enumerate().find_map(|(index, line)| {
            let version = line.trim().strip_prefix("elixir_version=")?;
            version_files::is_dotted(version)
                .then(|| Claim::exactly(version, format!("elixir_buildpack.config:{}", index + 1)))
        })
    });
    let range = mix.elixir.as_ref().and_then(|(range, line)| {
        let minor = versions::choose(range, &MINOR_VERSIONS, 14, Part::MinorOf(1))?;
        Some(Claim::range(
            range,
            format!("1.{minor}"),
            format!("mix.exs:{line}"),
        ))
    });
    named.chain(buildpack).chain(range).collect()
}

fn dependencies(sources: &Sources<'_>, mix: &Mix, report: &mut Report) {
    report.certain(
        Topic::Dependencies,
        counted(mix.deps.len(), "package"),
        "mix.exs",
    );
    let lock = sources.text("mix.lock");
    let missing = lock.as_ref().and_then(|lock| {
        // A package that is a folder of the project, or of another's repository, may stand for itself.
        mix.deps
            .iter()
            .find(|(name, _)| !lock.contains(&format!("\"{name}\":")))
    });
    let (state, note) = match (&lock, missing) {
        (Some(_), None) => (LockState::Locked, "mix.lock holds every package".to_owned()),
        (Some(_), Some((name, _))) => (LockState::Stale, format!("{name} is not in it")),
        (None, _) if mix.deps.is_empty() => {
            (LockState::Locked, "nothing is depended on".to_owned())
        }
        (None, _) => (LockState::Missing, "there is no mix.lock".to_owned()),
    };
    let pinned = if state == LockState::Locked {
        "yes"
    } else {
        "no"
    };
    report
        .certain(Topic::Pinned, pinned, "mix.exs")
        .note(note.clone());
    report.lock(state, "mix.lock", note);
    if state == LockState::Missing {
        report.ask(
            "Which packages exactly? there is no mix.lock.",
            "mix deps.get, and commit mix.lock",
        );
    }
}

fn build(
    sources: &Sources<'_>,
    mix: &Mix,
    texts: &[Text<'_>],
    application: &mut Application,
    report: &mut Report,
) {
    let mut commands = vec![
        "mix local.hex --force && mix local.rebar --force".to_owned(),
        "mix deps.get --only prod".to_owned(),
        "mix compile".to_owned(),
    ];
    let deploys = texts
        .iter()
        .any(|(path, text)| *path == "mix.exs" && text.contains("\"assets.deploy\""));
    if deploys && sources.has_folder("assets") {
        commands.push("mix assets.deploy".to_owned());
    } else if mix.line_of("phoenix").is_some() && sources.has_folder("priv/static") {
        commands.push("mix phx.digest".to_owned());
    }
    for command in &commands {
        report.likely(Topic::BuildCommand, command, "mix.exs");
    }
    application.build_commands = commands;
}

fn start(
    sources: &Sources<'_>,
    mix: &Mix,
    texts: &[Text<'_>],
    application: &mut Application,
    report: &mut Report,
) {
    if let Some(line) = mix.line_of("phoenix") {
        let run = "mix phx.server";
        report
            .likely(Topic::RunCommand, run, format!("mix.exs:{line}"))
            .note("Phoenix's own task");
        application.run_command = Some(run.to_owned());
        application.ports = vec![report.port(&Port::usual(4000, "Phoenix's default"))];
        if mix.line_of("ecto_sql").is_some() && sources.has_folder("priv/repo/migrations") {
            report.ask(
                "When are migrations run? Nothing in the project says.",
                "mix ecto.migrate, before it is started",
            );
        }
        return;
    }
    let supervised = texts
        .iter()
        .find(|(path, text)| *path == "mix.exs" && text.contains("mod: {"));
    if let Some((path, _)) = supervised {
        let run = "mix run --no-halt";
        report
            .likely(Topic::RunCommand, run, *path)
            .note("its application starts by itself");
        application.run_command = Some(run.to_owned());
        let web = ["plug_cowboy", "bandit", "cowboy"]
            .iter()
            .find_map(|name| mix.line_of(name));
        if web.is_some() {
            application.ports = vec![report.port(&Port::usual(4000, "usual for Plug"))];
        }
    }
}

fn variables(path: &str, text: &str) -> Vec<Read> {
    let comments: &[&str] = &["#"];
    let places = [
        ("System.get_env", Need::Optional),
        ("System.fetch_env!", Need::Required),
    ];
    let found = places.into_iter().flat_map(|(word, need)| {
        Scan::behind(text, word, comments).filter_map(move |mut scan| {
            let from = format!("{path}:{}", scan.line());
            scan.eat("(");
            let name = scan.string(&['"'])?.to_owned();
            let default = scan.eat(",").then(|| scan.string(&['"'])).flatten();
            let need = match default {
                Some(default) => Need::Default(default.to_owned()),
                None => need.clone(),
            };
            Some(Read { name, need, from })
        })
    });
    found.collect()
}
