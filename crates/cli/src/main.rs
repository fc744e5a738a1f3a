//! The `ergon` command.

use std::process::ExitCode;

use clap::Parser as _;
use ergon_cli::commands::Ergon;

fn main() -> ExitCode {
    // A step of a build runs in a process that is this program too.
    if let Some(code) = ergon_engine::namespaces::take_part() {
        return code;
    }
    match Ergon::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
