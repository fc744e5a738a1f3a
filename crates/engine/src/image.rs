//! Images: load, save, tag, remove, look at.

use std::collections::BTreeMap;
use std::io;

use bollard::body_full;
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, CreateImageOptionsBuilder, ImportImageOptionsBuilder,
    RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use crate::{ByteStream, Engine, EngineError, name};

/// What the engine tells of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageInfo {
    /// `sha256:…` of its configuration (with a containerd store: of its manifest).
    pub id: String,
    pub tags: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// Digests of its uncompressed layers, lowest first.
    pub layers: Vec<String>,
    /// Bytes, uncompressed.
    pub size: u64,
    pub architecture: String,
}

impl Engine {
    /// What the engine tells of an image; nothing where it has none of that name.
    pub async fn image(&self, reference: &str) -> Result<Option<ImageInfo>, EngineError> {
        let Ok(reference) = name::image(reference) else {
            return Ok(None);
        };
        let model = match self
            .client()
            .inspect_image(reference)
            .await
            .map_err(|error| self.wrong(error))
        {
            Ok(model) => model,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(ImageInfo {
            id: model.id.unwrap_or_default(),
            tags: model.repo_tags.unwrap_or_default(),
            labels: model
                .config
                .and_then(|config| config.labels)
                .unwrap_or_default()
                .into_iter()
                .collect(),
            layers: model
                .root_fs
                .and_then(|root| root.layers)
                .unwrap_or_default(),
            size: model
                .size
                .and_then(|size| u64::try_from(size).ok())
                .unwrap_or(0),
            architecture: model.architecture.unwrap_or_default(),
        }))
    }

    /// The image's id; nothing where the engine has none of that name.
    pub async fn image_id(&self, reference: &str) -> Result<Option<String>, EngineError> {
        Ok(self.image(reference).await?.map(|image| image.id))
    }

    /// Loads a docker-archive or OCI archive, and returns what the engine says it loaded: references or ids.
    pub async fn load_image<S>(&self, archive: S) -> Result<Vec<String>, EngineError>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let client = self.patient();
        let options = ImportImageOptionsBuilder::new().quiet(true).build();
        let mut answers = client.import_image_stream(options, archive, None);
        let mut loaded = Vec::new();
        while let Some(answer) = answers.next().await {
            let answer = answer.map_err(|error| self.wrong(error))?;
            for line in answer.stream.iter().flat_map(|text| text.lines()) {
                let name = line
                    .strip_prefix("Loaded image ID: ")
                    .or_else(|| line.strip_prefix("Loaded image: "));
                loaded.extend(name.map(|name| name.trim().to_owned()));
            }
        }
        Ok(loaded)
    }

    /// Loads an archive that is read from somewhere.
    pub async fn load_image_from<R>(&self, archive: R) -> Result<Vec<String>, EngineError>
    where
        R: AsyncRead + Send + 'static,
    {
        self.load_image(ReaderStream::with_capacity(archive, 1 << 18))
            .await
    }

    /// The image as a docker-archive.
    pub fn save_image(&self, reference: &str) -> ByteStream {
        let engine = self.clone();
        match name::image(reference) {
            Ok(reference) => {
                let archive = self
                    .patient()
                    .export_image(reference)
                    .map_err(move |error| engine.wrong(error));
                ByteStream::new(archive)
            }
            Err(error) => ByteStream::failed(error),
        }
    }

    /// Makes an image of one layer from a tar of a root folder.
    pub async fn import_root(
        &self,
        root: Bytes,
        reference: &str,
        changes: &[&str],
    ) -> Result<(), EngineError> {
        let (repository, tag) = name::split_tag(name::image(reference)?);
        let options = CreateImageOptionsBuilder::new()
            .from_src("-")
            .repo(repository)
            .tag(tag)
            .changes(changes.iter().map(|change| (*change).to_owned()).collect())
            .build();
        let client = self.patient();
        let mut answers = client.create_image(Some(options), Some(body_full(root)), None);
        while let Some(answer) = answers.next().await {
            answer.map_err(|error| self.wrong(error))?;
        }
        Ok(())
    }

    /// Gives an image another name.
    pub async fn tag_image(&self, reference: &str, new: &str) -> Result<(), EngineError> {
        let (repository, tag) = name::split_tag(new);
        let options = TagImageOptionsBuilder::new()
            .repo(repository)
            .tag(tag)
            .build();
        let tagged = self
            .client()
            .tag_image(name::image(reference)?, Some(options))
            .await;
        tagged.map_err(|error| self.wrong(error))
    }

    /// Removes a name of an image, and the image with its last name.
    pub async fn remove_image(&self, reference: &str, force: bool) -> Result<(), EngineError> {
        let options = RemoveImageOptionsBuilder::new().force(force).build();
        let removed = self
            .patient()
            .remove_image(name::image(reference)?, Some(options), None)
            .await;
        removed.map(drop).map_err(|error| self.wrong(error))
    }

    /// Makes an image of what a container has become, and returns its id.
    pub async fn commit(&self, container: &str) -> Result<String, EngineError> {
        let options = CommitContainerOptionsBuilder::new()
            .container(name::container(container)?)
            .build();
        let committed = self
            .patient()
            .commit_container(options, bollard::models::ContainerConfig::default())
            .await;
        Ok(committed.map_err(|error| self.wrong(error))?.id)
    }
}
