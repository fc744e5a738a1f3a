//! What gems need of the system, and of Node.

use super::gemfile::Gemfile;
use super::lock::Lock;
use crate::analysis::Topic;
use crate::ecosystem::Report;
use crate::ecosystem::node::install;
use crate::sources::Sources;

/// Gems that are built against a library or start a program, and the Debian packages of it.
const SYSTEM_PACKAGES: [(&str, &[&str]); 14] = [
    ("pg", &["libpq-dev", "libpq5"]),
    ("mysql2", &["default-libmysqlclient-dev", "libmariadb3"]),
    ("sqlite3", &["libsqlite3-0", "libsqlite3-dev"]),
    ("rmagick", &["imagemagick", "libmagickwand-dev"]),
    ("mini_magick", &["imagemagick"]),
    ("image_processing", &["libvips42"]),
    ("ruby-vips", &["libvips42"]),
    // The library's own package has another name in every release; this one brings it along.
    ("charlock_holmes", &["icu-devtools", "libicu-dev"]),
    ("ruby-filemagic", &["libmagic-dev", "libmagic1"]),
    ("tiny_tds", &["freetds-dev", "libsybdb5"]),
    ("curb", &["libcurl4", "libcurl4-openssl-dev"]),
    ("rugged", &["cmake", "libssl-dev", "pkg-config"]),
    ("streamio-ffmpeg", &["ffmpeg"]),
    ("graphviz", &["graphviz"]),
];

/// Gems that run JavaScript while the program runs.
const RUN_JAVASCRIPT: [&str; 6] = [
    "execjs",
    "uglifier",
    "coffee-rails",
    "coffee-script",
    "autoprefixer-rails",
    "babel-transpiler",
];
/// Gems that bring an engine of their own for that.
const ENGINES: [&str; 2] = ["mini_racer", "therubyracer"];
/// Gems whose assets Node builds.
const BUILD_WITH_NODE: [&str; 7] = [
    "jsbundling-rails",
    "cssbundling-rails",
    "webpacker",
    "shakapacker",
    "vite_rails",
    "vite_ruby",
    "vite_hanami",
];

/// The Debian packages that the gems need, reported.
pub(super) fn of_system(gemfile: &Gemfile, report: &mut Report) -> Vec<String> {
    let mut packages: Vec<String> = Vec::new();
    for gem in gemfile.gems.iter().filter(|gem| gem.production) {
        let known = SYSTEM_PACKAGES.iter().find(|(name, _)| *name == gem.name);
        let Some((name, needed)) = known else {
            continue;
        };
        for package in *needed {
            if !packages.iter().any(|known| known == package) {
                packages.push((*package).to_owned());
                report
                    .likely(Topic::SystemPackage, *package, gemfile.place(gem.line))
                    .note(format!("{name} needs it"));
            }
        }
    }
    if let Some((gem, from)) = javascript(gemfile) {
        packages.push("nodejs".to_owned());
        report
            .likely(Topic::SystemPackage, "nodejs", from)
            .note(format!("{gem} runs JavaScript"));
    }
    packages.sort();
    packages
}

/// The gem that runs JavaScript by another program.
fn javascript(gemfile: &Gemfile) -> Option<(&'static str, String)> {
    if ENGINES
        .iter()
        .any(|name| gemfile.production(name).is_some())
    {
        return None;
    }
    RUN_JAVASCRIPT.iter().find_map(|name| {
        let gem = gemfile.production(name)?;
        Some((*name, gemfile.place(gem.line)))
    })
}

/// The commands that get what Node needs to build the program's assets, reported; none where it builds none.
pub(super) fn of_node(
    sources: &Sources<'_>,
    gemfile: &Gemfile,
    lock: Option<&Lock>,
    report: &mut Report,
) -> Vec<String> {
    if !sources.has("package.json") {
        return Vec::new();
    }
    let builds = BUILD_WITH_NODE.iter().find_map(|name| {
        let listed = gemfile.production(name).map(|gem| gemfile.place(gem.line));
        let locked = || lock.filter(|lock| lock.version(name).is_some());
        let from = listed.or_else(|| Some(locked()?.file.to_owned()))?;
        Some((*name, from))
    });
    let Some((gem, from)) = builds else {
        return Vec::new();
    };
    let (_, install) = install::of_assets(sources).unwrap_or_default();
    let node = "apt-get update && apt-get install -y --no-install-recommends nodejs npm";
    let commands: Vec<_> = std::iter::once(node)
        .map(str::to_owned)
        .chain(install)
        .collect();
    for command in &commands {
        report
            .likely(Topic::BuildCommand, command, &from)
            .note(format!(
                "{gem} builds the assets with Node, which only the build needs"
            ));
    }
    commands
}
