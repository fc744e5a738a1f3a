//! The `aish` command: talk to companions.

use std::process::ExitCode;

use clap::Parser as _;
use ergon_cli::aish::Aish;

fn main() -> ExitCode {
    ergon_cli::give_tls_its_provider();
    match Aish::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
