//! The `aish` command: talk to companions.

use std::process::ExitCode;

use clap::Parser as _;
use ergon_cli::aish::Aish;

fn main() -> ExitCode {
    match Aish::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
