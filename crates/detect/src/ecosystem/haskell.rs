//! Haskell: Stack and Cabal.

mod version;

use super::compiled::Compiled;
use super::{Ecosystem, Found, LockState, Packed, Packing, Port, Report, Toolchain, UsualRuntime};
use crate::analysis::Topic;
use crate::environment::{Need, Read};
use crate::plan::shell_quoted;
use crate::scan::{self, Scan};
use crate::sources::{Sources, Text};

/// What Debian packages.
const USUAL: UsualRuntime = UsualRuntime {
    name: "ghc",
    label: "GHC",
    version: "9.0",
    remedy: "write `with-compiler: ghc-9.0.2` into cabal.project",
};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Haskell",
    languages: &["haskell"],
    looks_for: "Haskell: stack.yaml, package.yaml or a .cabal file",
    markers: &["stack.yaml", "package.yaml", "*.cabal"],
    detect,
    droppings: &[".stack-work", "dist-newstyle"],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let version = program.version(USUAL.version);
    let is_old = ["8.2", "8.4", "8.6", "8.8"]
        .iter()
        .any(|old| version.starts_with(old));
    // There are no small images of what is so old.
    let slim = if is_old { "" } else { "-slim" };
    let toolchain = Toolchain {
        image: format!("haskell:{version}{slim}"),
        env: Vec::new(),
        source_only: &[],
    };
    Packing {
        toolchain: (!program.starts_from("haskell")).then_some(toolchain),
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let cabal = sources.name_ending(".cabal");
    let stack = sources.has("stack.yaml");
    let file = if stack {
        "stack.yaml"
    } else {
        cabal.or_else(|| sources.first_of(&["package.yaml"]))?
    };
    let mut report = Report::default();
    report.certain(Topic::Language, "Haskell", file);
    let package = sources.document("package.yaml");
    let text = cabal
        .and_then(|file| sources.text(file))
        .unwrap_or_default();
    let field = |name: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim()
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    let name = package
        .as_ref()
        .and_then(|package| package.text(&["name"]).map(str::to_owned))
        .or_else(|| field("name"));
    let declared = text.lines().find_map(|line| {
        line.strip_prefix("executable ")
            .map(|name| name.trim().to_owned())
    });
    let program = package
        .as_ref()
        .and_then(|package| {
            let named = package
                .table(&["executables"])
                .next()
                .map(|(name, _)| name.to_owned());
            named.or_else(|| package.get(&["executable"]).and(name.clone()))
        })
        .or(declared);
    let depends = |library: &str| {
        let listed = package.as_ref().is_some_and(|package| {
            package
                .get(&["dependencies"])
                .and_then(serde_json::Value::as_array)
                .is_some_and(|all| {
                    all.iter()
                        .filter_map(serde_json::Value::as_str)
                        .any(|one| one.split_whitespace().next() == Some(library))
                })
        });
        listed || Scan::behind(&text, library, &["--"]).next().is_some()
    };
    let frameworks = [
        ("servant-server", "Servant"),
        ("yesod", "Yesod"),
        ("scotty", "Scotty"),
        ("ihp", "IHP"),
        ("warp", "Warp"),
    ];
    let framework = frameworks.iter().find(|(library, _)| depends(library));
    if let Some((_, label)) = framework {
        report.likely(Topic::Framework, *label, cabal.unwrap_or(file));
    }
    let runtime = report.runtime(&USUAL, version::claims(sources, stack, cabal));
    let lock = if stack {
        "stack.yaml.lock"
    } else {
        "cabal.project.freeze"
    };
    if sources.has(lock) {
        report.lock(
            LockState::Locked,
            lock,
            format!("{lock} pins every package"),
        );
    } else {
        report.lock(LockState::Missing, lock, format!("there is no {lock}"));
    }
    let texts = sources.program_texts(&["hs"]);
    let reads = texts
        .iter()
        .flat_map(|(path, text)| variables(path, text))
        .collect();
    let build_commands = if stack {
        vec!["stack build --copy-bins --local-bin-path bin".to_owned()]
    } else {
        vec![
            "cabal update".to_owned(),
            "cabal install --install-method=copy --installdir=bin".to_owned(),
        ]
    };
    let compiled = Compiled {
        language: "haskell",
        kind: framework.map_or("haskell", |(library, _)| library),
        name,
        file,
        package_manager: Some(if stack { "stack" } else { "cabal" }),
        build_commands,
        run_command: program.map(|program| format!("./bin/{}", shell_quoted(&program))),
        artifacts: vec!["bin".to_owned()],
        system_packages: ["libffi8", "libgmp10"].map(str::to_owned).to_vec(),
        runtime: Some(runtime),
        base_image: "debian:bookworm-slim".to_owned(),
        port: framework.map(|(_, label)| {
            port(&texts).unwrap_or_else(|| Port::usual(3000, &format!("usual for {label}")))
        }),
        reads,
        is_framework: framework.is_some(),
    };
    Some(compiled.found(report))
}

/// `scotty 3000`, `run 8081 app`, `warp 3000 App`, `setPort 8080`: where a framework is told to listen.
fn port(texts: &[Text<'_>]) -> Option<Port> {
    texts.iter().find_map(|(path, text)| {
        ["scotty", "run", "warp", "setPort", "runEnv"]
            .into_iter()
            .flat_map(|word| Scan::behind(text, word, &["--"]))
            .find_map(|mut scan| {
                let from = format!("{path}:{}", scan.line());
                let behind = scan.rest().starts_with([' ', '(']);
                scan.eat("(");
                let number = scan.number().and_then(scan::port)?;
                (behind && number >= 1024).then(|| Port::written(number, from))
            })
    })
}

fn variables(path: &str, text: &str) -> Vec<Read> {
    let words = [("lookupEnv", Need::Optional), ("getEnv", Need::Required)];
    let found = words.into_iter().flat_map(|(word, need)| {
        Scan::behind(text, word, &["--"]).filter_map(move |mut scan| {
            let line = scan.line();
            let name = scan.string(&['"'])?.to_owned();
            let before = text.lines().nth(line - 1)?.split(word).next()?;
            let need = fallback(before).map_or(need.clone(), Need::Default);
            let from = format!("{path}:{line}");
            Some(Read { name, need, from })
        })
    });
    found.collect()
}

/// `maybe 8080 read <$> `, `fromMaybe "8080" <$> `: what stands before a variable that may be absent.
fn fallback(before: &str) -> Option<String> {
    let (_, rest) = before
        .rsplit_once("fromMaybe ")
        .or_else(|| before.rsplit_once("maybe "))?;
    let rest = rest.trim_start();
    if let Some(text) = rest.strip_prefix('"') {
        return text.split_once('"').map(|(text, _)| text.to_owned());
    }
    let word = rest.split_whitespace().next()?;
    word.parse::<u64>().ok().map(|number| number.to_string())
}
