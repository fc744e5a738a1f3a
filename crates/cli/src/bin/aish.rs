//! The `aish` command: talk to companions.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use clap_complete::CompleteEnv;
use ergon_cli::aish::Aish;

fn main() -> ExitCode {
    // A shell asks what completes; then nothing else happens.
    CompleteEnv::with_factory(Aish::command).complete();
    match Aish::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
