//! Tar archives in and out of containers.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bollard::body_try_stream;
use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use crate::{Engine, EngineError, name};

/// Bytes as the engine sends them.
pub struct ByteStream(Pin<Box<dyn Stream<Item = Result<Bytes, EngineError>> + Send>>);

impl ByteStream {
    pub(crate) fn new(
        stream: impl Stream<Item = Result<Bytes, EngineError>> + Send + 'static,
    ) -> Self {
        Self(Box::pin(stream))
    }

    pub(crate) fn failed(error: EngineError) -> Self {
        Self::new(futures_util::stream::iter([Err(error)]))
    }

    /// The same bytes for those that read.
    pub fn into_reader(self) -> impl AsyncRead + Send + Unpin {
        StreamReader::new(self.0.map_err(io::Error::other))
    }

    /// All of it in memory. Only for what is known to be small.
    pub async fn collect(mut self) -> Result<Vec<u8>, EngineError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.0.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        Ok(bytes)
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ByteStream")
    }
}

impl Engine {
    /// Unpacks a tar into a folder of a container, whether it runs or not. Owners in the tar are kept.
    pub async fn upload(
        &self,
        container: &str,
        folder: &str,
        archive: Bytes,
    ) -> Result<(), EngineError> {
        self.upload_stream(container, folder, futures_util::stream::iter([Ok(archive)]))
            .await
    }

    /// Unpacks a tar that is made while it is sent.
    pub async fn upload_stream<S>(
        &self,
        container: &str,
        folder: &str,
        archive: S,
    ) -> Result<(), EngineError>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let container = name::container(container)?;
        let options = UploadToContainerOptionsBuilder::new().path(folder).build();
        let body = body_try_stream(archive);
        let uploaded = self
            .patient()
            .upload_to_container(container, Some(options), body)
            .await;
        uploaded.map_err(|error| self.wrong(error))
    }

    /// A file or folder of a container as a tar, whose entries begin with its last name.
    pub fn download(&self, container: &str, path: &str) -> ByteStream {
        let engine = self.clone();
        match name::container(container) {
            Ok(container) => {
                let options = DownloadFromContainerOptionsBuilder::new()
                    .path(path)
                    .build();
                let archive = self
                    .patient()
                    .download_from_container(container, Some(options))
                    .map_err(move |error| engine.wrong(error));
                ByteStream::new(archive)
            }
            Err(error) => ByteStream::failed(error),
        }
    }
}
