//! Perl: cpanfile, PSGI programs and scripts.

use super::compiled::Compiled;
use super::{Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, UsualRuntime};
use crate::analysis::Topic;
use crate::environment::{Need, Read};
use crate::plan::shell_quoted;
use crate::scan::Scan;
use crate::sources::Sources;
use crate::version_files;

/// What Debian packages.
const USUAL: UsualRuntime = UsualRuntime {
    name: "perl",
    label: "Perl",
    version: "5.36",
    remedy: "echo 5.36 > .perl-version",
};

const USUAL_MINOR: u32 = 36;

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Perl",
    languages: &["perl"],
    looks_for: "Perl: cpanfile, or a .psgi or .pl file at the root",
    markers: &["cpanfile"],
    detect,
    droppings: &["local"],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let root = program.root();
    Packing {
        env: vec![
            ("PERL5LIB", format!("{root}/local/lib/perl5:{root}/lib")),
            ("PATH", program.path(&["local/bin"])),
        ],
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let psgi = sources
        .first_of(&["app.psgi", "bin/app.psgi"])
        .or_else(|| sources.name_ending(".psgi"));
    let script = sources
        .first_of(&[
            "app.pl",
            "main.pl",
            "index.pl",
            "server.pl",
            "script/app.pl",
        ])
        .or_else(|| sources.name_ending(".pl"))
        .or_else(|| mojolicious_script(sources));
    let cpanfile = sources.has("cpanfile");
    let manifest = sources.first_of(&["cpanfile", "Makefile.PL", "Build.PL"]);
    let file = match (manifest, psgi.or(script)) {
        (Some("cpanfile"), _) => "cpanfile",
        // Other languages have such files beside what they bind.
        (_, program) => program.map(|program| manifest.unwrap_or(program))?,
    };
    let mut report = Report::default();
    report.certain(Topic::Language, "Perl", file);
    let listed = manifest
        .and_then(|file| sources.text(file))
        .unwrap_or_default();
    let program = script
        .and_then(|script| sources.text(script))
        .unwrap_or_default();
    let uses = |module: &str| {
        Scan::behind(&listed, module, &["#"]).next().is_some()
            || Scan::behind(&program, module, &["#"]).next().is_some()
    };
    let frameworks = [
        ("Mojolicious", "mojolicious", "Mojolicious"),
        ("Dancer2", "dancer2", "Dancer2"),
        ("Catalyst::Runtime", "catalyst", "Catalyst"),
        ("Plack", "plack", "Plack"),
    ];
    let framework = frameworks.iter().find(|(module, ..)| uses(module));
    if let Some((_, _, label)) = framework {
        report.likely(Topic::Framework, *label, file);
    }
    let named = version_files::claims(sources, &[".perl-version"], &["perl"]);
    let runtime = report.runtime(&USUAL, named.chain(least(&listed)));
    if sources.has("cpanfile.snapshot") {
        report.lock(
            LockState::Locked,
            "cpanfile.snapshot",
            "it pins every module",
        );
    } else if cpanfile {
        report.lock(
            LockState::Missing,
            "cpanfile.snapshot",
            "there is no cpanfile.snapshot",
        );
    }
    let mojo = framework.is_some_and(|(_, kind, _)| *kind == "mojolicious");
    let run = match (psgi, script) {
        (Some(psgi), _) => Some(format!(
            "plackup --host 0.0.0.0 --port ${{PORT:-5000}} {}",
            shell_quoted(psgi)
        )),
        (None, Some(script)) if mojo => Some(format!(
            "perl {} daemon -l http://0.0.0.0:${{PORT:-3000}}",
            shell_quoted(script)
        )),
        (None, Some(script)) => Some(format!("perl {}", shell_quoted(script))),
        (None, None) => None,
    };
    let port = match (psgi, mojo) {
        (Some(_), _) => Some(Port::usual(5000, "plackup's default")),
        (None, true) => Some(Port::usual(3000, "Mojolicious's default")),
        _ => None,
    };
    let mut reads: Vec<_> = sources
        .program_texts(&["pl", "pm", "psgi"])
        .iter()
        .flat_map(|(path, text)| variables(path, text))
        .collect();
    if let Some(port) = &port {
        reads.push(Read {
            name: "PORT".to_owned(),
            need: Need::Default(port.number.to_string()),
            from: file.to_owned(),
        });
    }
    let build_commands = install(manifest, &listed, framework.map(|(module, ..)| *module));
    if let (None, Some((module, ..))) = (manifest, framework) {
        report.ask(
            format!("Which modules? Nothing lists them, and {file} uses {module}."),
            format!("echo \"requires '{module}';\" > cpanfile"),
        );
    }
    let base_image = format!("perl:{}", runtime.version);
    let compiled = Compiled {
        language: "perl",
        kind: framework.map_or("perl", |(_, kind, _)| kind),
        name: None,
        file,
        package_manager: manifest.map(|_| "cpanm"),
        build_commands,
        run_command: run,
        artifacts: Vec::new(),
        system_packages: Vec::new(),
        runtime: Some(runtime),
        base_image,
        port,
        reads,
        is_framework: framework.is_some(),
    };
    Some(compiled.found(report))
}

/// The script of a Mojolicious program that is a distribution.
fn mojolicious_script<'a>(sources: &Sources<'a>) -> Option<&'a str> {
    let mut scripts = sources.files().iter().copied().filter(|path| {
        let name = path.strip_prefix("script/");
        name.is_some_and(|name| !name.contains(['/', '.']))
    });
    scripts.find(|path| {
        let text = sources.text(path);
        text.is_some_and(|text| text.contains("Mojolicious::Commands"))
    })
}

/// What brings the modules: those listed, else the framework that the program uses.
fn install(manifest: Option<&str>, listed: &str, framework: Option<&str>) -> Vec<String> {
    let cpanm = |what: &str| format!("cpanm --notest --local-lib-contained local {what}");
    let mut commands = Vec::new();
    // Such a list is a program that needs modules itself.
    let lists_by_module =
        manifest == Some("Makefile.PL") && listed.contains("inc::Module::Install");
    if lists_by_module {
        let catalyst = if listed.contains("catalyst") {
            " Module::Install::Catalyst"
        } else {
            ""
        };
        commands.push(cpanm(&format!("Module::Install{catalyst}")));
    }
    match (manifest, framework) {
        (Some(_), _) => commands.push(cpanm("--installdeps .")),
        (None, Some(framework)) => commands.push(cpanm(framework)),
        (None, None) => {}
    }
    commands
}

/// `requires 'perl', '5.34';`: the least that the program runs on. `5.010001` is how older ones are written.
fn least(listed: &str) -> Option<Claim> {
    Scan::behind(listed, "requires", &["#"]).find_map(|mut scan| {
        let from = format!("cpanfile:{}", scan.line());
        let quotes = &['\'', '"'];
        scan.eat("(");
        if scan.string(quotes)? != "perl" || !(scan.eat("=>") || scan.eat(",")) {
            return None;
        }
        let said = scan.string(quotes)?;
        let version = said.trim_start_matches(['v', '>', '=', ' ']);
        let minor = version.strip_prefix("5.")?;
        let minor: u32 = match minor.split_once('.') {
            Some((minor, _)) => minor.parse().ok()?,
            None => minor.get(..3).unwrap_or(minor).parse().ok()?,
        };
        // Only even ones are for use, and what is old runs on the usual one.
        let even = minor + minor % 2;
        let chosen = even.max(USUAL_MINOR);
        let claim = Claim::range(said, format!("5.{chosen}"), from);
        Some(claim.needing(format!(">=5.{minor}")))
    })
}

fn variables(path: &str, text: &str) -> Vec<Read> {
    Scan::behind(text, "$ENV{", &["#"])
        .filter_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            let quoted = scan.string(&['"', '\'']).map(str::to_owned);
            let name = quoted.or_else(|| scan.word().map(str::to_owned))?;
            let default = (scan.eat("}") && (scan.eat("//") || scan.eat("||")))
                .then(|| scan.string(&['"', '\'']).or_else(|| scan.number()))
                .flatten();
            let need = default.map_or(Need::Optional, |default| Need::Default(default.to_owned()));
            Some(Read { name, need, from })
        })
        .collect()
}
