//! Layers and a configuration to an image: the same bits for the same inputs.

use std::collections::BTreeMap;

use ergon_manifest::canonical_json;
use jiff::Timestamp;

use crate::blobs::Blobs;
use crate::error::Error;
use crate::image::Image;
use crate::layer::{self, Layer};
use crate::model::{
    Configuration, Descriptor, HealthCheck, History, Platform, RootFileSystem, RuntimeConfiguration,
};

/// What an image says differently from its base. What is not said is inherited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigChange {
    pub user: Option<String>,
    pub workdir: Option<String>,
    /// Merged over the base's, name by name.
    pub env: BTreeMap<String, String>,
    pub entrypoint: Option<Vec<String>>,
    /// Exec form. One without an `entrypoint` resets the base's, since it is a whole command
    /// line; an `entrypoint` without one resets the base's, which was written for another.
    pub cmd: Option<Vec<String>>,
    /// TCP ports.
    pub ports: Vec<u16>,
    pub volumes: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// Exec form, without the leading `CMD`.
    pub healthcheck: Option<Vec<String>>,
    /// For how many seconds no answer to it means nothing yet.
    pub start_period: Option<u32>,
    pub stop_signal: Option<String>,
    /// Of the manifest. A base's are not inherited.
    pub annotations: BTreeMap<String, String>,
}

/// Stores an image of the base's layers and `layers`, each with the line that made it.
///
/// The base's layers are named as the base names them, byte for byte, with OCI media types;
/// times are `epoch`, and configuration and manifest canonical JSON.
pub fn assemble(
    base: Option<&Image>,
    layers: &[(Layer, String)],
    change: &ConfigChange,
    epoch: u64,
    platform: &str,
    blobs: &Blobs,
) -> Result<Image, Error> {
    let platform = Platform::parse(platform)?;
    if let Some(base) = base
        && (&base.config.os, &base.config.architecture) != (&platform.os, &platform.architecture)
    {
        return Err(Error::malformed(
            format!("the base {}", base.digest),
            format!("it is for {}, and {platform} is wanted", base.platform()),
        ));
    }
    let config = configuration(base, layers, change, epoch, platform)?;
    let base_layers = base.map_or(&[][..], Image::layers).iter().map(as_oci);
    let own_layers = layers
        .iter()
        .map(|(layer, _)| Descriptor::new(&layer.media_type, layer.digest, layer.size));
    let descriptors = base_layers.chain(own_layers).collect();
    Image::store(
        &canonical_json(&config)?,
        descriptors,
        change.annotations.clone(),
        blobs,
    )
}

fn configuration(
    base: Option<&Image>,
    layers: &[(Layer, String)],
    change: &ConfigChange,
    epoch: u64,
    platform: Platform,
) -> Result<Configuration, Error> {
    let created = created(epoch)?;
    let below = base.map(|base| base.config.clone()).unwrap_or_default();
    let mut diff_ids = below.rootfs.diff_ids;
    let mut history = whole_history(below.history, diff_ids.len(), &created);
    for (layer, created_by) in layers {
        diff_ids.push(layer.diff_id);
        history.push(History {
            created: Some(created.clone()),
            created_by: Some(created_by.clone()),
            ..History::default()
        });
    }
    Ok(Configuration {
        created: Some(created),
        author: None,
        architecture: platform.architecture,
        os: platform.os,
        variant: platform.variant.or(below.variant),
        config: merge(below.config, change),
        rootfs: RootFileSystem {
            kind: "layers".to_owned(),
            diff_ids,
        },
        history,
    })
}

/// The base's history, or one that fits its layers: engines refuse an image where they differ.
fn whole_history(history: Vec<History>, layers: usize, created: &str) -> Vec<History> {
    let told = history
        .iter()
        .filter(|entry| entry.empty_layer != Some(true))
        .count();
    if told == layers {
        return history;
    }
    let unknown = History {
        created: Some(created.to_owned()),
        created_by: Some("unknown".to_owned()),
        ..History::default()
    };
    vec![unknown; layers]
}

fn merge(mut config: RuntimeConfiguration, change: &ConfigChange) -> RuntimeConfiguration {
    for (name, value) in &change.env {
        let written = format!("{name}={value}");
        let prefix = format!("{name}=");
        match config
            .env
            .iter_mut()
            .find(|entry| entry.starts_with(&prefix))
        {
            Some(entry) => *entry = written,
            None => config.env.push(written),
        }
    }
    if let Some(user) = &change.user {
        config.user.clone_from(user);
    }
    if let Some(workdir) = &change.workdir {
        config.working_dir.clone_from(workdir);
    }
    if change.cmd.is_some() || change.entrypoint.is_some() {
        config.cmd = change.cmd.clone().unwrap_or_default();
        config.entrypoint = change.entrypoint.clone().unwrap_or_default();
    }
    if let Some(test) = &change.healthcheck {
        let test = std::iter::once("CMD".to_owned())
            .chain(test.iter().cloned())
            .collect();
        config.healthcheck = Some(HealthCheck {
            test,
            start_period: change
                .start_period
                .map(|seconds| u64::from(seconds) * 1_000_000_000),
            ..HealthCheck::default()
        });
    }
    if change.stop_signal.is_some() {
        config.stop_signal.clone_from(&change.stop_signal);
    }
    config
        .exposed_ports
        .extend(change.ports.iter().map(|port| format!("{port}/tcp")));
    config.volumes.extend(change.volumes.iter().cloned());
    config.labels.extend(change.labels.clone());
    config
}

/// A base's layer, under the media type that OCI gives the same bytes.
fn as_oci(layer: &Descriptor) -> Descriptor {
    let media_type = match layer.media_type.as_str() {
        "application/vnd.docker.image.rootfs.diff.tar.gzip"
        | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => layer::MEDIA_TYPE,
        "application/vnd.docker.image.rootfs.diff.tar" => "application/vnd.oci.image.layer.v1.tar",
        other => other,
    };
    Descriptor {
        media_type: media_type.to_owned(),
        ..layer.clone()
    }
}

fn created(epoch: u64) -> Result<String, Error> {
    i64::try_from(epoch)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map(|time| time.to_string())
        .ok_or_else(|| Error::malformed(format!("the epoch {epoch}"), "it is after the year 9999"))
}
