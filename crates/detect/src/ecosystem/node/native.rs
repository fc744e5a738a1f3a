//! What packages need beside themselves: Debian's packages, browsers, code that is written for them.

use super::package::Package;
use super::prisma;
use super::runner::Runner;
use super::scripts;
use crate::analysis::Topic;
use crate::ecosystem::Report;
use crate::sources::Sources;

/// What compiles a package for which nobody has done so before.
const COMPILER: [&str; 3] = ["g++", "make", "python3"];
/// Those of the compiler that Debian has other uses for.
pub(super) const ONLY_BUILDS: &[&str] = &["python3"];

/// Packages that are compiled where they were not before, and the libraries that they are compiled with.
const COMPILED: [(&str, &[&str]); 14] = [
    ("bcrypt", &[]),
    ("better-sqlite3", &[]),
    (
        "canvas",
        &[
            "libcairo2",
            "libcairo2-dev",
            "libgif-dev",
            "libgif7",
            "libjpeg-dev",
            "libjpeg62-turbo",
            "libpango-1.0-0",
            "libpango1.0-dev",
            "libpangocairo-1.0-0",
            "librsvg2-2",
            "librsvg2-dev",
            "pkg-config",
        ],
    ),
    ("deasync", &[]),
    ("isolated-vm", &[]),
    ("leveldown", &[]),
    ("libpq", &["libpq-dev", "libpq5"]),
    ("microtime", &[]),
    ("node-pty", &[]),
    ("node-sass", &[]),
    ("pg-native", &["libpq-dev", "libpq5"]),
    ("re2", &[]),
    ("sqlite3", &[]),
    ("zeromq", &[]),
];

/// Packages that start programs or load libraries of the system.
const CALLING: [(&str, &[&str]); 8] = [
    ("puppeteer", &["chromium"]),
    ("puppeteer-core", &["chromium"]),
    ("playwright", BROWSER_LIBRARIES),
    ("playwright-core", BROWSER_LIBRARIES),
    // It brings Prisma.
    ("@keystone-6/core", &["openssl"]),
    ("fluent-ffmpeg", &["ffmpeg"]),
    ("gm", &["graphicsmagick"]),
    ("imagemagick", &["imagemagick"]),
];

/// What a browser loads that was not installed by Debian.
const BROWSER_LIBRARIES: &[&str] = &[
    "fonts-liberation",
    "libasound2",
    "libatk-bridge2.0-0",
    "libatk1.0-0",
    "libatspi2.0-0",
    "libcairo2",
    "libcups2",
    "libdbus-1-3",
    "libdrm2",
    "libgbm1",
    "libglib2.0-0",
    "libnspr4",
    "libnss3",
    "libpango-1.0-0",
    "libx11-6",
    "libxcb1",
    "libxcomposite1",
    "libxdamage1",
    "libxext6",
    "libxfixes3",
    "libxkbcommon0",
    "libxrandr2",
];

/// The Debian packages that a package's dependencies need.
pub(super) fn system_packages(
    sources: &Sources<'_>,
    package: &Package,
    report: &mut Report,
) -> Vec<String> {
    let mut needed: Vec<(&str, &str)> = Vec::new();
    for (name, libraries) in COMPILED {
        if package.production(name) {
            let all = COMPILER.iter().chain(libraries);
            needed.extend(all.map(|library| (*library, name)));
        }
    }
    for (name, programs) in CALLING {
        if package.production(name) {
            needed.extend(programs.iter().map(|program| (*program, name)));
        }
    }
    if prisma::is_used(sources, package) {
        // Its engine is chosen by the version that it finds.
        needed.push(("openssl", "@prisma/client"));
    }
    needed.sort_unstable();
    needed.dedup_by_key(|(library, _)| *library);
    for (library, name) in &needed {
        report
            .likely(Topic::SystemPackage, *library, package.place_of(name))
            .note(format!("{name} needs it"));
    }
    needed
        .into_iter()
        .map(|(library, _)| library.to_owned())
        .collect()
}

/// Whether something of its own is written among the packages that are installed.
pub(super) fn writes(sources: &Sources<'_>, package: &Package) -> bool {
    let browsers = ["playwright", "playwright-core"];
    prisma::is_used(sources, package) || browsers.iter().any(|name| package.production(name))
}

/// Whether dependencies have scripts that must run where they are installed.
pub(super) fn has_scripts(sources: &Sources<'_>, package: &Package) -> bool {
    let allowed: [&[&str]; 2] = [&["trustedDependencies"], &["pnpm", "onlyBuiltDependencies"]];
    let of_pnpm = || {
        let settings = sources.document(&sources.nearest(&["pnpm-workspace.yaml"])?)?;
        let fields = ["onlyBuiltDependencies", "allowBuilds"];
        Some(fields.iter().any(|field| settings.get(&[*field]).is_some()))
    };
    COMPILED.iter().any(|(name, _)| package.production(name))
        || allowed
            .iter()
            .any(|keys| package.document.get(keys).is_some())
        || of_pnpm().unwrap_or(false)
}

/// What stands before an install command: Debian's browser is there, another need not be fetched.
pub(super) fn install_settings(package: &Package) -> &'static str {
    if package.production("puppeteer") {
        "PUPPETEER_SKIP_DOWNLOAD=true "
    } else {
        ""
    }
}

/// What is to be done between installing and building.
pub(super) fn commands(sources: &Sources<'_>, package: &Package, runner: Runner) -> Vec<String> {
    let mut commands = Vec::new();
    let generates = ["preinstall", "postinstall", "prepare", "prebuild", "build"];
    let said = scripts::all(package, &generates);
    if prisma::is_used(sources, package) && !said.iter().any(|one| one.contains("prisma generate"))
    {
        commands.push(runner.tool("prisma generate"));
    }
    if ["playwright", "playwright-core"]
        .iter()
        .any(|name| package.production(name))
        && !said.iter().any(|one| one.contains("playwright install"))
    {
        let install = runner.tool("playwright install chromium");
        commands.push(format!("{BROWSERS}=0 {install}"));
    }
    commands
}

/// Where Playwright keeps its browsers; 0 is beside itself.
const BROWSERS: &str = "PLAYWRIGHT_BROWSERS_PATH";

/// What the image's environment says, told from what the image is made with.
pub(super) fn image_env(
    system_packages: &[String],
    build_commands: &[String],
) -> Vec<(&'static str, String)> {
    let mut env = Vec::new();
    if system_packages.iter().any(|package| package == "chromium") {
        env.push(("PUPPETEER_EXECUTABLE_PATH", "/usr/bin/chromium".to_owned()));
        env.push(("PUPPETEER_SKIP_DOWNLOAD", "true".to_owned()));
    }
    if build_commands
        .iter()
        .any(|command| command.starts_with(BROWSERS))
    {
        env.push((BROWSERS, "0".to_owned()));
    }
    env
}
