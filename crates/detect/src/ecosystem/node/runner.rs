//! Who runs files and the programs of dependencies.

use super::install;
use super::package::Manager;
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// What runs a package's files and the programs that its dependencies bring.
#[derive(Clone, Copy)]
pub(super) struct Runner {
    manager: Manager,
    /// Packages lie in the manager's cache, where Node alone does not find them.
    from_cache: bool,
}

impl Runner {
    pub fn of(sources: &Sources<'_>, manager: Manager) -> Self {
        Self {
            manager,
            from_cache: manager == Manager::Berry && install::runs_from_cache(sources),
        }
    }

    /// Whether it needs no compiler.
    pub fn takes_typescript(self) -> bool {
        self.manager == Manager::Bun
    }

    /// Runs a script of `package.json`.
    pub fn script(self, name: &str) -> String {
        format!("{} run {}", self.manager.name(), shell_quoted(name))
    }

    /// Runs a file.
    pub fn file(self, file: &str) -> String {
        let quoted = shell_quoted(file);
        match self.manager {
            Manager::Bun if file.contains('.') => format!("bun {quoted}"),
            // `bun build` would build.
            Manager::Bun => format!("bun ./{}", quoted.trim_start_matches("./")),
            _ if self.from_cache => format!("yarn node {quoted}"),
            _ => format!("node {quoted}"),
        }
    }

    /// Runs a program of a dependency, which is on nobody's path.
    pub fn tool(self, command: &str) -> String {
        match self.manager {
            Manager::Bun => format!("bunx {command}"),
            _ if self.from_cache => format!("yarn run {command}"),
            _ => format!("npx {command}"),
        }
    }
}
