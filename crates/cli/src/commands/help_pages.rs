//! What comes with the programs: completion for shells, and manual pages.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use super::Ergon;
use crate::aish::Aish;
use crate::failure::{Failure, Outcome};
use crate::{completion, folders};

/// Print what has a shell complete ergon and aish, names of companions included
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ergon completion bash > ~/.local/share/bash-completion/completions/ergon
  source <(ergon completion zsh)
  ergon completion fish | source")]
pub struct Completion {
    /// bash, zsh, fish, elvish or powershell
    shell: String,
}

/// Write the manual pages of ergon, all its commands, and aish into a folder
#[derive(Debug, Args)]
#[command(after_help = "Example:
  ergon man ~/.local/share/man/man1 && man ergon-run")]
pub struct Man {
    folder: PathBuf,
}

impl Completion {
    pub fn run(self) -> Outcome {
        completion::print_for_both(&self.shell)
    }
}

impl Man {
    pub fn run(self) -> Outcome {
        let failed = |error: std::io::Error| {
            Failure::new(format!(
                "manual pages cannot be written into {}: {}",
                folders::display(&self.folder),
                folders::reason(&error)
            ))
        };
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        for command in [Ergon::command(), Aish::command()] {
            clap_mangen::generate_to(command, &self.folder).map_err(failed)?;
        }
        Ok(())
    }
}
