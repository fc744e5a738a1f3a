//! The commands that install and build a package.

use super::lock::Lock;
use super::native;
use super::package::{self, Manager, Package};
use super::prune::{self, Scope};
use super::runner::Runner;
use super::scripts;
use super::server::Start;
use super::site::Site;
use super::workspace;
use crate::analysis::Topic;
use crate::ecosystem::{LockState, Report, counted};
use crate::sources::Sources;
use crate::version_files;
use crate::versions::{self, Part};

/// Install and build, as a person would type them.
pub(super) fn build_commands(
    sources: &Sources<'_>,
    package: &Package,
    manager: Manager,
    lock: Lock,
    start: Option<&Start>,
    site: Option<&Site>,
    workspace: Option<&str>,
) -> Vec<String> {
    let runner = Runner::of(sources, manager);
    let own = site
        .and_then(|site| site.build.clone())
        .map(|build| vec![build])
        .or_else(|| start?.build.clone());
    let with_others = || workspace::build(sources, package, workspace?, runner);
    let script = || {
        let names = ["build", "heroku-postbuild", "gcp-build"];
        let name = names.iter().find(|name| package.script(name).is_some())?;
        Some(vec![runner.script(name)])
    };
    let build = own.or_else(with_others).or_else(script).unwrap_or_default();
    let builds = !build.is_empty();
    let scope = Scope::of(sources, package, workspace);
    let tools = match start {
        Some(start) if start.guessed => scope.has_development_tools(package, &start.command),
        _ => {
            let started = scripts::all(package, &["prestart", "start"]).join(" ");
            scope.has_development_tools(package, &started) || scope.leads_to_tools(sources, package)
        }
    };
    let native = native::commands(sources, package, runner);
    let generates = native
        .iter()
        .any(|command| package.has_development_tools(command));
    // What npm runs by itself after installing would miss them.
    let hooks = scope.has_hooks(package);
    let needs_all = builds || tools || generates || hooks;
    // What was needed to build does not go on.
    let installs_all = builds || generates || hooks || workspace.is_some() || {
        // It installs no less.
        let mut development = package.document.table(&["devDependencies"]);
        manager == Manager::Berry && development.next().is_some()
    };
    let prunes = installs_all && !tools && site.is_none();
    let install = install_command(manager, lock);
    // Without folders of packages, they are run out of the cache.
    let settings = if manager == Manager::Berry && runs_from_cache(sources) {
        CACHE_BESIDE
    } else {
        native::install_settings(package)
    };
    let only_production = match manager {
        _ if needs_all => "",
        Manager::Npm => " --omit=dev",
        Manager::Pnpm => " --prod",
        Manager::Yarn | Manager::Bun => " --production",
        // It has no such option.
        Manager::Berry => "",
    };
    let manager_install = manager_install(sources, package, manager);
    let prune = prunes
        .then(|| {
            prune::command(
                sources,
                package,
                manager,
                manager_install.as_deref(),
                &scope,
            )
        })
        .flatten();
    manager_install
        .into_iter()
        .chain([match workspace {
            // A workspace's packages are installed together.
            Some(folder) => format!("cd {folder} && {settings}{install}"),
            None => format!("{settings}{install}{only_production}"),
        }])
        .chain(native)
        .chain(build)
        .chain(prune)
        .collect()
}

/// What installs all packages.
fn install_command(manager: Manager, lock: Lock) -> &'static str {
    match (manager, matches!(lock, Lock::Locked(_))) {
        (Manager::Npm, true) => "npm ci",
        (Manager::Npm, false) => "npm install",
        (Manager::Pnpm, true) => "pnpm install --frozen-lockfile",
        (Manager::Pnpm, false) => "pnpm install",
        (Manager::Yarn, true) => "yarn install --frozen-lockfile",
        (Manager::Yarn | Manager::Berry, false) => "yarn install",
        (Manager::Berry, true) => "yarn install --immutable",
        (Manager::Bun, true) => "bun install --frozen-lockfile",
        (Manager::Bun, false) => "bun install",
    }
}

/// What a program of another language builds its assets with: the manager's name, and what brings it and installs.
pub(in crate::ecosystem) fn of_assets(
    sources: &Sources<'_>,
) -> Option<(&'static str, Vec<String>)> {
    let package = Package::read(sources)?;
    let manager = match Manager::of(sources, &package) {
        // Where Debian's Node is, it is not.
        Manager::Bun => Manager::Npm,
        manager => manager,
    };
    let lock = Lock::read(sources, manager, &package);
    let install = install_command(manager, lock).to_owned();
    let commands = manager_install(sources, &package, manager)
        .into_iter()
        .chain([install]);
    Some((manager.name(), commands.collect()))
}

/// Keeps Yarn's cache among the files of the project, which run out of it.
pub(super) const CACHE_BESIDE: &str = "YARN_ENABLE_GLOBAL_CACHE=false ";

/// Whether a build command brings the manager that starts the program.
pub(super) fn brings_manager(command: &str) -> bool {
    ["npm install --global ", "npm install -g "]
        .iter()
        .any(|install| command.starts_with(install))
}

/// What brings the manager; bases bring npm alone, or Bun alone.
///
/// Others come by npm and not by Corepack, whose cache is not that of who runs the program.
fn manager_install(sources: &Sources<'_>, package: &Package, manager: Manager) -> Option<String> {
    let name = match manager {
        Manager::Npm | Manager::Bun => return None,
        Manager::Pnpm => "pnpm",
        // Some bases bring a Yarn along.
        Manager::Yarn => "--force yarn",
        Manager::Berry => "--force @yarnpkg/cli-dist",
    };
    let version = manager_version(sources, package, manager);
    Some(format!("npm install --global {name}@{version}"))
}

/// The manager's version: what is named, else one that writes such a lock file.
fn manager_version(sources: &Sources<'_>, package: &Package, manager: Manager) -> String {
    let name = manager.name();
    let named = package::named(sources, package)
        .filter(|named| named.name == name && !named.version.is_empty());
    if let Some(named) = named {
        return named.version;
    }
    let said = package::wanted_version(sources, package, name);
    let said = said.as_deref();
    if let Some(version) = said.filter(|said| version_files::is_dotted(said)) {
        return version.to_owned();
    }
    let lock = sources.nearest(manager.lock_files());
    let lock = lock.and_then(|file| sources.text(&file));
    match manager {
        Manager::Pnpm => {
            let of_lock = lock.and_then(|text| pnpm_of_lock(sources, &text));
            let allowed = said.map(|range| versions::allowed(range, &PNPM, Part::Major));
            let chosen = match (of_lock, allowed) {
                (Some(major), Some(allowed)) if !allowed.contains(&major) => {
                    allowed.last().copied()
                }
                (None, Some(allowed)) => allowed.last().copied(),
                (major, _) => major,
            };
            chosen.unwrap_or(PNPM[PNPM.len() - 1]).to_string()
        }
        Manager::Berry => {
            let of_lock = lock.and_then(|text| yarn_of_lock(&text).map(str::to_owned));
            let least = said.map(|range| package::least(name, range));
            let least = least.filter(|version| !version.is_empty());
            of_lock.or(least).unwrap_or_else(|| "4".to_owned())
        }
        _ => "1.22.22".to_owned(),
    }
}

/// Major versions of pnpm; those after them ask for a newer Node than may be there.
const PNPM: [u32; 6] = [5, 6, 7, 8, 9, 10];

/// `lockfileVersion: '9.0'`
fn pnpm_of_lock(sources: &Sources<'_>, lock: &str) -> Option<u32> {
    let line = lock
        .lines()
        .find(|line| line.starts_with("lockfileVersion:"))?;
    let version = line.split_once(':')?.1.trim().trim_matches(['\'', '"']);
    let (major, minor) = version.split_once('.').unwrap_or((version, ""));
    Some(match major.parse().ok()? {
        5 if minor.starts_with(['0', '1', '2', '3']) => 6,
        5 => 7,
        6 => 8,
        // The tenth reads its settings where the ninth wants a list of packages.
        9 => {
            let workspace = sources.nearest(&["pnpm-workspace.yaml"]);
            let settings = workspace.and_then(|file| sources.document(&file));
            let newer = settings.is_some_and(|settings| settings.get(&["packages"]).is_none());
            if newer { 10 } else { 9 }
        }
        _ => return None,
    })
}

/// `__metadata:`, and the format's version below it; each version of Yarn refuses the format of an older one.
fn yarn_of_lock(lock: &str) -> Option<&'static str> {
    let mut lines = lock
        .lines()
        .skip_while(|line| *line != "__metadata:")
        .skip(1);
    let version = lines.find_map(|line| line.trim().strip_prefix("version:"))?;
    let is_second = lock.lines().any(|line| line.trim() == "cacheKey: 7");
    Some(match version.trim().parse::<u32>().ok()? {
        0..=3 => "2",
        4 if is_second => "2",
        4 => "3.0",
        5 => "3.1",
        6 => "3",
        // The first of them did not say in a checksum what it is one of.
        7 | 8 => {
            let mut checksums = lock
                .lines()
                .filter_map(|line| line.trim().strip_prefix("checksum:"));
            let is_first = checksums.next().is_some_and(|one| !one.contains('/'));
            if is_first { "4.0" } else { "4.12" }
        }
        _ => "4",
    })
}

/// Whether Yarn leaves packages in its cache and has Node find them there, as it does by itself.
pub(super) fn runs_from_cache(sources: &Sources<'_>) -> bool {
    let settings = sources.nearest(&[".yarnrc.yml"]);
    let settings = settings.and_then(|file| sources.document(&file));
    let linker = settings
        .as_ref()
        .and_then(|settings| settings.text(&["nodeLinker"]));
    !matches!(linker, Some("node-modules" | "pnpm"))
}

/// Says what installs what, and whether it will be the same next time.
pub(super) fn report(
    package: &Package,
    manager: Manager,
    lock: Lock,
    workspace: Option<&str>,
    commands: &[String],
    report: &mut Report,
) {
    let name = manager.name();
    let placed = |file: &str| match workspace {
        Some(folder) => format!("{folder}/{file}"),
        None => file.to_owned(),
    };
    let (locked, state) = match lock {
        Lock::Locked(file) => (Some(placed(file)), "locked"),
        Lock::Stale(file) => (Some(placed(file)), "stale"),
        Lock::Broken(file) => (Some(placed(file)), "not readable"),
        Lock::Missing => (None, "missing"),
    };
    let locked = locked.as_deref();
    report.certain(Topic::PackageManager, name, locked.unwrap_or(&package.file));
    let count = package.document.table(&["dependencies"]).count();
    let lock_file = locked.unwrap_or(manager.lock_files()[0]);
    report
        .certain(
            Topic::Dependencies,
            counted(count, "package"),
            package.document.from(&["dependencies"]),
        )
        .note(format!("{lock_file} is {state}"));
    for command in commands {
        let builds = command.ends_with("run build");
        let prunes = prune::is_one(command);
        let from = if builds {
            package.document.from(&["scripts", "build"])
        } else {
            lock_file.to_owned()
        };
        let note = match package.script("build").filter(|_| builds) {
            Some(script) => format!("runs `{script}`"),
            None if prunes => "what was only needed to build does not go on".to_owned(),
            None => format!("{name} reads {}", locked.unwrap_or(&package.file)),
        };
        let from = if !builds && locked.is_none() {
            package.file.clone()
        } else {
            from
        };
        report
            .certain(Topic::BuildCommand, command, from)
            .note(note);
    }
    let (lock_state, lock_note) = match lock {
        Lock::Locked(file) => (LockState::Locked, format!("{file} pins every package")),
        Lock::Stale(file) => (
            LockState::Stale,
            format!("{file} was written for other dependencies"),
        ),
        Lock::Broken(_) => (LockState::Stale, format!("{lock_file} cannot be read")),
        Lock::Missing => (LockState::Missing, format!("there is no {lock_file}")),
    };
    report.lock(lock_state, lock_file, lock_note);
    let in_place = locked.unwrap_or(&package.file);
    match lock {
        Lock::Locked(file) => {
            report
                .certain(Topic::Pinned, "yes", in_place)
                .note(format!("{file} pins every package"));
        }
        Lock::Stale(file) => {
            report
                .certain(Topic::Pinned, "no", file)
                .note(format!("{file} was written for other dependencies"));
            report.ask(
                format!("Which packages? package.json has changed since {file} was written."),
                format!("{name} install, and commit {file}"),
            );
        }
        Lock::Broken(_) => {
            report
                .certain(Topic::Pinned, "no", in_place)
                .note(format!("{lock_file} cannot be read"));
        }
        Lock::Missing if count == 0 => {
            report
                .certain(Topic::Pinned, "yes", &package.file)
                .note("nothing is depended on");
        }
        Lock::Missing => {
            report
                .certain(Topic::Pinned, "no", &package.file)
                .note(format!("there is no {lock_file}"));
            report.ask(
                format!("Which versions? there is no {lock_file}."),
                format!("{name} install, and commit {lock_file}"),
            );
        }
    }
}
