//! What installs a program's dependencies, and how it is told to.

use super::dependencies::Dependencies;
use super::metadata::Metadata;
use crate::ecosystem::LockState;
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// What installs the dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    Pip,
    Uv,
    Poetry,
    Pdm,
    Pipenv,
    /// Pip, with what a script lists in its own comment.
    Script,
    Conda,
}

/// How the dependencies are installed.
#[derive(Debug, Default)]
pub(super) struct Install {
    pub commands: Vec<String>,
    /// The project itself is installed with them, so that its own commands are there.
    pub project: bool,
}

/// What is wanted of an installation beside the dependencies.
pub(super) struct Wish<'a> {
    /// Into a folder of its own, since what builds has no place in the image.
    pub venv: bool,
    /// A package that is needed and not listed.
    pub missing: Option<&'a str>,
}

impl Manager {
    /// What is meant where only `pyproject.toml` or `setup.py` is there.
    pub fn of_project(sources: &Sources<'_>, metadata: &Metadata) -> Self {
        if metadata.has_tool("poetry") {
            Self::Poetry
        } else if metadata.has_tool("uv") {
            Self::Uv
        } else if metadata.has_tool("pdm") {
            Self::Pdm
        } else if metadata.builds() || metadata.has_setup() || modules(sources) < 2 {
            Self::Pip
        } else {
            // Pip installs a project only as a package, and cannot tell which of these files are it.
            Self::Uv
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Pip | Self::Script => "pip",
            Self::Uv => "uv",
            Self::Poetry => "poetry",
            Self::Pdm => "pdm",
            Self::Pipenv => "pipenv",
            Self::Conda => "conda",
        }
    }

    pub fn lock_file(self) -> Option<&'static str> {
        match self {
            Self::Uv => Some("uv.lock"),
            Self::Poetry => Some("poetry.lock"),
            Self::Pdm => Some("pdm.lock"),
            Self::Pipenv => Some("Pipfile.lock"),
            Self::Pip | Self::Script | Self::Conda => None,
        }
    }

    /// What a person types to write the lock file again.
    pub fn relock(self) -> &'static str {
        match self {
            Self::Uv => "uv lock",
            Self::Poetry => "poetry lock",
            Self::Pdm => "pdm lock",
            Self::Pipenv => "pipenv lock",
            Self::Pip | Self::Script | Self::Conda => "pip-compile",
        }
    }

    /// The commands that install the dependencies, those that read no sources first.
    pub fn install(
        self,
        dependencies: &Dependencies,
        metadata: &Metadata,
        sources: &Sources<'_>,
        wish: &Wish<'_>,
    ) -> Install {
        let file = dependencies.file.as_deref().unwrap_or("requirements.txt");
        let state = dependencies.lock.as_ref().map(|lock| lock.state);
        let mut install = Install::default();
        let mut more = wish.missing;
        match self {
            Self::Pip | Self::Script => {
                let mut words = String::from("pip install --no-cache-dir");
                if self == Self::Script {
                    for word in dependencies.words() {
                        words.push(' ');
                        words.push_str(&shell_quoted(&word));
                    }
                    if dependencies.places().next().is_none() {
                        return install;
                    }
                } else if matches!(file, "pyproject.toml" | "setup.py") {
                    words.push_str(" .");
                    install.project = true;
                } else {
                    words.push_str(" -r ");
                    words.push_str(&shell_quoted(file));
                }
                if let Some(package) = more.take() {
                    words.push(' ');
                    words.push_str(package);
                }
                let venv = if wish.venv {
                    "python -m venv .venv && "
                } else {
                    ""
                };
                install.commands.push(format!("{venv}{words}"));
            }
            Self::Uv => {
                let locked = if state == Some(LockState::Locked) {
                    " --locked"
                } else {
                    ""
                };
                install.commands.push(bring(&uv_wanted(metadata)));
                if is_package(metadata, "uv") {
                    install
                        .commands
                        .push(format!("uv sync{locked} --no-dev --no-install-project"));
                    install.project = true;
                }
                install.commands.push(format!("uv sync{locked} --no-dev"));
            }
            Self::Poetry => {
                let version = dependencies
                    .lock
                    .as_ref()
                    .and_then(|lock| lock.written_by.as_deref());
                install.commands.push(bring(&match version {
                    Some(version) => format!("poetry=={version}"),
                    None => "poetry".to_owned(),
                }));
                let lock = if state == Some(LockState::Stale) {
                    "poetry lock && "
                } else {
                    ""
                };
                install
                    .commands
                    .push(format!("{lock}poetry install --only main --no-root"));
                let mode = metadata.flag(&["tool", "poetry", "package-mode"]);
                if mode != Some(false)
                    && own_folder(sources, metadata).is_some()
                    && needs_installing(sources, metadata)
                {
                    install
                        .commands
                        .push("poetry install --only main".to_owned());
                    install.project = true;
                }
            }
            Self::Pdm => {
                // With what it was tested with: what it needs itself has moved under it before.
                install.commands.push(bring("pdm[locked]"));
                let verb = if state == Some(LockState::Locked) {
                    "sync"
                } else {
                    "install"
                };
                if is_package(metadata, "pdm") {
                    install
                        .commands
                        .push(format!("pdm {verb} --prod --no-self"));
                    install.commands.push(format!("pdm {verb} --prod"));
                    install.project = true;
                } else if metadata.flag(&["tool", "pdm", "distribution"]) == Some(false) {
                    install.commands.push(format!("pdm {verb} --prod"));
                } else {
                    install
                        .commands
                        .push(format!("pdm {verb} --prod --no-self"));
                }
            }
            Self::Pipenv => {
                install.commands.push(bring("pipenv"));
                let is_blank = dependencies.lock.as_ref().is_some_and(|lock| lock.is_blank);
                let verb = if state == Some(LockState::Missing) || is_blank {
                    "install"
                } else {
                    "sync"
                };
                install.commands.push(format!("pipenv {verb}"));
            }
            Self::Conda => return install,
        }
        if let Some(package) = more {
            install.commands.push(format!(
                "pip --python .venv install --no-cache-dir {package}"
            ));
        }
        install
    }
}

fn bring(tool: &str) -> String {
    format!("pip install --no-cache-dir {}", shell_quoted(tool))
}

/// uv, in the version that the project wants.
fn uv_wanted(metadata: &Metadata) -> String {
    let wanted = metadata
        .pyproject
        .as_ref()
        .and_then(|project| project.text(&["tool", "uv", "required-version"]));
    match wanted {
        Some(version) if version.starts_with(|first: char| first.is_ascii_digit()) => {
            format!("uv=={version}")
        }
        Some(range) if range.starts_with(['=', '>', '<', '~']) => format!("uv{range}"),
        _ => "uv".to_owned(),
    }
}

/// Whether uv and PDM install the project itself too.
fn is_package(metadata: &Metadata, tool: &str) -> bool {
    let key = if tool == "uv" {
        "package"
    } else {
        "distribution"
    };
    metadata
        .flag(&["tool", tool, key])
        .unwrap_or_else(|| metadata.builds())
}

/// The folder of the project's own package.
pub(super) fn own_folder(sources: &Sources<'_>, metadata: &Metadata) -> Option<String> {
    let name = metadata.name()?;
    let module = name.replace(['-', '.'], "_");
    [&name, &module, &module.to_lowercase()]
        .into_iter()
        .flat_map(|name| [name.clone(), format!("src/{name}")])
        .find(|folder| {
            sources.has(&format!("{folder}/__init__.py"))
                || sources.has(&format!("{folder}/__main__.py"))
        })
}

/// Whether a program finds its own package only once that is installed.
fn needs_installing(sources: &Sources<'_>, metadata: &Metadata) -> bool {
    !metadata.scripts().is_empty()
        || own_folder(sources, metadata).is_some_and(|folder| folder.starts_with("src/"))
}

/// How many modules and packages lie at the root.
fn modules(sources: &Sources<'_>) -> usize {
    let mut modules: Vec<&str> = Vec::new();
    for path in sources.files().iter().filter(|path| path.ends_with(".py")) {
        let first = path.split('/').next().unwrap_or(path);
        let deep = path.matches('/').count() > 1;
        if !deep && first != "setup.py" && first != "src" && !modules.contains(&first) {
            modules.push(first);
        }
    }
    modules.len()
}
