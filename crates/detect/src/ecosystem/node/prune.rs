//! What leaves behind what was only needed to build, once that is done.

use super::install;
use super::native;
use super::package::{self, Manager, Package};
use super::scripts;
use super::workspace;
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// The packages that are installed together with an application's.
pub(super) enum Scope<'s> {
    Alone,
    /// It is the root of a workspace.
    Root,
    /// It is a package of the workspace whose root, as it sees it, is here.
    Member(&'s str, Option<Package>),
}

impl<'s> Scope<'s> {
    pub fn of(sources: &Sources<'_>, package: &Package, workspace: Option<&'s str>) -> Self {
        // An Nx workspace's file lies above its applications.
        let above = package.file.strip_suffix("package.json").unwrap_or("");
        match workspace {
            Some(root) => Self::Member(root, Package::at(sources, root)),
            None if package::is_workspace(sources, above, &package.document) => Self::Root,
            None => Self::Alone,
        }
    }

    /// Whether a command has words for programs that only development needs, the whole workspace's among them.
    pub fn has_development_tools(&self, package: &Package, command: &str) -> bool {
        package.has_development_tools(command)
            || matches!(self, Self::Member(_, Some(root)) if root.has_development_tools(command))
    }

    /// Whether what is installed runs the development's programs by itself.
    pub fn has_hooks(&self, package: &Package) -> bool {
        let hooks = |package: &Package| {
            package.has_development_tools(&scripts::all(package, &HOOKS).join(" "))
        };
        hooks(package) || matches!(self, Self::Member(_, Some(root)) if hooks(root))
    }

    /// Whether the start of a workspace's root is that of one of its packages, and needs what only development does.
    pub fn leads_to_tools(&self, sources: &Sources<'_>, package: &Package) -> bool {
        let leads = [
            "--workspace",
            "-w ",
            "--filter",
            "workspace ",
            "-C ",
            "--cwd",
            "--prefix",
            "cd ",
        ];
        let scripts = scripts::all(package, &["prestart", "start"]);
        if !matches!(self, Self::Root)
            || !scripts
                .iter()
                .any(|script| leads.iter().any(|words| script.contains(words)))
        {
            return false;
        }
        let between = |one: char| one.is_whitespace() || "='\"{}".contains(one);
        let mut members = scripts
            .iter()
            .flat_map(|script| script.split(between))
            .filter_map(|word| workspace::member(sources, word))
            .peekable();
        // One that cannot be found may need anything.
        members.peek().is_none() || members.any(|member| member.starts_with_development_tools())
    }
}

/// What is run by itself when packages are installed.
const HOOKS: [&str; 4] = ["preinstall", "install", "postinstall", "prepare"];
/// Programs that set up where one works, and nothing that runs.
const OF_WORK: [&str; 5] = [
    "husky",
    "lefthook",
    "simple-git-hooks",
    "lint-staged",
    "only-allow",
];

/// How each manager begins what takes development dependencies away.
const MARKS: [&str; 6] = [
    "npm prune --omit=dev",
    "pnpm prune --prod",
    "pnpm install --prod --prefer-offline",
    "yarn install --production --ignore-scripts",
    "yarn workspaces focus",
    "rm -rf node_modules && bun install --production",
];
/// In a workspace, every package has a folder of packages.
const CLEAN: &str = "find . -name node_modules -prune -exec rm -rf {} +";
const BUN_IN_WORKSPACE: &str = "rm -rf {} + && bun install --production";

/// Whether a build command is what [`command`] gives.
pub(super) fn is_one(command: &str) -> bool {
    MARKS.iter().any(|mark| command.contains(mark)) || command.contains(BUN_IN_WORKSPACE)
}

/// What takes away what was only needed to build, where its manager can do that and loses nothing by it.
pub(super) fn command(
    sources: &Sources<'_>,
    package: &Package,
    manager: Manager,
    manager_install: Option<&str>,
    scope: &Scope<'_>,
) -> Option<String> {
    let at_root = |command: &str| match scope {
        Scope::Member(root, _) => format!("cd {root} && {command}"),
        Scope::Alone | Scope::Root => command.to_owned(),
    };
    // npm leaves what others have written among the packages.
    if manager == Manager::Npm {
        return Some(at_root("npm prune --omit=dev"));
    }
    if writes_among_packages(sources, package, manager, scope) {
        return None;
    }
    let version = manager_install.and_then(|install| Some(install.rsplit_once('@')?.1));
    let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    match (manager, scope) {
        (Manager::Npm, _) => None,
        (Manager::Pnpm, Scope::Alone) => {
            // Older ones run the package's scripts again.
            let is_new = major? > 8
                || version.is_some_and(|version| version == "8" || version.starts_with("8.15."));
            is_new.then(|| "CI=true pnpm prune --prod --ignore-scripts".to_owned())
        }
        // It prunes no workspace.
        (Manager::Pnpm, _) => {
            let again = "CI=true pnpm install --prod --prefer-offline --frozen-lockfile";
            let scripts = without_scripts(sources, package, scope)?;
            let only = match scope {
                Scope::Member(root, _) => {
                    let folder = package::folder_in(sources, root);
                    format!(" --filter {}", shell_quoted(&format!("{{{folder}}}...")))
                }
                Scope::Alone | Scope::Root => String::new(),
            };
            (major? >= 8).then(|| at_root(&format!("{CLEAN} && {again}{scripts}{only}")))
        }
        (Manager::Yarn, _) => Some(at_root(
            "yarn install --production --ignore-scripts --prefer-offline --frozen-lockfile",
        )),
        (Manager::Berry, _) => {
            let settings = sources.nearest(&[".yarnrc.yml"]);
            let settings = settings.and_then(|file| sources.text(&file));
            // Before the fourth this was not part of it.
            let can = major? >= 4 || settings.is_some_and(|text| text.contains("workspace-tools"));
            let all = match scope {
                Scope::Root => " --all",
                Scope::Alone | Scope::Member(..) => "",
            };
            let focus = format!("yarn workspaces focus{all} --production");
            can.then(|| {
                if install::runs_from_cache(sources) {
                    let here = install::CACHE_BESIDE;
                    format!("{here}yarn cache clean && {here}{focus}")
                } else {
                    format!("{focus} && yarn cache clean")
                }
            })
        }
        // It takes nothing away itself.
        (Manager::Bun, _) => {
            let clean = match scope {
                Scope::Alone => "rm -rf node_modules",
                Scope::Root | Scope::Member(..) => CLEAN,
            };
            let scripts = without_scripts(sources, package, scope)?;
            Some(at_root(&format!(
                "{clean} && bun install --production --frozen-lockfile{scripts}"
            )))
        }
    }
}

/// Whether anything but the manager writes among the packages, which the manager would not do again.
fn writes_among_packages(
    sources: &Sources<'_>,
    package: &Package,
    manager: Manager,
    scope: &Scope<'_>,
) -> bool {
    // This one runs them again, and `prepare` never.
    let (hooks, harmless): (&[&str], &[&str]) = match manager {
        Manager::Berry => (&HOOKS[..3], &[]),
        _ => (&HOOKS, &OF_WORK),
    };
    let writes = |package: &Package| {
        scripts::all(package, hooks)
            .iter()
            .flat_map(|script| scripts::commands(script))
            .filter(|command| !harmless.iter().any(|tool| command.contains(tool)))
            .any(|command| package.has_development_tools(command))
    };
    if native::writes(sources, package) || writes(package) {
        return true;
    }
    match scope {
        Scope::Alone => false,
        Scope::Root => {
            let files = sources.files();
            files.iter().any(|file| file.ends_with(".prisma"))
                || workspace::writes(sources, package, ".")
        }
        Scope::Member(root, of_root) => {
            of_root.as_ref().is_some_and(writes) || workspace::writes(sources, package, root)
        }
    }
}

/// The option that keeps a second installation from running the project's scripts, whose programs are gone; none
/// where the dependencies' own have to run.
fn without_scripts(
    sources: &Sources<'_>,
    package: &Package,
    scope: &Scope<'_>,
) -> Option<&'static str> {
    let hooks = |package: &Package| -> Vec<bool> {
        let scripts = scripts::all(package, &HOOKS);
        let commands = scripts.iter().flat_map(|script| scripts::commands(script));
        commands
            .map(|command| OF_WORK.iter().any(|tool| command.contains(tool)))
            .collect()
    };
    let mut of_work = hooks(package);
    if let Scope::Member(_, Some(root)) = scope {
        of_work.extend(hooks(root));
    }
    let all = of_work.iter().all(|is| *is);
    match scope {
        Scope::Alone | Scope::Member(..) if !of_work.contains(&true) => Some(""),
        // Those of any package of it would run.
        _ => (all && !native::has_scripts(sources, package)).then_some(" --ignore-scripts"),
    }
}
