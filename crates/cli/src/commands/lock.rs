//! Lock: pins what may move, and shows what moved.

use std::path::PathBuf;

use clap::Args;
use ergon_engine::Engine;
use ergon_pack::{LOCK_FILE, LockChange};
use serde::Serialize;

use super::arguments::{Format, Platforms, Stack};
use super::packing;
use crate::failure::Outcome;
use crate::progress::Steps;
use crate::{folders, output, style, table, words};

/// Pin the bases and dependencies of a folder in ergon.lock.json, and show what moved
#[derive(Debug, Args)]
pub struct Lock {
    /// The folder that holds the project
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    platforms: Platforms,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    stack: Stack,
}

#[derive(Serialize)]
struct Locked<'a> {
    file: String,
    changes: &'a [LockChange],
}

impl Lock {
    pub async fn run(self) -> Outcome {
        let folder = folders::source(&self.folder)?;
        let cache = packing::cache_through(&self.stack).await?;
        let engine = Engine::connect().await;
        let steps = Steps::start(false);
        let locked = ergon_pack::lock(
            &folder,
            &self.platforms.wanted,
            &cache,
            engine.as_ref().ok(),
            &steps,
        )
        .await;
        steps.finish();
        let changes = match (locked, engine) {
            (Ok(changes), _) => changes,
            (Err(error), Ok(_)) => return Err(packing::failure(&error)),
            (Err(error), Err(missing)) => return Err(packing::failure_without(&missing, &error)),
        };
        let file = folder.join(LOCK_FILE).display().to_string();
        output::show(
            self.format.json,
            &Locked {
                file,
                changes: &changes,
            },
            || page(&changes),
        )
    }
}

fn page(changes: &[LockChange]) -> String {
    if changes.is_empty() {
        return format!("{LOCK_FILE} holds: nothing moved.\n");
    }
    let widest = changes
        .iter()
        .map(|change| change.what.chars().count())
        .max()
        .unwrap_or_default();
    let digest = |digest: &Option<ergon_manifest::Digest>| {
        digest.map_or("—".to_owned(), |digest| {
            words::glimpse(&digest.to_string())
        })
    };
    let lines = changes.iter().map(|change| {
        let what = table::pad(&style::strong(&words::harmless(&change.what)), widest);
        format!(
            "{what}  {} → {}\n",
            digest(&change.before),
            digest(&change.after)
        )
    });
    lines.collect()
}
