//! What the smaller compiled languages have in common: a toolchain, a few commands, one program.

use ergon_manifest::{Application, Runtime};

use super::{Found, Port, Report, Strength};
use crate::analysis::Topic;
use crate::environment::{self, Read};
use crate::names;

/// A program as its language's file reads it off the project.
pub(super) struct Compiled<'a> {
    pub language: &'a str,
    /// As `type`: the framework, else the language.
    pub kind: &'a str,
    pub name: Option<String>,
    /// The file that says how it is built.
    pub file: &'a str,
    pub package_manager: Option<&'a str>,
    pub build_commands: Vec<String>,
    /// None for a library.
    pub run_command: Option<String>,
    pub artifacts: Vec<String>,
    pub system_packages: Vec<String>,
    pub runtime: Option<Runtime>,
    pub base_image: String,
    pub port: Option<Port>,
    pub reads: Vec<Read>,
    pub is_framework: bool,
}

impl Compiled<'_> {
    /// Says all of it, each with the file.
    pub fn found(self, mut report: Report) -> Found {
        if let Some(manager) = self.package_manager {
            report.certain(Topic::PackageManager, manager, self.file);
        }
        for command in &self.build_commands {
            report.likely(Topic::BuildCommand, command, self.file);
        }
        for package in &self.system_packages {
            report.likely(Topic::SystemPackage, package, self.file);
        }
        if let Some(run) = &self.run_command {
            report
                .likely(Topic::RunCommand, run, self.file)
                .note(format!("what {} builds", self.file));
        }
        // What the code falls back to is where it listens, whatever is usual.
        let ports = match Port::of_reads(&self.reads).or(self.port) {
            Some(port) if self.run_command.is_some() => vec![report.port(&port)],
            _ => Vec::new(),
        };
        let env = environment::told(&self.reads, &mut report);
        let strength = match (&self.run_command, self.is_framework) {
            (None, _) => Strength::Sources,
            (Some(_), false) => Strength::Program,
            (Some(_), true) => Strength::Framework,
        };
        Found {
            strength,
            name: self.name.as_deref().and_then(names::from_package),
            application: Application {
                kind: self.kind.to_owned(),
                language: self.language.to_owned(),
                dependencies: self.package_manager.map(|_| self.file.to_owned()),
                build_commands: self.build_commands,
                run_command: self.run_command,
                runtime: self.runtime,
                package_manager: self.package_manager.map(str::to_owned),
                ports,
                env,
                system_packages: self.system_packages,
                artifacts: self.artifacts,
                ..Application::default()
            },
            base_image: self.base_image,
            delegates: false,
            report,
        }
    }
}
