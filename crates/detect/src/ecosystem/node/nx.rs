//! Applications of an Nx workspace, which have no `package.json` of their own.

use super::package::{self, Package};
use super::runner::Runner;
use super::server::Start;
use super::site::Site;
use crate::document::Document;
use crate::sources::Sources;
use crate::web_server::Fallback;

/// The file that tells of one project.
pub(super) const PROJECT: &str = "project.json";

/// An application, built and started in the folder of its workspace.
pub(super) struct Member {
    pub name: String,
    /// The workspace's `package.json`.
    pub package: Package,
    /// The workspace's folder, as the application sees it: `../..`.
    pub workspace: String,
    document: Document,
}

impl Member {
    /// The application that a folder without a `package.json` is.
    pub fn read(sources: &Sources<'_>) -> Option<Self> {
        if !sources.has(PROJECT) {
            return None;
        }
        let (workspace, document) = package::outer(sources)?;
        if !sources.has(&format!("{workspace}/nx.json")) {
            return None;
        }
        let project = sources.document(PROJECT)?;
        let folder = sources.folder().rsplit('/').next().unwrap_or("");
        let name = project.text(&["name"]).unwrap_or(folder).to_owned();
        let is_program = project.text(&["projectType"]) != Some("library")
            && !name.ends_with("-e2e")
            && is_plain(&name);
        is_program.then_some(Self {
            name,
            package: Package {
                file: format!("{workspace}/package.json"),
                document,
            },
            workspace,
            document: project,
        })
    }

    /// How it is started, or the site that it is.
    pub fn started(&self, sources: &Sources<'_>, runner: Runner) -> (Option<Start>, Option<Site>) {
        let project = Project {
            document: &self.document,
            name: &self.name,
            folder: &package::folder_in(sources, &self.workspace),
            up: "",
        };
        project.started(sources, runner)
    }
}

/// What Nx builds of the project that it takes where none is named, or of the one that the workspace is.
pub(super) fn of_root(sources: &Sources<'_>, runner: Runner) -> (Option<Start>, Option<Site>) {
    let Some(nx) = sources.document("nx.json") else {
        return (None, None);
    };
    let named = nx.text(&["defaultProject"]).and_then(|name| {
        let folders = ["apps", "packages"].iter();
        let mut folders = folders.map(|folder| format!("{folder}/{name}"));
        let folder = folders.find(|folder| sources.has(&format!("{folder}/{PROJECT}")))?;
        Some((name.to_owned(), folder))
    });
    let (name, folder) = named.unwrap_or_default();
    let up = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let file = format!("{up}{PROJECT}");
    let Some(document) = sources
        .has(&file)
        .then(|| sources.document(&file))
        .flatten()
    else {
        return (None, None);
    };
    let name = document.text(&["name"]).unwrap_or(&name).to_owned();
    let project = Project {
        document: &document,
        name: &name,
        folder: &folder,
        up: &up,
    };
    if is_plain(&name) {
        project.started(sources, runner)
    } else {
        (None, None)
    }
}

/// Whether a workspace's applications lie in folders of it.
pub(super) fn is_root_of_several(sources: &Sources<'_>) -> bool {
    sources.has("nx.json")
        && !sources.has(PROJECT)
        && ["apps", "packages"]
            .iter()
            .any(|folder| sources.has_folder(folder))
}

/// Whether a name can stand in a command as it is.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || "-_@/.".contains(one))
}

/// A project as its file tells of it.
struct Project<'p> {
    document: &'p Document,
    name: &'p str,
    /// In the workspace; empty for its root.
    folder: &'p str,
    /// The folder as who looks sees it.
    up: &'p str,
}

/// What a build leaves.
enum Kind {
    Program,
    Next,
    /// Pages, below this in the folder of what is built.
    Pages(&'static str),
}

impl Project<'_> {
    fn started(&self, sources: &Sources<'_>, runner: Runner) -> (Option<Start>, Option<Site>) {
        let executor = self.document.text(&["targets", "build", "executor"]);
        let known = executor.and_then(|executor| self.kind(executor, sources));
        let Some(kind) = known.or_else(|| self.inferred(sources)) else {
            return (self.by_target(runner), None);
        };
        let (output, from) = self.output(executor.is_some());
        let note = format!("Nx builds {} there", self.name);
        let start = |command: String, entrypoint: Option<String>| Start {
            command,
            entrypoint,
            from: from.clone(),
            note: note.clone(),
            guessed: true,
            question: None,
            build: Some(vec![self.build(runner)]),
        };
        match kind {
            Kind::Program => {
                let main = self.document.text(&["targets", "build", "options", "main"]);
                let stem = main
                    .and_then(|main| main.rsplit('/').next()?.rsplit_once('.'))
                    .map_or("main", |(stem, _)| stem);
                let below = match executor {
                    Some(executor) if executor.ends_with("js:tsc") => "src/",
                    _ => "",
                };
                let file = format!("{output}/{below}{stem}.js");
                (
                    Some(start(runner.file(&file), main.map(str::to_owned))),
                    None,
                )
            }
            Kind::Next => {
                // By itself it leaves it beside its sources.
                let output = if executor.is_some() {
                    output
                } else {
                    self.folder.to_owned()
                };
                let folder = crate::plan::shell_quoted(&output);
                (
                    Some(start(runner.tool(&format!("next start {folder}")), None)),
                    None,
                )
            }
            Kind::Pages(below) => (
                None,
                Some(Site {
                    kind: if below.is_empty() { "vite" } else { "angular" },
                    label: "Nx",
                    package: "nx",
                    output: format!("{output}{below}"),
                    fallback: Fallback::Page,
                    from: Some(from),
                    build: Some(self.build(runner)),
                }),
            ),
        }
    }

    fn build(&self, runner: Runner) -> String {
        let configuration = ["targets", "build", "configurations", "production"];
        let which = match self.document.get(&configuration) {
            Some(_) => ":production",
            None => "",
        };
        runner.tool(&format!("nx run {}:build{which}", self.name))
    }

    fn kind(&self, executor: &str, sources: &Sources<'_>) -> Option<Kind> {
        let option = |name: &str| {
            self.document
                .text(&["targets", "build", "options", name])
                .map(str::to_owned)
        };
        let (package, _) = executor.split_once(':').unwrap_or((executor, ""));
        let tool = package.rsplit('/').next().unwrap_or(package);
        let page = || sources.has(&format!("{}index.html", self.up));
        Some(match tool {
            "next" => Kind::Next,
            "angular" | "build-angular" | "build" if executor.ends_with(":application") => {
                Kind::Pages("/browser")
            }
            "angular" | "build-angular" => Kind::Pages(""),
            "vite" | "web" if page() || option("index").is_some() => Kind::Pages(""),
            "webpack" | "rspack" if option("index").is_some() => Kind::Pages(""),
            "node" | "nest" | "express" | "webpack" | "rspack" | "esbuild" | "js" | "rollup" => {
                Kind::Program
            }
            _ => return None,
        })
    }

    /// What the tools' own files say where the project has no target for its build.
    fn inferred(&self, sources: &Sources<'_>) -> Option<Kind> {
        if self.document.get(&["targets", "build"]).is_some() {
            return None;
        }
        let has = |name: &str| {
            let endings = ["js", "ts", "mjs", "mts"].iter();
            let mut files = endings.map(|ending| format!("{}{name}.{ending}", self.up));
            files.any(|file| sources.has(&file))
        };
        if has("next.config") {
            Some(Kind::Next)
        } else if has("vite.config") && sources.has(&format!("{}index.html", self.up)) {
            Some(Kind::Pages(""))
        } else {
            let webpack = format!("{}webpack.config.js", self.up);
            let text = sources
                .has(&webpack)
                .then(|| sources.text(&webpack))
                .flatten()?;
            text.contains("'node'").then_some(Kind::Program)
        }
    }

    /// The folder of what is built, and where that is said.
    fn output(&self, by_executor: bool) -> (String, String) {
        let keys = ["targets", "build", "options", "outputPath"];
        let said = self.document.text(&keys).map(|said| {
            let said = said
                .replace("{workspaceRoot}/", "")
                .replace("{projectRoot}", self.folder)
                .replace("{projectName}", self.name);
            said.trim_start_matches("./")
                .trim_end_matches('/')
                .to_owned()
        });
        let stays = |output: &String| {
            !output.is_empty() && !output.starts_with('/') && !output.contains("..")
        };
        let below = |folder: &str| match self.folder {
            "" => folder.trim_end_matches('/').to_owned(),
            own => format!("{folder}{own}"),
        };
        let usual = || {
            if by_executor && self.folder.is_empty() {
                format!("dist/{}", self.name)
            } else {
                below("dist/")
            }
        };
        (
            said.filter(stays).unwrap_or_else(usual),
            self.document.from(&keys),
        )
    }

    /// A target that starts it, where what its build leaves is not known.
    fn by_target(&self, runner: Runner) -> Option<Start> {
        self.document.get(&["targets", "start"])?;
        let builds = self.document.get(&["targets", "build"]).is_some();
        Some(Start {
            command: runner.tool(&format!("nx run {}:start", self.name)),
            entrypoint: None,
            from: self.document.from(&["targets", "start"]),
            note: format!("{} has a target that starts it", self.name),
            guessed: true,
            question: None,
            build: builds.then(|| vec![self.build(runner)]),
        })
    }
}
