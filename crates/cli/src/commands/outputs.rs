//! Outputs: where the images of a build go beside the cache and the local engine.

use std::path::PathBuf;

use ergon_oci::model::Descriptor;
use ergon_oci::{Error, Image, Reference, archive, layout};
use ergon_pack::ImageRecord;

use super::build::{Done, first_tag};
use super::push;
use crate::failure::{Failure, Outcome};
use crate::progress::Steps;

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
        let images = &done.built.record.images;
        match self.clone() {
            Self::Layout(path) => {
                let attached: Vec<Vec<Descriptor>> = images
                    .iter()
                    .map(|image| {
                        let attached = done.attached_to(image);
                        attached.map_or_else(Vec::new, |attached| attached.referrers.clone())
                    })
                    .collect();
                written(done, "layout", move |images| {
                    let with_attached = images.iter().zip(&attached);
                    with_attached
                        .into_iter()
                        .try_for_each(|((record, image, blobs), referrers)| {
                            layout::write(blobs, image, &path, first_tag(record))?;
                            layout::write_referrers(blobs, image, referrers, &path)
                        })
                })
                .await
            }
            Self::DockerArchive(path) => {
                written(done, "archive", move |images| {
                    let Some((_, _, blobs)) = images.first() else {
                        return Ok(());
                    };
                    let tagged: Vec<_> = images
                        .iter()
                        .map(|(record, image, _)| (image.clone(), record.tags.clone()))
                        .collect();
                    archive::write_file(blobs, &tagged, &path)
                })
                .await
            }
            Self::Registry(reference) => {
                let [image] = images.as_slice() else {
                    return Err(Failure::new(format!(
                        "{} images cannot all be {}",
                        images.len(),
                        reference.familiar()
                    ))
                    .with_remedy(
                        "name packaging.registry in ergon.json; `ergon push` sends each under its own name"
                            .to_owned(),
                    )
                    .as_usage());
                };
                let steps = Steps::start(false);
                let mut sent = push::send(&done.cache, image, &reference, &steps, 0)
                    .await
                    .map(drop);
                if let (Ok(()), Some(attached)) = (&sent, done.attached_to(image)) {
                    sent = push::attach(&done.cache, attached, &reference, &steps, 1).await;
                }
                steps.finish();
                sent
            }
        }
    }
}

type Loaded = (ImageRecord, Image, ergon_oci::Blobs);

/// Has the images written on a thread that may block.
async fn written(
    done: &Done,
    what: &str,
    write: impl FnOnce(Vec<Loaded>) -> Result<(), Error> + Send + 'static,
) -> Outcome {
    let (blobs, records) = (done.cache.blobs().clone(), done.built.record.images.clone());
    let writing = tokio::task::spawn_blocking(move || {
        let loaded = records.into_iter().map(|record| {
            let image = Image::load(&blobs, &record.digest)?;
            Ok((record, image, blobs.clone()))
        });
        write(loaded.collect::<Result<_, Error>>()?)
    });
    match writing.await {
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
