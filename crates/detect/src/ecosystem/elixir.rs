//! Elixir: Mix, and Phoenix with and without a database.

mod mix;
mod script;
mod source;

use ergon_manifest::Application;

use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Strength, UsualRuntime,
    counted,
};
use crate::analysis::Topic;
use crate::environment;
use crate::plan::shell_quoted;
use crate::sources::{Sources, Text};
use crate::versions::{self, Part};
use crate::{names, services, version_files};
use mix::{FILE, Mix};

/// What Debian packages.
const USUAL: UsualRuntime = UsualRuntime {
    name: "elixir",
    label: "Elixir",
    version: "1.14",
    remedy: "echo \"elixir 1.14.0\" >> .tool-versions",
};
const MINOR_VERSIONS: [u32; 12] = [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
/// Whoever began a project with an older one has written more since than its version.
const OLDEST_AS_WRITTEN: u32 = 12;
/// The major versions of Erlang that there are images with, by Elixir's minor version.
const ERLANG: [(u32, u32, u32); 6] = [
    (14, 24, 25),
    (15, 24, 26),
    (16, 24, 26),
    (17, 25, 27),
    (18, 25, 27),
    (19, 26, 28),
];
/// Mix takes what is older than the year 2000 for stale, and would compile it again as it starts.
const MILLENNIUM: u32 = 946_684_800;
/// Where `mix release` leaves what it makes.
const RELEASES: &str = "_build/prod/rel";

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
fn packing(program: &Packed<'_>) -> Packing {
    let mut env = vec![
        ("LANG", "C.UTF-8".to_owned()),
        ("MIX_ENV", "prod".to_owned()),
        ("MIX_HOME", "/app/.mix".to_owned()),
        ("HEX_HOME", "/app/.hex".to_owned()),
    ];
    let run = program.application.run_command.as_deref().unwrap_or("");
    // A release serves only where it is told to.
    if program.application.kind == "phoenix" && run.contains(RELEASES) {
        env.push(("PHX_SERVER", "true".to_owned()));
    }
    Packing {
        env,
        builds_in_env: true,
        source_date_epoch: Some(MILLENNIUM),
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let Some(mix) = Mix::read(sources) else {
        return script::detect(sources);
    };
    let mut report = Report::default();
    report.certain(Topic::Language, "Elixir", FILE);
    let phoenix = mix.dependency("phoenix");
    let plug = ["plug_cowboy", "bandit", "plug"]
        .iter()
        .find_map(|name| mix.dependency(name));
    let (kind, framework) = match (phoenix, plug) {
        (Some(phoenix), _) => ("phoenix", Some(("Phoenix", phoenix))),
        (None, Some(plug)) => ("plug", Some(("Plug", plug))),
        (None, None) => ("elixir", None),
    };
    if let Some((label, dependency)) = framework {
        report.certain(Topic::Framework, label, &dependency.from);
    }
    let runtime = report.runtime(&USUAL, claims(sources, &mix));
    let texts: Vec<_> = sources
        .program_texts(&["ex", "exs"])
        .into_iter()
        .filter(|(path, _)| !is_elsewhere(path))
        .collect();
    let mut application = Application {
        kind: kind.to_owned(),
        language: "elixir".to_owned(),
        dependencies: Some(FILE.to_owned()),
        package_manager: Some("mix".to_owned()),
        ..Application::default()
    };
    report.certain(Topic::PackageManager, "mix", FILE);
    dependencies(sources, &mix, &mut report);
    build(sources, &mix, &texts, &mut application, &mut report);
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| source::variables(path, text))
        .collect();
    let listens = || {
        texts
            .iter()
            .find_map(|(path, text)| source::listens(path, text))
    };
    let port = Port::of_reads(&reads).or_else(|| listens().filter(|_| phoenix.is_none()));
    start(sources, &mix, port, &mut application, &mut report);
    application.env = environment::told(&reads, &mut report);
    let listed = mix
        .dependencies
        .iter()
        .map(|one| (one.name.as_str(), one.from.clone()));
    application.services =
        services::of_dependencies(services::Packages::Elixir, listed, &mut report);
    let erlang = erlang(sources, &runtime.version);
    let base_image = match erlang {
        Some(erlang) => format!("elixir:{}-otp-{erlang}", runtime.version),
        None => format!("elixir:{}", runtime.version),
    };
    application.runtime = Some(runtime);
    Some(Found {
        strength: match (&application.run_command, framework) {
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

/// Settings for a person's own machine, and for tests.
fn is_elsewhere(path: &str) -> bool {
    let mut elements = path.rsplit('/');
    matches!(elements.next(), Some("dev.exs" | "test.exs")) && elements.next() == Some("config")
}

/// The major version of Erlang that the project asks for, where there is an image with it.
fn erlang(sources: &Sources<'_>, elixir: &str) -> Option<u32> {
    let minor: u32 = elixir.split('.').nth(1)?.parse().ok()?;
    let behind = |said: &version_files::Said| {
        let (_, otp) = said.version.split_once("-otp-")?;
        otp.parse().ok()
    };
    let major = |version: &str| version.split('.').next()?.parse::<u32>().ok();
    let named = version_files::only(sources, ".elixir-version")
        .into_iter()
        .chain(version_files::of_tool(sources, "elixir"))
        .find_map(|said| behind(&said));
    let wanted = named
        .or_else(|| {
            let said = version_files::of_tool(sources, "erlang");
            said.iter().find_map(|said| major(&said.version))
        })
        .or_else(|| {
            let (version, _) = buildpack(sources, "erlang_version")?;
            major(&version)
        })?;
    ERLANG
        .iter()
        .any(|(elixir, least, most)| *elixir == minor && (*least..=*most).contains(&wanted))
        .then_some(wanted)
}

/// What `elixir_buildpack.config` says, and where.
fn buildpack(sources: &Sources<'_>, key: &str) -> Option<(String, String)> {
    let file = "elixir_buildpack.config";
    let text = sources.text(file)?;
    text.lines().enumerate().find_map(|(index, line)| {
        let version = line
            .trim()
            .strip_prefix(key)?
            .trim_start()
            .strip_prefix('=')?
            .trim()
            .trim_matches(['"', '\'']);
        version_files::is_dotted(version)
            .then(|| (version.to_owned(), format!("{file}:{}", index + 1)))
    })
}

/// The versions that files name which are there for nothing else.
fn named(sources: &Sources<'_>) -> Vec<Claim> {
    let files = version_files::only(sources, ".elixir-version").into_iter();
    let said = files.chain(version_files::of_tool(sources, "elixir"));
    said.map(|said| {
        said.claim(|version| {
            let version = version.split("-otp").next().unwrap_or(version);
            version_files::is_dotted(version).then(|| version.to_owned())
        })
    })
    .collect()
}

fn claims(sources: &Sources<'_>, mix: &Mix) -> Vec<Claim> {
    let buildpack =
        buildpack(sources, "elixir_version").map(|(version, from)| Claim::exactly(version, from));
    let range = mix.elixir.as_ref().and_then(|(range, from)| {
        // A new project is written with the version that it is begun with.
        let written = range
            .strip_prefix("~>")
            .and_then(|range| range.trim().split(['.', '-', ' ']).nth(1)?.parse().ok())
            .filter(|minor| *minor >= OLDEST_AS_WRITTEN);
        let minor = versions::choose(
            range,
            &MINOR_VERSIONS,
            written.unwrap_or(14),
            Part::MinorOf(1),
        )?;
        Some(Claim::range(range, format!("1.{minor}"), from))
    });
    let named = named(sources).into_iter();
    named.chain(buildpack).chain(range).collect()
}

fn dependencies(sources: &Sources<'_>, mix: &Mix, report: &mut Report) {
    report.certain(
        Topic::Dependencies,
        counted(mix.dependencies.len(), "package"),
        "mix.exs",
    );
    let lock = sources.text("mix.lock");
    let missing = lock.as_ref().and_then(|lock| {
        mix.dependencies
            .iter()
            .find(|one| !one.is_local && !lock.contains(&format!("\"{}\":", one.name)))
    });
    let (state, note) = match (&lock, missing) {
        (Some(_), None) => (LockState::Locked, "mix.lock holds every package".to_owned()),
        (Some(_), Some(one)) => (LockState::Stale, format!("{} is not in it", one.name)),
        (None, _) if mix.dependencies.iter().all(|one| one.is_local) => {
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
    let mut commands = Vec::new();
    if mix.dependencies.iter().any(|one| !one.is_local) {
        commands.push("mix local.hex --force && mix local.rebar --force".to_owned());
        commands.push("mix deps.get --only prod".to_owned());
    }
    commands.push("mix compile".to_owned());
    assets(sources, mix, texts, application, &mut commands);
    if mix.script.is_some() {
        commands.push("mix escript.build".to_owned());
    }
    if let Some(release) = release(sources, mix) {
        commands.push(format!("mix release {} --overwrite", release.name).replace("  ", " "));
    }
    for command in &commands {
        report.likely(Topic::BuildCommand, command, FILE);
    }
    for package in &application.system_packages {
        report
            .likely(Topic::SystemPackage, package, "assets/package.json")
            .note("what builds the pages");
    }
    application.build_commands = commands;
}

/// What pages need beside their templates.
fn assets(
    sources: &Sources<'_>,
    mix: &Mix,
    texts: &[Text<'_>],
    application: &mut Application,
    commands: &mut Vec<String>,
) {
    let Some(folder) = mix.folder_with(sources, "assets") else {
        if mix.dependency("phoenix").is_some()
            && let Some(folder) = mix.folder_with(sources, "priv/static")
        {
            commands.push(within(&folder, "mix phx.digest"));
        }
        return;
    };
    let file = format!("{folder}assets/package.json");
    let package = sources
        .has(&file)
        .then(|| sources.document(&file))
        .flatten();
    let packages = ["dependencies", "devDependencies"];
    let is_node = package
        .as_ref()
        .is_some_and(|package| packages.iter().any(|key| package.get(&[key]).is_some()));
    if is_node {
        let locked = sources.has(&format!("{folder}assets/package-lock.json"));
        let install = if locked { "ci" } else { "install" };
        commands.push(within(&folder, &format!("npm {install} --prefix assets")));
        application.system_packages = ["nodejs", "npm"].map(str::to_owned).to_vec();
    }
    let mix_file = format!("{folder}{FILE}");
    let deploys = texts.iter().any(|(path, text)| {
        (*path == FILE || *path == mix_file) && text.contains("\"assets.deploy\"")
    });
    let has_script = package.is_some_and(|package| package.get(&["scripts", "deploy"]).is_some());
    if deploys {
        commands.push(within(&folder, "mix assets.deploy"));
    } else {
        if has_script {
            commands.push(within(&folder, "npm run deploy --prefix assets"));
        }
        if mix.dependency("phoenix").is_some() {
            commands.push(within(&folder, "mix phx.digest"));
        }
    }
}

/// A command in a member's folder.
fn within(folder: &str, command: &str) -> String {
    match folder.trim_end_matches('/') {
        "" => command.to_owned(),
        folder => format!("cd {} && {command}", shell_quoted(folder)),
    }
}

/// A release that the project describes.
struct Release {
    /// Empty where there is but one, which needs no name.
    name: String,
    run: String,
    from: String,
}

fn release(sources: &Sources<'_>, mix: &Mix) -> Option<Release> {
    let script = "rel/overlays/bin/server";
    let has_script = sources.has(script);
    let (name, from) = match &mix.release {
        Some((name, from)) => (name.clone(), from.clone()),
        None => (mix.app.clone().filter(|_| has_script)?, script.to_owned()),
    };
    let program = if has_script {
        "server".to_owned()
    } else {
        format!("{name} start")
    };
    Some(Release {
        run: format!("{RELEASES}/{name}/bin/{program}"),
        name: mix.release.as_ref().map(|_| name).unwrap_or_default(),
        from,
    })
}

fn start(
    sources: &Sources<'_>,
    mix: &Mix,
    port: Option<Port>,
    application: &mut Application,
    report: &mut Report,
) {
    let phoenix = mix.dependency("phoenix");
    let release = release(sources, mix);
    let (run, from, note) = if let Some(release) = &release {
        (release.run.clone(), release.from.clone(), "its release")
    } else if let Some(phoenix) = phoenix {
        let run = "mix phx.server".to_owned();
        (run, phoenix.from.clone(), "Phoenix's own task")
    } else if let Some((name, from)) = &mix.script {
        let run = format!("./{}", shell_quoted(name));
        (run, from.clone(), "what `mix escript.build` makes")
    } else if let Some(from) = &mix.starts {
        let run = "mix run --no-halt".to_owned();
        (run, from.clone(), "its application starts by itself")
    } else {
        return;
    };
    let migrates = mix.dependency("ecto_sql").is_some()
        && mix.folder_with(sources, "priv/repo/migrations").is_some();
    let (run, note) = if migrates {
        (
            format!("mix ecto.migrate && {run}"),
            format!("{note}, once its database is as it wants it"),
        )
    } else {
        (run, note.to_owned())
    };
    report.likely(Topic::RunCommand, &run, from).note(note);
    application.run_command = Some(run);
    let web = ["plug_cowboy", "bandit", "cowboy"];
    let usual = if phoenix.is_some() {
        Some(Port::usual(4000, "Phoenix's default"))
    } else if web.iter().any(|name| mix.dependency(name).is_some()) {
        Some(Port::usual(4000, "usual for Plug"))
    } else {
        None
    };
    if let Some(port) = port.or(usual) {
        application.ports = vec![report.port(&port)];
    }
}
