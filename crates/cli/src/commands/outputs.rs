//! Outputs: where the images of a build go beside the cache and the local engine.

use std::path::PathBuf;

use ergon_manifest::Digest;
use ergon_oci::model::Descriptor;
use ergon_oci::{Error, Image, Index, Reference, archive, layout};
use ergon_pack::platform;

use super::build::{Done, first_tag};
use super::push;
use crate::failure::{Failure, Outcome};
use crate::progress::Steps;
use crate::{output, style};

/// One place for images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// `oci:PATH`, a folder: every image under its first tag, beside those that are there.
    Layout(PathBuf),
    /// `docker-archive:FILE`: all images with all their tags.
    DockerArchive(PathBuf),
    /// `docker://NAME`, in a registry: the one image there is.
    Registry(Reference),
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The longer prefix first: `docker:` is how others name the engine.
        if let Some(name) = text.strip_prefix("docker://") {
            let name: Reference = name.parse().map_err(|error| format!("{error}"))?;
            if name.digest().is_some() {
                return Err(
                    "a digest is what the image has; say under which tag: docker://registry.example.com/team/page:1"
                        .to_owned(),
                );
            }
            return Ok(Self::Registry(name));
        }
        match text.split_once(':') {
            Some(("oci", path)) if !path.is_empty() => Ok(Self::Layout(path.into())),
            Some(("docker-archive", path)) if !path.is_empty() => {
                Ok(Self::DockerArchive(path.into()))
            }
            _ => Err(
                "write it as oci:PATH (the folder of an OCI layout), docker-archive:FILE or docker://NAME"
                    .to_owned(),
            ),
        }
    }
}

impl Output {
    /// Puts the images of a build there.
    pub async fn write(&self, done: &Done) -> Outcome {
        match self {
            Self::Layout(path) => layout(done, path.clone()).await,
            Self::DockerArchive(path) => docker_archive(done, path.clone()).await,
            Self::Registry(reference) => registry(done, reference).await,
        }
    }
}

/// Images of one platform stand under their own tags, those of several under that of their index.
async fn layout(done: &Done, path: PathBuf) -> Outcome {
    let blobs = done.cache.blobs().clone();
    let images: Vec<(Digest, String, Vec<Descriptor>)> = done
        .images()
        .map(|(image, attached)| {
            let attached = attached.map(|attached| attached.referrers.clone());
            let tag = first_tag(image).to_owned();
            (image.digest, tag, attached.unwrap_or_default())
        })
        .collect();
    let indexes = done.indexes.clone();
    written("layout", move || {
        for index in &indexes {
            let loaded = Index::load(&blobs, &index.digest)?;
            let tag = index.tags.first().map_or("", String::as_str);
            layout::write_index(&blobs, &loaded, &path, tag)?;
        }
        for (digest, tag, referrers) in images {
            let image = Image::load(&blobs, &digest)?;
            if indexes.is_empty() {
                layout::write(&blobs, &image, &path, &tag)?;
            }
            layout::write_referrers(&blobs, &image, &referrers, &path)?;
        }
        Ok(())
    })
    .await
}

/// The archive names images by configuration, and has no place for those of several platforms.
async fn docker_archive(done: &Done, path: PathBuf) -> Outcome {
    let Some(build) = done.for_here() else {
        return Err(Failure::new(format!(
            "{} cannot hold images for several platforms, and none of them is for {}",
            path.display(),
            platform()
        ))
        .with_remedy(
            "build for one of them: --platform; oci:PATH and docker://NAME hold them all"
                .to_owned(),
        )
        .as_usage());
    };
    if done.builds.len() > 1 {
        output::note(&format!(
            "{} {} holds one platform only: {}",
            style::warning("note:"),
            path.display(),
            build.built.record.inputs.platform
        ));
    }
    let (blobs, records) = (
        done.cache.blobs().clone(),
        build.built.record.images.clone(),
    );
    written("archive", move || {
        let tagged = records
            .into_iter()
            .map(|record| Ok((Image::load(&blobs, &record.digest)?, record.tags)));
        archive::write_file(&blobs, &tagged.collect::<Result<Vec<_>, Error>>()?, &path)
    })
    .await
}

async fn registry(done: &Done, reference: &Reference) -> Outcome {
    let containers = done
        .builds
        .first()
        .map_or(0, |build| build.built.record.images.len());
    if containers != 1 {
        return Err(Failure::new(format!(
            "{containers} images cannot all be {}",
            reference.familiar()
        ))
        .with_remedy(
            "name packaging.registry in ergon.json; `ergon push` sends each under its own name"
                .to_owned(),
        )
        .as_usage());
    }
    let steps = Steps::start(false);
    let sent = push::send_all(done, 0, reference, &steps, &mut 0, true).await;
    steps.finish();
    sent.map(drop)
}

/// Has the images written on a thread that may block.
async fn written(
    what: &str,
    write: impl FnOnce() -> Result<(), Error> + Send + 'static,
) -> Outcome {
    match tokio::task::spawn_blocking(write).await {
        Ok(written) => {
            written.map_err(|error| Failure::from_error(&error).with_remedy(error.remedy()))
        }
        Err(error) => Err(Failure::new(format!("the {what} was not written: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_told_by_its_prefix() {
        let output = |text: &str| text.parse::<Output>();
        assert_eq!(output("oci:a:b"), Ok(Output::Layout("a:b".into())));
        assert_eq!(
            output("docker-archive:x.tar"),
            Ok(Output::DockerArchive("x.tar".into()))
        );
        assert_eq!(
            output("docker://registry.test/team/page:1"),
            Ok(Output::Registry(
                "registry.test/team/page:1".parse().unwrap()
            ))
        );
        for wrong in [
            "",
            "oci:",
            "docker-archive:",
            "x.tar",
            "docker:x",
            "docker://",
            "docker://UPPER CASE",
            "docker://registry.test/page@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        ] {
            assert!(output(wrong).is_err(), "{wrong}");
        }
    }
}
