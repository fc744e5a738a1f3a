//! Every command: one file per noun, and the tree they hang on.

mod approvals;
mod arguments;
mod attesting;
mod audit;
mod base;
mod build;
mod built;
mod ca;
mod cache;
mod companion;
mod container;
mod debug;
mod detect;
mod diff;
mod directory;
mod dockerfile;
mod doctor;
mod events;
mod guard_rail;
mod help_pages;
mod image;
mod job;
mod lock;
mod manifest;
mod mcp;
mod message;
mod model;
mod outputs;
mod packing;
mod person;
mod policy;
mod project;
mod provider;
mod push;
mod registry;
mod run;
mod sbom;
mod sealing;
mod secret;
mod solution;
mod stack;
mod up;
mod upkeep;
mod verify;

use std::future::Future;

use clap::{Parser, Subcommand};

use crate::failure::{Failure, Outcome};
use crate::start;

/// From a folder of source to a running, watched container.
#[derive(Debug, Parser)]
#[command(
    name = "ergon",
    bin_name = "ergon",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Ergon {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(Box<up::Up>),
    Status(stack::Status),
    Link(stack::Link),
    Token(stack::Token),
    Detect(detect::Detect),
    Dockerfile(dockerfile::Dockerfile),
    Manifest(manifest::Manifest),
    Lock(lock::Lock),
    Build(build::Build),
    Diff(diff::Diff),
    Push(push::Push),
    Verify(verify::Verify),
    Sbom(sbom::Sbom),
    Base(base::Base),
    Cache(cache::Cache),
    Run(run::Run),
    Project(project::Project),
    Job(job::Job),
    Registry(registry::Registry),
    Solution(solution::Solution),
    Container(container::Container),
    Companion(companion::Companion),
    Message(message::Message),
    Approvals(approvals::Approvals),
    GuardRail(guard_rail::GuardRail),
    Secret(secret::Secret),
    Events(events::Events),
    Mcp(mcp::Mcp),
    Person(person::Person),
    Policy(policy::Policy),
    Audit(audit::Audit),
    Ca(ca::Ca),
    Doctor(doctor::Doctor),
    Completion(help_pages::Completion),
    Man(help_pages::Man),
}

impl Ergon {
    /// Does what was asked.
    pub fn run(self) -> Outcome {
        match self.command {
            Command::Up(command) => across_threads(command.run()),
            Command::Status(command) => here(command.run()),
            Command::Link(command) => here(command.run()),
            Command::Token(command) => command.run(),
            Command::Detect(command) => command.run(),
            Command::Dockerfile(command) => command.run(),
            Command::Manifest(command) => command.run(),
            Command::Lock(command) => across_threads(command.run()),
            Command::Build(command) => across_threads(command.run()),
            Command::Diff(command) => across_threads(command.run()),
            Command::Push(command) => across_threads(command.run()),
            Command::Verify(command) => across_threads(command.run()),
            Command::Sbom(command) => across_threads(command.run()),
            Command::Base(command) => across_threads(command.run()),
            Command::Cache(command) => command.run(),
            Command::Run(command) => here(command.run()),
            Command::Project(command) => here(command.run()),
            Command::Job(command) => here(command.run()),
            Command::Registry(command) => here(command.run()),
            Command::Solution(command) => here(command.run()),
            Command::Container(command) => here(command.run()),
            Command::Companion(command) => here(command.run()),
            Command::Message(command) => here(command.run()),
            Command::Approvals(command) => here(command.run()),
            Command::GuardRail(command) => here(command.run()),
            Command::Secret(command) => here(command.run()),
            Command::Events(command) => here(command.run()),
            Command::Mcp(command) => here(command.run()),
            Command::Person(command) => here(command.run()),
            Command::Policy(command) => here(command.run()),
            Command::Audit(command) => here(command.run()),
            Command::Ca(command) => here(command.run()),
            Command::Doctor(command) => here(command.run()),
            Command::Completion(command) => command.run(),
            Command::Man(command) => command.run(),
        }
    }
}

/// Runs what only waits for a stack: one thread is enough, and starts sooner.
pub(crate) fn here(work: impl Future<Output = Outcome>) -> Outcome {
    start::give_tls_its_provider();
    start::trace();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.map_err(no_runtime)?.block_on(work)
}

/// Runs what works itself.
fn across_threads(work: impl Future<Output = Outcome>) -> Outcome {
    start::give_tls_its_provider();
    start::trace();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.map_err(no_runtime)?.block_on(work)
}

fn no_runtime(error: std::io::Error) -> Failure {
    Failure::new(format!(
        "the system gives this process no threads or file descriptors: {error}"
    ))
    .with_remedy("look at `ulimit -a`".to_owned())
}
