//! Images as one archive.

use std::io::Write as _;
use std::path::Path;

use ergon_server::api::{ImportedImage, List};
use futures_util::StreamExt as _;
use serde::Serialize;

use crate::client::Client;
use crate::commands::arguments::Format;
use crate::failure::{Failure, Outcome};
use crate::{output, words};

const PATH: [&str; 3] = ["api", "v1", "archive"];

/// What was written.
#[derive(Serialize)]
struct Exported<'a> {
    path: &'a Path,
    bytes: u64,
}

/// Writes an archive, whole or not at all.
pub async fn export(
    client: &Client,
    references: &[String],
    target: &Path,
    format: Format,
) -> Outcome {
    let failed = |error: std::io::Error| {
        Failure::new(format!("{} cannot be written: {error}", target.display()))
            .with_remedy("choose another file with --output".to_owned())
    };
    let references = references.join(",");
    let query = [("references", references.as_str())];
    let mut pieces = client.download(&PATH, &query).await?;
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        file.write_all(&piece).map_err(failed)?;
        bytes += piece.len() as u64;
    }
    file.as_file().sync_all().map_err(failed)?;
    file.persist(target).map_err(|error| failed(error.error))?;
    let written = Exported {
        path: target,
        bytes,
    };
    output::show(format.json, &written, || {
        format!("{}  {}\n", target.display(), words::size(bytes))
    })
}

/// Sends an archive to be taken in.
pub async fn import(
    client: &Client,
    archive: &Path,
    repository: Option<&str>,
    format: Format,
) -> Outcome {
    let file = tokio::fs::File::open(archive).await.map_err(|error| {
        Failure::new(format!("{} cannot be read: {error}", archive.display()))
            .with_remedy("name a tar of an OCI layout".to_owned())
    })?;
    let pieces = tokio_util::io::ReaderStream::with_capacity(file, 256 << 10);
    let body = reqwest::Body::wrap_stream(pieces);
    let query: Vec<_> = repository
        .iter()
        .map(|name| ("repository", *name))
        .collect();
    let taken: List<ImportedImage> = client
        .upload(&PATH, &query, "application/x-tar", body)
        .await?;
    output::show(format.json, &taken, || {
        let line = |image: &ImportedImage| {
            let repository = words::on_one_line(&image.repository);
            format!(
                "{repository}  {}  {}\n",
                image.digest,
                image.tags.join(", ")
            )
        };
        taken.items.iter().map(line).collect()
    })
}
