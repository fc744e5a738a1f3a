//! Pages in Rust: those that Trunk builds for browsers, and those that Leptos also writes on a server.

use ergon_manifest::Application;

use super::package::{Package, Workspace};
use super::{IN_BROWSERS, RELEASE, USUAL, release, version};
use crate::analysis::Topic;
use crate::ecosystem::{Found, Port, Report, Strength, Toolchain};
use crate::environment::{Need, Read};
use crate::names;
use crate::scan;
use crate::sources::Sources;
use crate::web_server::{self, Fallback};

const TARGET: &str = "rustup target add wasm32-unknown-unknown";

/// A site that Trunk builds; none where the project does not say that it does.
pub(super) fn of_trunk(
    sources: &Sources<'_>,
    package: &Package,
    workspace: Option<&Workspace>,
    report: &mut Report,
) -> Option<Found> {
    let settings = sources
        .has("Trunk.toml")
        .then(|| sources.document("Trunk.toml"))
        .flatten();
    let page = sources.has("index.html").then_some("index.html");
    let names_it = || {
        sources
            .text("index.html")
            .is_some_and(|text| text.contains("data-trunk"))
    };
    let from = if settings.is_some() {
        "Trunk.toml"
    } else {
        page.filter(|_| names_it())?
    };
    let dependencies = package.dependencies(workspace);
    let framework = dependencies
        .iter()
        .find(|one| one.runs && IN_BROWSERS.contains(&one.name.as_str()));
    let kind = framework.map_or("trunk", |framework| framework.name.as_str());
    match framework {
        Some(framework) => report.certain(Topic::Framework, kind, &framework.from),
        None => report.certain(Topic::Framework, "Trunk", from),
    };
    let said = settings
        .as_ref()
        .and_then(|settings| settings.text(&["build", "dist"]));
    let plain = |folder: &&str| {
        !folder.contains("..")
            && !folder.starts_with('/')
            && folder
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || "-_./".contains(one))
    };
    let folder = said.filter(plain).unwrap_or("dist");
    let mut application = Application {
        kind: kind.to_owned(),
        language: "rust".to_owned(),
        dependencies: Some("Cargo.toml".to_owned()),
        package_manager: Some("cargo".to_owned()),
        ..Application::default()
    };
    report.certain(Topic::PackageManager, "cargo", "Cargo.toml");
    let claims = version::claims(sources, package, workspace, None);
    let claims = claims.into_iter().map(|(claim, _)| claim);
    application.runtime = Some(report.runtime(&USUAL, claims));
    for command in [
        TARGET,
        "cargo install --locked trunk",
        "trunk build --release",
    ] {
        report.likely(Topic::BuildCommand, command, from);
        application.build_commands.push(command.to_owned());
    }
    report
        .likely(Topic::RunCommand, web_server::RUN_COMMAND, from)
        .note(format!("serves {folder}: where Trunk leaves the site"));
    web_server::serve(
        web_server::configure(folder, Fallback::Page),
        &mut application,
    );
    application.artifacts = vec![folder.to_owned(), web_server::CONFIG_FILE.to_owned()];
    application.ports = vec![report.port(&Port::usual(web_server::PORT, "the server's own"))];
    Some(Found {
        strength: Strength::Framework,
        name: package.name().and_then(names::from_package),
        application,
        base_image: web_server::BASE_IMAGE.to_owned(),
        delegates: false,
        report: std::mem::take(report),
    })
}

/// Where Trunk builds: its newest version wants a newer compiler than what is assumed where nothing says.
pub(super) fn toolchain(application: &Application) -> Toolchain {
    let said = application
        .runtime
        .as_ref()
        .filter(|runtime| runtime.from.as_deref() != Some("assumed"));
    let version = said.map_or("1", |runtime| runtime.version.as_str());
    let is_channel = version.starts_with(|first: char| first.is_ascii_lowercase());
    let image = if is_channel { "1" } else { version };
    let mut env = vec![("CARGO_HOME", "/usr/local/cargo".to_owned())];
    if is_channel {
        env.push(("RUSTUP_TOOLCHAIN", version.to_owned()));
    }
    Toolchain {
        image: format!(
            "rust:{image}-slim-{}",
            if image == "1" {
                RELEASE
            } else {
                release(image)
            }
        ),
        env,
        source_only: &[],
    }
}

/// The variables by which a program of Leptos finds its pages, the setting of each, and what is usual.
const LEPTOS: [(&str, &str, &str); 4] = [
    ("LEPTOS_OUTPUT_NAME", "output-name", ""),
    ("LEPTOS_SITE_ADDR", "site-addr", "127.0.0.1:3000"),
    ("LEPTOS_SITE_PKG_DIR", "site-pkg-dir", "pkg"),
    ("LEPTOS_SITE_ROOT", "site-root", "target/site"),
];

fn setting(package: &Package, key: &str) -> Option<(String, String)> {
    let keys = ["package", "metadata", "leptos", key];
    let text = package.manifest.text(&keys)?;
    Some((text.to_owned(), package.manifest.from(&keys)))
}

/// Whether the package is built by Leptos' own tool.
pub(super) fn is_of_leptos(package: &Package) -> bool {
    let keys = ["package", "metadata", "leptos"];
    package.manifest.get(&keys).is_some()
}

pub(super) fn port_of_leptos(package: &Package) -> Option<Port> {
    let (address, from) = setting(package, "site-addr")?;
    let port = scan::port(address.rsplit(':').next()?)?;
    Some(Port::written(port, from))
}

/// Has Leptos' own tool build the program and its pages.
pub(super) fn build_leptos(
    package: &Package,
    name: &str,
    application: &mut Application,
    reads: &mut Vec<Read>,
    report: &mut Report,
) {
    let from = package.manifest.from(&["package", "metadata", "leptos"]);
    report
        .facts
        .retain(|fact| fact.topic != Topic::BuildCommand);
    report.certain(Topic::Framework, "Leptos", &from);
    "leptos".clone_into(&mut application.kind);
    for (variable, key, usual) in LEPTOS {
        let said = setting(package, key);
        let default = match (key, &said) {
            // Where the build leaves it goes with the program.
            ("site-root", _) => "site".to_owned(),
            ("site-addr", Some((address, _))) => address.replace("127.0.0.1", "0.0.0.0"),
            (_, Some((text, _))) => text.clone(),
            ("output-name", None) => name.to_owned(),
            ("site-addr", None) => usual.replace("127.0.0.1", "0.0.0.0"),
            (_, None) => usual.to_owned(),
        };
        reads.push(Read {
            name: variable.to_owned(),
            need: Need::Default(default),
            from: said.map_or_else(|| from.clone(), |(_, from)| from),
        });
    }
    let root = setting(package, "site-root").map(|(root, _)| root);
    let root = root
        .filter(|root| !root.contains("..") && !root.contains([' ', '\'', '$', '`', ';']))
        .unwrap_or_else(|| "target/site".to_owned());
    application.build_commands = vec![
        TARGET.to_owned(),
        "cargo install --locked cargo-leptos".to_owned(),
        "cargo leptos build --release".to_owned(),
        format!("install -D target/release/{name} bin/{name}"),
        format!("cp -r {root} site"),
    ];
    for command in &application.build_commands {
        report.likely(Topic::BuildCommand, command, &from);
    }
    // What its tool is built with.
    for package in ["libssl-dev", "pkg-config"] {
        if !application.system_packages.iter().any(|one| one == package) {
            application.system_packages.push(package.to_owned());
        }
    }
}

/// What tells the program in its image.
pub(super) fn variables_of_leptos(application: &Application) -> Vec<(&'static str, String)> {
    if application.kind != "leptos" {
        return Vec::new();
    }
    let told = LEPTOS.iter().filter_map(|(variable, ..)| {
        let default = application.env.get(*variable)?.default.clone()?;
        Some((*variable, default))
    });
    told.collect()
}
