//! From a request's body into an upload.

use std::ops::Range;
use std::time::Duration;

use axum::body::Body;
use ergon_oci::registry::{Code, Refusal};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::error::DistributionError;
use super::uploads::{Upload, Uploads};

/// Whoever sends nothing for so long is not waited for. What came until then is kept.
const PATIENCE: Duration = Duration::from_mins(1);
/// So many bytes are gathered before they are written.
const GATHERED: u64 = 1 << 20;

/// What a request says of its body.
#[derive(Clone, Debug, Default)]
pub struct Announced {
    /// Where its bytes belong.
    pub range: Option<Range<u64>>,
    /// How many there are.
    pub length: Option<u64>,
}

impl Uploads {
    /// Takes a body into an upload, as far as it comes. An upload that is refused is let go of as it was before;
    /// one whose sender breaks off keeps what came.
    pub async fn receive(
        &self,
        mut upload: Upload,
        announced: &Announced,
        body: Body,
    ) -> Result<Upload, DistributionError> {
        let before = upload.began();
        if let Some(range) = &announced.range {
            if range.start != before {
                let id = upload.id().to_owned();
                let length = self.keep(upload).await?;
                return Err(Refusal::new(
                    416,
                    Code::BlobUploadInvalid,
                    format!(
                        "the upload {id} has {length} bytes, and what came begins at byte {}",
                        range.start
                    ),
                )
                .into());
            }
            if announced
                .length
                .is_some_and(|length| length != range.end - range.start)
            {
                self.keep(upload).await?;
                return Err(wrong_size(range, announced.length.unwrap_or_default()));
            }
        }
        let most = announced.range.as_ref().map(|range| range.end);
        let mut frames = body.into_data_stream();
        let mut gathered = 0;
        let ended = loop {
            let frame = match timeout(PATIENCE, frames.next()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) => break Ok(()),
                Ok(Some(Err(error))) => break Err(broken_off(&error.to_string())),
                Err(_) => break Err(broken_off("nothing came for a minute")),
            };
            if most.is_some_and(|most| upload.length() + frame.len() as u64 > most) {
                let range = announced.range.clone().unwrap_or_default();
                let came = upload.length() + frame.len() as u64 - before;
                self.keep_as_it_was(upload).await?;
                return Err(wrong_size(&range, came));
            }
            gathered += frame.len() as u64;
            upload.take(frame);
            if gathered >= GATHERED {
                upload = upload.write().await?;
                gathered = 0;
            }
        };
        if let Err(refusal) = ended {
            self.keep(upload).await?;
            return Err(refusal.into());
        }
        if let Some(range) = announced
            .range
            .as_ref()
            .filter(|range| range.end != upload.length())
        {
            let came = upload.length() - before;
            self.keep_as_it_was(upload).await?;
            return Err(wrong_size(range, came));
        }
        Ok(upload)
    }
}

fn wrong_size(range: &Range<u64>, came: u64) -> DistributionError {
    Refusal::new(
        400,
        Code::SizeInvalid,
        format!(
            "the chunk was said to be bytes {}-{}, and {came} bytes came",
            range.start,
            range.end.saturating_sub(1)
        ),
    )
    .into()
}

fn broken_off(reason: &str) -> Refusal {
    Refusal::new(
        400,
        Code::SizeInvalid,
        format!(
            "the body broke off: {reason}; what came is kept, and the upload can go on from there"
        ),
    )
}
