//! The `ergon` command.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use clap_complete::CompleteEnv;
use ergon_cli::commands::Ergon;

fn main() -> ExitCode {
    // A step of a build runs in a process that is this program too.
    if let Some(code) = ergon_engine::namespaces::take_part() {
        return code;
    }
    // A shell asks what completes; then nothing else happens.
    CompleteEnv::with_factory(Ergon::command).complete();
    match Ergon::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
