//! Detect: what a folder holds, and how that is known.

use std::path::PathBuf;

use clap::Args;
use ergon_detect::analysis::Analysis;
use ergon_detect::disk::DiskTree;
use ergon_manifest::to_pretty_json;
use ergon_pack::{MANIFEST_FILE, read_own_file};

use super::arguments::Format;
use crate::failure::{Code, Failure, Outcome};
use crate::report::analysis;
use crate::{folders, output, style};

/// Say what a folder holds and where that was read; writes nothing
///
/// Exits 2 where nothing was recognised.
#[derive(Debug, Args)]
pub struct Detect {
    /// The folder that holds the project
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl Detect {
    pub fn run(self) -> Outcome {
        let found = analyse(&self.folder)?;
        let is_unknown = found.manifest.applications.is_empty();
        output::show(self.format.json, &found, || {
            if is_unknown {
                analysis::render_unknown(
                    &self.folder.display().to_string(),
                    &found,
                    output::width(),
                )
            } else {
                analysis::render(&found, output::width())
            }
        })?;
        if !self.format.json
            && let Ok(Some(written)) = read_own_file(&self.folder, MANIFEST_FILE)
        {
            let note = style::warning("note:");
            let says = if written == to_pretty_json(&found.manifest).into_bytes() {
                "says the same"
            } else {
                "says something else"
            };
            output::note(&format!(
                "{note} builds use the {MANIFEST_FILE} that is there, which {says}"
            ));
        }
        if is_unknown {
            Err(Failure::Told(Code::Usage))
        } else {
            Ok(())
        }
    }
}

/// What detection finds in a folder.
pub fn analyse(folder: &std::path::Path) -> Outcome<Analysis> {
    let folder = folders::source(folder)?;
    let tree = DiskTree::open(&folder)
        .map_err(|error| Failure::from_error(&error).with_remedy(error.remedy()))?;
    Ok(ergon_detect::analyse(&tree))
}
