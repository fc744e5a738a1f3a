//! What a build command needs: the network, and which files.
//!
//! A package manager's install command reads the files that list the dependencies and nothing else, so
//! it need not run again when a source file changes. Whatever is not known to be so reads everything.

mod bundles;
mod cargo;
mod jvm;
mod node;
mod others;

use std::collections::BTreeSet;

use crate::ecosystem::python::requirements;
use crate::plan::Step;
use crate::plan::fetch::{Fetch, fetch};
use crate::plan::shell;
use crate::tree::{EntryKind, FileTree};

/// What one build command needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needs {
    pub network: bool,
    /// How what it gets from there is fetched before; none where that is not known.
    pub fetch: Option<Fetch>,
    /// The project's files that it reads; none where that cannot be told.
    pub files: Option<BTreeSet<String>>,
}

/// Where a command runs.
pub(super) struct Place<'a> {
    pub tree: &'a dyn FileTree,
    /// The application's root; empty for the project's.
    pub root: &'a str,
    /// An earlier command has fetched the dependencies.
    pub fetched: bool,
}

impl Needs {
    pub fn of(command: &str, place: &Place<'_>) -> Self {
        let commands = shell::commands(command);
        let network = commands.iter().any(|words| fetches(&as_strs(words), place));
        let files = if shell::expands(command) {
            None
        } else {
            commands
                .iter()
                .map(|words| dependency_files(&as_strs(words), place))
                .try_fold(BTreeSet::new(), |mut all, files| {
                    all.extend(files?);
                    Some(all)
                })
        };
        // An empty line reads nothing, but nobody waits for it either.
        Self {
            network,
            fetch: if network { fetch(command, place) } else { None },
            files: files.filter(|_| network),
        }
    }

    /// The step that runs the command in this folder of the image.
    pub fn step(self, command: &str, workdir: String) -> Step {
        Step::Run {
            command: command.to_owned(),
            workdir,
            network: self.network,
            fetch: self.fetch.map(Box::new),
            secrets: Vec::new(),
        }
    }
}

/// What throws away an install command's cache, where nothing else keeps it out of the image.
pub(crate) fn tidy(command: &str) -> Option<&'static str> {
    if !shell::is_one_command(command) {
        return None;
    }
    match shell::commands(command).first()?.first()?.as_str() {
        // What lies there is what runs.
        "yarn" if command.starts_with("YARN_") => None,
        "npm" => Some("npm cache clean --force"),
        "pnpm" => Some("pnpm store prune"),
        "yarn" => Some("yarn cache clean"),
        _ => None,
    }
}

pub(super) fn as_strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// Whether a command gets something from elsewhere.
pub(super) fn fetches(words: &[&str], place: &Place<'_>) -> bool {
    let words = jvm::without_shell(words);
    let offline = words
        .iter()
        .any(|word| matches!(*word, "--offline" | "--frozen" | "--no-index"));
    let program = words[0].rsplit('/').next().unwrap_or(words[0]);
    let verb = words
        .iter()
        .skip(1)
        .find(|word| !word.starts_with('-'))
        .copied()
        .unwrap_or("");
    match program {
        _ if offline && program != "uv" => false,
        "python" | "python3" => {
            module(words).is_some_and(|module| matches!(module[0], "pip" | "poetry" | "pipenv"))
        }
        "pip" | "pip3" => {
            matches!(verb, "install" | "download" | "wheel") || words.contains(&"install")
        }
        "uv" => matches!(verb, "sync" | "pip" | "add" | "lock" | "tool" | "python"),
        "poetry" | "pdm" => matches!(verb, "install" | "sync" | "add" | "lock" | "self"),
        "pipenv" => matches!(verb, "install" | "sync" | "lock"),
        "playwright" | "opam" => verb == "install",
        "npm" => matches!(
            verb,
            "ci" | "clean-install" | "install" | "i" | "add" | "exec" | "update" | "rebuild"
        ),
        "pnpm" | "bun" => matches!(verb, "install" | "i" | "add" | "fetch" | "dlx" | "x"),
        "yarn" => {
            matches!(verb, "" | "install" | "add" | "dlx")
                || (verb == "workspaces" && words.contains(&"focus"))
        }
        "deno" => matches!(verb, "install" | "cache" | "add"),
        "go" => go_fetches(words, verb, place),
        "cargo" => {
            let builds = matches!(
                verb,
                "build" | "b" | "install" | "run" | "r" | "test" | "check"
            );
            verb == "fetch" || (builds && !place.fetched) || matches!(verb, "install" | "leptos")
        }
        // It gets what makes JavaScript for the page.
        "trunk" => verb == "build",
        // What builds Rails' assets gets what Node needs for that.
        "bundle" => {
            matches!(verb, "" | "install" | "update")
                || (words.contains(&"assets:precompile") && place.has("package.json"))
        }
        // What Symfony's scripts do may get scripts for browsers.
        "composer" => {
            matches!(verb, "install" | "update" | "require")
                || (verb == "run-script" && place.has("importmap.php"))
        }
        "dotnet" => matches!(verb, "restore" | "build" | "publish" | "tool"),
        "mix" => {
            verb.starts_with("deps.get")
                || verb.starts_with("local.")
                || matches!(verb, "archive.install" | "assets.deploy" | "assets.setup")
        }
        "dart" => verb == "pub",
        "zig" => others::zig(verb, place),
        "cmake" => others::cmake(place),
        "meson" => others::meson(place),
        "make" => others::make(place),
        "apt-get" | "apt" => matches!(verb, "update" | "install" | "upgrade"),
        "apk" => verb == "add",
        "git" => matches!(verb, "clone" | "fetch" | "pull" | "submodule"),
        "cpanm" | "npx" | "bunx" | "corepack" | "gem" | "pecl" | "mvn" | "mvnw" | "gradle"
        | "gradlew" | "sbt" | "lein" | "clojure" | "clj" | "stack" | "cabal" | "swift"
        | "conan" | "vcpkg" | "shards" | "nimble" | "gleam" | "rebar3" | "rustup" | "curl"
        | "wget" => true,
        _ => false,
    }
}

/// `go build` fetches modules that nothing has fetched before it.
fn go_fetches(words: &[&str], verb: &str, place: &Place<'_>) -> bool {
    let names_a_version = words.iter().any(|word| word.contains('@'));
    match verb {
        "mod" | "get" => true,
        "install" if names_a_version => true,
        "build" | "install" | "test" | "vet" | "run" | "generate" => {
            !place.fetched
                && !place.has("vendor/modules.txt")
                && place.text("go.mod").contains("require")
        }
        _ => false,
    }
}

/// The words after `-m`.
fn module<'a>(words: &'a [&'a str]) -> Option<&'a [&'a str]> {
    let at = words.iter().position(|word| *word == "-m")?;
    words.get(at + 1..).filter(|rest| !rest.is_empty())
}

/// The files that an install command reads; none where it is not known to read only those.
fn dependency_files(words: &[&str], place: &Place<'_>) -> Option<BTreeSet<String>> {
    match *jvm::without_shell(words) {
        ["python" | "python3", ..] => match module(words)? {
            ["pip", "install", arguments @ ..] => pip_files(arguments, place),
            ["venv", ..] => Some(BTreeSet::new()),
            _ => None,
        },
        ["pip" | "pip3", "install", ref arguments @ ..]
        | ["uv", "pip", "install", ref arguments @ ..] => pip_files(arguments, place),
        ["pip" | "pip3", "--python", _, "install", ref arguments @ ..] => {
            pip_files(arguments, place)
        }
        ["uv", "sync", ref arguments @ ..] => uv_files(arguments, place),
        ["poetry", "lock"] => place.project_files(&POETRY, "path"),
        ["poetry", "install", ref arguments @ ..] if arguments.contains(&"--no-root") => {
            place.project_files(&POETRY, "path")
        }
        ["pdm", "sync" | "install", ref arguments @ ..] if arguments.contains(&"--no-self") => {
            let local = place.text("pyproject.toml").contains("file://");
            place
                .project_files(&["pyproject.toml", "pdm.lock", "pdm.toml"], "path")
                .filter(|_| !local)
        }
        ["pipenv", "sync" | "install", ref arguments @ ..] if only_options(arguments) => {
            place.project_files(&["Pipfile", "Pipfile.lock"], "path")
        }
        [
            program @ ("npm" | "pnpm" | "yarn" | "bun"),
            ref arguments @ ..,
        ] => node::files(program, arguments, place),
        ["corepack", "enable" | "prepare" | "install", ..] => place.files(&["package.json"]),
        ["go", "mod", "download", ..] => {
            let local = place
                .text("go.mod")
                .lines()
                .any(|line| line.contains("=> ./") || line.contains("=> ../"));
            // A workspace's modules may well want each other's.
            let mut of_workspace = (0..5).map(|up| format!("{}go.work", "../".repeat(up)));
            if local || of_workspace.any(|file| place.has(&file)) {
                None
            } else {
                place.files(&["go.mod", "go.sum"])
            }
        }
        ["cargo", "fetch", ref arguments @ ..] if only_options(arguments) => cargo::fetch(place),
        // A tool by its name wants no more than the compiler that the project names.
        ["cargo", "install", "--locked", tool] if !tool.starts_with('-') => {
            place.files(&cargo::TOOLCHAIN)
        }
        ["rustup", "target" | "toolchain", ..] => place.files(&cargo::TOOLCHAIN),
        ["bundle", "install", ref arguments @ ..] if only_options(arguments) => {
            bundles::bundler(place)
        }
        // What it would run then may be any of the sources.
        ["composer", "install", ref arguments @ ..]
            if only_options(arguments) && arguments.contains(&"--no-scripts") =>
        {
            bundles::composer(place)
        }
        [program @ ("mvn" | "./mvnw"), ref arguments @ ..] => jvm::maven(program, arguments, place),
        ["lein", "deps"] => jvm::leiningen(place),
        ["mix", "local.hex" | "local.rebar", ..] => Some(BTreeSet::new()),
        ["mix", "deps.get", ..] => others::mix(place),
        ["dotnet", "restore", file] => others::dotnet(file, place),
        ["shards", "install", ref arguments @ ..] if only_options(arguments) => {
            others::pair(["shard.yml", "shard.lock"], place)
        }
        ["dart", "pub", "get", ref arguments @ ..] if only_options(arguments) => {
            others::pair(["pubspec.yaml", "pubspec.lock"], place)
        }
        ["swift", "package", "resolve"] => {
            others::pair(["Package.swift", "Package.resolved"], place)
        }
        ["cpanm", ref arguments @ ..] if arguments.contains(&"--installdeps") => {
            others::cpan(place)
        }
        ["clojure", ref arguments @ ..] => jvm::clojure(arguments, place),
        ["sbt", ref arguments @ ..] => jvm::sbt(arguments, place),
        ["composer", "config", "platform.php", _] => place.files(&["composer.json"]),
        ["apk", "add", ref arguments @ ..] => arguments
            .iter()
            .all(|word| !word.contains('/'))
            .then(BTreeSet::new),
        [
            "apt-get" | "apt",
            "update" | "install" | "upgrade",
            ref arguments @ ..,
        ] => arguments
            .iter()
            .all(|word| !word.contains('/'))
            .then(BTreeSet::new),
        _ => None,
    }
}

fn only_options(arguments: &[&str]) -> bool {
    arguments.iter().all(|word| word.starts_with('-'))
}

const POETRY: [&str; 3] = ["pyproject.toml", "poetry.lock", "poetry.toml"];

/// `uv sync`: what lists the dependencies, unless it makes packages of the project's own files too.
fn uv_files(arguments: &[&str], place: &Place<'_>) -> Option<BTreeSet<String>> {
    let project: toml::Table = place.text("pyproject.toml").parse().ok()?;
    let tool = project.get("tool").and_then(|tool| tool.get("uv"));
    let has = |key: &str| tool.is_some_and(|tool| tool.get(key).is_some());
    let package = tool
        .and_then(|tool| tool.get("package")?.as_bool())
        .unwrap_or_else(|| project.contains_key("build-system"));
    let alone = arguments.contains(&"--no-install-project") || !package;
    // A member's lock file lies at the root of its workspace, among the other members.
    let locked = !arguments.contains(&"--locked") || place.has("uv.lock");
    if !alone || has("workspace") || !locked {
        return None;
    }
    let files = place.project_files(
        &["pyproject.toml", "uv.lock", "uv.toml", ".python-version"],
        "path",
    );
    files.filter(|_| !place.text("pyproject.toml").contains("workspace = true"))
}

/// `pip install`: the requirement files it is given and those that they include.
pub(super) fn pip_files(arguments: &[&str], place: &Place<'_>) -> Option<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    let mut rest = arguments.iter();
    while let Some(&word) = rest.next() {
        let file = match word {
            "-r" | "--requirement" | "-c" | "--constraint" => *rest.next()?,
            "-e" | "--editable" => return None,
            _ => match ["--requirement=", "--constraint=", "-r", "-c"]
                .iter()
                .find_map(|name| word.strip_prefix(name))
            {
                Some(file) => file,
                // An option, or a package from the index; anything with a slash may be a local path.
                None if word.contains('/') || word.starts_with('.') || place.has(word) => {
                    return None;
                }
                None => continue,
            },
        };
        if !files_of_requirements(&place.path(file)?, place.tree, &mut files) {
            return None;
        }
    }
    Some(files)
}

/// Adds a requirements file and all that it includes; false where one of them needs more than that.
fn files_of_requirements(path: &str, tree: &dyn FileTree, files: &mut BTreeSet<String>) -> bool {
    if files.contains(path) {
        return true;
    }
    let Some(text) = plain_file(path, tree) else {
        return false;
    };
    files.insert(path.to_owned());
    let listed = requirements::parse(&text);
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    !listed.local
        && listed.includes.iter().all(|include| {
            join(folder, &include.path)
                .is_some_and(|path| files_of_requirements(&path, tree, files))
        })
}

impl Place<'_> {
    /// A path as the command wrote it, relative to the project; none where it leaves it.
    pub(super) fn path(&self, written: &str) -> Option<String> {
        join(self.root, written)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.path(name)
            .is_some_and(|path| self.tree.entries().contains_key(&path))
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.path(name)
            .and_then(|path| plain_file(&path, self.tree))
            .unwrap_or_default()
    }

    /// Those of `names` that are there; none where one is a link or has a name that needs quoting.
    fn files(&self, names: &[&str]) -> Option<BTreeSet<String>> {
        let there = names
            .iter()
            .filter(|name| self.has(name))
            .filter_map(|name| self.path(name));
        let files: BTreeSet<_> = there.collect();
        files
            .iter()
            .all(|path| is_plain(path, self.tree))
            .then_some(files)
    }

    /// The same, unless the first of them points at packages in the tree by `key`.
    fn project_files(&self, names: &[&str], key: &str) -> Option<BTreeSet<String>> {
        let points = self.text(names[0]).lines().any(|line| {
            line.split(['{', ',']).any(|part| {
                part.trim_start()
                    .strip_prefix(key)
                    .is_some_and(|rest| rest.trim_start().starts_with('='))
            })
        });
        if points { None } else { self.files(names) }
    }
}

/// A file that can be copied alone: no link, and no character that a Dockerfile would read as more.
fn is_plain(path: &str, tree: &dyn FileTree) -> bool {
    matches!(tree.entries().get(path), Some(EntryKind::File))
        && path
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "._-/+@~ ".contains(character))
}

pub(super) fn plain_file(path: &str, tree: &dyn FileTree) -> Option<String> {
    if !is_plain(path, tree) {
        return None;
    }
    let head = tree.read_head(path, crate::sources::READ_LIMIT).ok()?;
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// `folder/written` without `.` and `..`; none where that is outside the project.
fn join(folder: &str, written: &str) -> Option<String> {
    if written.starts_with('/') {
        return None;
    }
    let mut elements: Vec<&str> = folder
        .split('/')
        .filter(|element| !element.is_empty())
        .collect();
    for element in written.split('/') {
        match element {
            "" | "." => {}
            ".." => {
                elements.pop()?;
            }
            element => elements.push(element),
        }
    }
    let joined = elements.join("/");
    Some(if written.ends_with('/') {
        joined + "/"
    } else {
        joined
    })
}
