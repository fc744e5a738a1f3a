//! Manifest: the schema, the check, the digests, the first draft.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ergon_manifest::{Diagnostic, to_pretty_json};
use ergon_pack::{MANIFEST_FILE, read_own_file};
use serde::Serialize;

use super::arguments::Format;
use super::{detect, packing};
use crate::failure::{Code, Failure, Outcome};
use crate::report::{analysis, diagnostics};
use crate::{folders, output, style, table, words};

/// ergon.json: its schema, its check, its digests
#[derive(Debug, Args)]
pub struct Manifest {
    #[command(subcommand)]
    command: ManifestCommand,
}

#[derive(Debug, Subcommand)]
enum ManifestCommand {
    /// Print the JSON Schema of ergon.json, for editors
    Schema,
    /// Say everything that is wrong with a manifest, with line and column
    Check {
        /// The file, or the folder it is in
        #[arg(value_name = "FILE or DIR", default_value = ".")]
        path: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Print the digests that identify a folder's build; writes nothing
    Hash {
        /// The folder that holds the project
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Write what detection found into the folder as ergon.json
    Init {
        /// The folder that holds the project
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        /// Replace an ergon.json that is there
        #[arg(long)]
        force: bool,
    },
}

/// What `check --json` prints.
#[derive(Serialize)]
struct Checked<'a> {
    file: String,
    valid: bool,
    manifest_digest: Option<String>,
    problems: &'a [Diagnostic],
}

/// What `hash --json` prints.
#[derive(Serialize)]
struct Digests {
    manifest_digest: String,
    source_digest: String,
    /// Null while a base is not held here: its digest is part of the hash.
    build_hash: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing_bases: Vec<String>,
    /// The build hash for each platform, where the manifest names any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    builds: BTreeMap<String, Option<String>>,
}

impl Manifest {
    pub fn run(self) -> Outcome {
        match self.command {
            ManifestCommand::Schema => output::print_json(&ergon_manifest::json_schema()),
            ManifestCommand::Check { path, format } => check(&path, format),
            ManifestCommand::Hash { folder, format } => hash(&folder, format),
            ManifestCommand::Init { folder, force } => init(&folder, force),
        }
    }
}

fn check(given: &Path, format: Format) -> Outcome {
    let path = if given.is_dir() {
        given.join(MANIFEST_FILE)
    } else {
        given.to_owned()
    };
    let text = std::fs::read(&path).map_err(|error| {
        let failure = Failure::new(format!(
            "{} cannot be read: {}",
            path.display(),
            folders::reason(&error)
        ));
        failure
            .with_remedy("`ergon manifest init` writes a first one from what it finds".to_owned())
    })?;
    let text = String::from_utf8(text).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .split(|byte| *byte == b'\n')
            .count();
        Failure::new(format!(
            "{} is not UTF-8 text: look at line {line}",
            path.display()
        ))
    })?;
    let checked = ergon_manifest::check(&text);
    let problems = checked
        .as_ref()
        .err()
        .map(Vec::as_slice)
        .unwrap_or_default();
    // A path under the working folder is what an editor can open with a click.
    let name = path
        .strip_prefix("./")
        .unwrap_or(&path)
        .display()
        .to_string();
    if format.json {
        let manifest_digest = checked
            .as_ref()
            .ok()
            .map(|document| document.digest().to_string());
        output::print_json(&Checked {
            file: name,
            valid: checked.is_ok(),
            manifest_digest,
            problems,
        })?;
    } else if let Ok(document) = &checked {
        let containers = words::count(document.manifest.containers.len(), "container");
        output::print(&format!(
            "{} {name} is right: {containers}, {}\n",
            style::good("✓"),
            document.digest()
        ))?;
    } else {
        output::print(&diagnostics::render(&name, &text, problems))?;
    }
    if checked.is_ok() {
        Ok(())
    } else {
        Err(Failure::Told(Code::Failed))
    }
}

fn hash(folder: &Path, format: Format) -> Outcome {
    let folder = folders::source(folder)?;
    let cache = packing::cache()?;
    let identity = |platform| {
        let identity = ergon_pack::identify(&folder, &cache, platform);
        identity.map_err(|error| packing::failure(&error))
    };
    let named = ergon_pack::platforms_of(&folder, &[]);
    let mut builds = BTreeMap::new();
    for platform in &named {
        let hash = identity(Some(platform))?.build_hash;
        builds.insert(platform.to_string(), hash.map(|hash| hash.to_string()));
    }
    let identity = identity(None)?;
    let digests = Digests {
        manifest_digest: identity.manifest_digest.to_string(),
        source_digest: identity.source_digest.to_string(),
        build_hash: identity.build_hash.map(|hash| hash.to_string()),
        missing_bases: identity.missing_bases,
        builds,
    };
    output::show(format.json, &digests, || {
        let unknown = format!(
            "not known: the base {} is not held here",
            digests.missing_bases.join(", ")
        );
        let mut rows = vec![
            ("manifest", digests.manifest_digest.as_str()),
            ("source", digests.source_digest.as_str()),
        ];
        let of_platforms: Vec<String> = digests
            .builds
            .iter()
            .map(|(platform, hash)| {
                let hash = hash
                    .as_deref()
                    .unwrap_or("not known: a base is not held here");
                format!("{hash}   {platform}")
            })
            .collect();
        if of_platforms.is_empty() {
            rows.push(("build", digests.build_hash.as_deref().unwrap_or(&unknown)));
        }
        rows.extend(of_platforms.iter().map(|row| ("build", row.as_str())));
        table::labelled(&rows)
    })
}

fn init(folder: &Path, force: bool) -> Outcome {
    let found = detect::analyse(folder)?;
    if found.manifest.applications.is_empty() {
        let folder = folder.display().to_string();
        output::note(analysis::render_unknown(&folder, &found, None).trim_end());
        return Err(Failure::Told(Code::Usage));
    }
    let path = folder.join(MANIFEST_FILE);
    let text = to_pretty_json(&found.manifest);
    match read_own_file(folder, MANIFEST_FILE) {
        Ok(Some(present)) if present == text.as_bytes() => {
            return output::print(&format!("{} is so already.\n", path.display()));
        }
        Ok(None) => {}
        _ if !force => {
            return Err(Failure::new(format!(
                "{} is there and says something else",
                path.display()
            ))
            .with_remedy(
                "--force replaces it; `ergon detect --json` shows what would be written".to_owned(),
            ));
        }
        _ => {}
    }
    ergon_pack::write_atomically(&path, text.as_bytes()).map_err(|error| {
        Failure::new(format!(
            "{} cannot be written: {}",
            path.display(),
            folders::reason(&error)
        ))
    })?;
    output::print(&format!("{} is written.\n", path.display()))
}
