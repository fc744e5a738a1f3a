//! The `ergon` command.

use std::process::ExitCode;

use clap::Parser as _;
use ergon_cli::commands::Ergon;

fn main() -> ExitCode {
    match Ergon::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
