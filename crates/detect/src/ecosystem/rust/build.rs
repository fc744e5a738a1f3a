//! How a program is built.

use ergon_manifest::Application;

use super::package::Package;
use super::programs::Program;
use crate::analysis::Topic;
use crate::document::Document;
use crate::ecosystem::Report;
use crate::sources::Sources;

/// How the program is built.
pub(super) struct Build<'a> {
    pub program: &'a Program,
    pub package: &'a Package,
    /// What leads to the workspace's root.
    pub up: &'a str,
    pub fetches: bool,
    pub locked: bool,
    pub target: Option<String>,
}

impl Build<'_> {
    /// Says how it is built, and that it is started with a command of its own.
    pub fn write(&self, command: &str, application: &mut Application, report: &mut Report) {
        let name = &self.program.name;
        let exactly = if self.locked { " --locked" } else { "" };
        let mut commands = Vec::new();
        if let Some(target) = &self.target {
            commands.push(format!("rustup target add {target}"));
        }
        if self.fetches {
            commands.push(format!("cargo fetch{exactly}"));
        }
        let mut build = format!("cargo build --release --offline{exactly}");
        if !self.package.folder.is_empty()
            && let Some(package) = self.package.name().filter(|name| is_plain(name))
        {
            build.extend([" --package ", package]);
        }
        build.extend([" --bin ", name]);
        if !self.program.features.is_empty() {
            build.extend([" --features ", &self.program.features.join(",")]);
        }
        if !self.up.is_empty() {
            // The workspace's own is outside of the program's folder.
            build.push_str(" --target-dir target");
        }
        commands.push(build);
        let target = self.target.as_ref();
        let target = target
            .map(|target| format!("{target}/"))
            .unwrap_or_default();
        commands.push(format!(
            "install -D target/{target}release/{name} bin/{name}"
        ));
        for command in &commands {
            report.likely(Topic::BuildCommand, command, &self.program.from);
        }
        application.build_commands = commands;
        let run = format!("./bin/{name}{command}");
        report
            .likely(Topic::RunCommand, &run, &self.program.from)
            .note(format!("built from {}", self.program.file));
        application.entrypoint = Some(self.program.file.clone());
        application.run_command = Some(run);
    }
}

/// A name that can go into a shell line.
fn is_plain(name: &str) -> bool {
    !name.starts_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

/// The machine that is built for, where the project's settings name one.
pub(super) fn target(sources: &Sources<'_>, up: &str) -> Option<String> {
    let files = [".cargo/config.toml", ".cargo/config"].map(|file| format!("{up}{file}"));
    let file = files.iter().find(|file| sources.has(file))?;
    let text = sources.text(file)?;
    let document = Document::parse("config.toml", &text).ok()?;
    let target = document.text(&["build", "target"])?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    target.chars().all(plain).then(|| target.to_owned())
}
