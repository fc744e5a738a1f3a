//! In what two images differ: which layer, which file, which bytes, and the likely cause.

mod archives;
mod cause;
mod contents;
mod listing;
mod order;

use std::collections::BTreeSet;

use ergon_manifest::Digest;
use ergon_oci::layer::{EntryKind, LayerEntry};
use ergon_oci::model::Configuration;
use ergon_oci::{Blobs, Image};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::PackError;
use cause::shorten;
use contents::Contents;
use listing::{Known, index};

/// So many differences are shown one by one; the others are counted.
pub const MOST_SHOWN: usize = 200;
/// Characters that are shown of a value: labels and attributes may be as long as anybody likes.
const LONGEST_VALUE: usize = 1024;

/// What came of comparing two images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// The digests of the images are the same, and so is every bit.
    pub equal: bool,
    /// How many files, folders and links the layers hold that are not the same blob in both.
    pub compared: u64,
    /// How many differ.
    pub different: u64,
    /// Those that are shown: the first in order of layers and paths.
    pub differences: Vec<Difference>,
}

/// One thing in which two images differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// A path in the image, without a slash in front; for the configuration one like `config.Env`.
    pub path: String,
    pub what: What,
    /// Counted from 1, the lowest; absent for the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<usize>,
    /// What made the layer, as the image's history says: `RUN npm run build`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The first byte that differs, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The line of text that differs first, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What the first image has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// What the second has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// Why that is likely so: `timestamp in .pyc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// In what something differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    #[default]
    Content,
    /// One is a file and the other a folder or a link.
    Kind,
    Mode,
    Owner,
    /// A link's target.
    Target,
    /// Extended attributes.
    Attributes,
    OnlyInFirst,
    OnlyInSecond,
    /// The same files, written otherwise: another order, other times, another compression.
    Encoding,
    Configuration,
}

/// An image and where its blobs are.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub blobs: &'a Blobs,
    pub image: &'a Image,
}

/// Compares two images, layer by layer where they have as many, else as the file systems they give.
pub fn compare(first: Side<'_>, second: Side<'_>) -> Result<Comparison, PackError> {
    let mut comparison = Comparison {
        equal: first.image.digest == second.image.digest,
        ..Comparison::default()
    };
    if comparison.equal {
        return Ok(comparison);
    }
    let own = |side: Side<'_>| -> Vec<Digest> {
        side.image
            .layers()
            .iter()
            .map(|layer| layer.digest)
            .collect()
    };
    let (layers, others) = (own(first), own(second));
    let shared = layers
        .iter()
        .zip(&others)
        .take_while(|(one, other)| one == other)
        .count();
    let groups: Vec<(std::ops::Range<usize>, std::ops::Range<usize>)> =
        if layers.len() == others.len() {
            (shared..layers.len())
                .filter(|index| layers[*index] != others[*index])
                .map(|index| (index..index + 1, index..index + 1))
                .collect()
        } else {
            vec![(shared..layers.len(), shared..others.len())]
        };
    for (ours, theirs) in groups {
        compare_layers(&mut comparison, (first, ours), (second, theirs))?;
    }
    compare_configurations(&mut comparison, &first.image.config, &second.image.config);
    compare_manifests(&mut comparison, first.image, second.image);
    Ok(comparison)
}

/// What manifests say beside layers and configuration, which an archive of an engine's does not keep.
fn compare_manifests(comparison: &mut Comparison, first: &Image, second: &Image) {
    let value = |image: &Image| {
        serde_json::json!({
            "mediaType": image.manifest.media_type,
            "annotations": image.manifest.annotations,
        })
    };
    comparison.add_values("manifest", &value(first), &value(second));
}

impl Comparison {
    fn add(&mut self, difference: Difference) {
        self.different += 1;
        if self.differences.len() < MOST_SHOWN {
            let short = |text: Option<String>| text.map(|text| shorten(&text, LONGEST_VALUE));
            self.differences.push(Difference {
                first: short(difference.first),
                second: short(difference.second),
                ..difference
            });
        }
    }

    /// Takes each field in which two documents differ.
    fn add_values(&mut self, path: &str, first: &serde_json::Value, second: &serde_json::Value) {
        let mut found = Vec::new();
        compare_values(path, first, second, &mut found);
        for (path, first, second) in found {
            self.add(Difference {
                path,
                what: What::Configuration,
                first,
                second,
                ..Difference::default()
            });
        }
    }
}

fn compare_layers(
    comparison: &mut Comparison,
    (first, ours): (Side<'_>, std::ops::Range<usize>),
    (second, theirs): (Side<'_>, std::ops::Range<usize>),
) -> Result<(), PackError> {
    let (before, shown) = (comparison.different, comparison.differences.len());
    let (one, other) = (index(first, ours.clone())?, index(second, theirs.clone())?);
    let paths: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    comparison.compared += paths.len() as u64;
    let mut contents = Vec::new();
    for path in paths {
        let found = match (one.get(path), other.get(path)) {
            (Some(_), None) => vec![alone(path, What::OnlyInFirst)],
            (None, Some(_)) => vec![alone(path, What::OnlyInSecond)],
            (Some(known), Some(counterpart)) => differences(path, known, counterpart),
            (None, None) => Vec::new(),
        };
        // A path that differs in several ways is one file that differs.
        let Some(layer) = found
            .first()
            .map(|_| one.get(path).or(other.get(path)).map_or(0, |k| k.layer))
        else {
            continue;
        };
        comparison.different += 1;
        for difference in found {
            if comparison.differences.len() < MOST_SHOWN {
                if difference.what == What::Content {
                    contents.push(path.clone());
                }
                comparison.differences.push(Difference {
                    layer: Some(layer + 1),
                    step: step(first.image, layer),
                    ..difference
                });
            }
        }
    }
    if before == comparison.different {
        comparison.add(encoding(first, ours.start, second, theirs.start));
        return Ok(());
    }
    let wanted: BTreeSet<String> = contents.into_iter().collect();
    let ours = Contents::collect(first, ours, &wanted)?;
    let theirs = Contents::collect(second, theirs, &wanted)?;
    for difference in &mut comparison.differences[shown..] {
        if difference.what == What::Content {
            contents::explain(difference, &ours, &theirs)?;
        }
    }
    Ok(())
}

/// The words the image's history has for a layer.
fn step(image: &Image, layer: usize) -> Option<String> {
    let mut made = image
        .config
        .history
        .iter()
        .filter(|entry| entry.empty_layer != Some(true));
    let entry = made.nth(layer)?;
    let made_by = entry.created_by.as_deref().filter(|text| !text.is_empty());
    made_by.map(|text| shorten(text, LONGEST_VALUE))
}

fn alone(path: &str, what: What) -> Difference {
    let (cause, fix) = cause::of_name(path).unzip();
    Difference {
        path: path.to_owned(),
        what,
        cause,
        fix,
        ..Difference::default()
    }
}

/// In what two things at one path differ, but for where in their contents.
fn differences(path: &str, one: &Known, other: &Known) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut differ = |what, first: String, second: String| {
        found.push(Difference {
            path: path.to_owned(),
            what,
            first: (!first.is_empty()).then_some(first),
            second: (!second.is_empty()).then_some(second),
            ..Difference::default()
        });
    };
    match (&one.entry.kind, &other.entry.kind) {
        (EntryKind::File { .. }, EntryKind::File { .. }) => {
            if one.digest != other.digest {
                differ(What::Content, String::new(), String::new());
            }
        }
        (EntryKind::Symlink(target), EntryKind::Symlink(second))
        | (EntryKind::Hardlink(target), EntryKind::Hardlink(second)) => {
            if target != second {
                differ(What::Target, target.clone(), second.clone());
            }
        }
        (kind, second) => {
            if std::mem::discriminant(kind) != std::mem::discriminant(second) {
                differ(
                    What::Kind,
                    kind_name(kind).to_owned(),
                    kind_name(second).to_owned(),
                );
            }
        }
    }
    if one.entry.mode != other.entry.mode {
        differ(
            What::Mode,
            format!("{:04o}", one.entry.mode),
            format!("{:04o}", other.entry.mode),
        );
    }
    let owner = |entry: &LayerEntry<()>| format!("{}:{}", entry.uid, entry.gid);
    if owner(&one.entry) != owner(&other.entry) {
        differ(What::Owner, owner(&one.entry), owner(&other.entry));
    }
    if one.entry.xattrs != other.entry.xattrs {
        let names = |entry: &LayerEntry<()>| {
            let attributes = entry.xattrs.iter();
            let said = attributes.map(|(name, value)| format!("{name}={}", hex::encode(value)));
            shorten(&said.collect::<Vec<_>>().join(" "), LONGEST_VALUE)
        };
        differ(What::Attributes, names(&one.entry), names(&other.entry));
    }
    found
}

fn kind_name(kind: &EntryKind<()>) -> &'static str {
    match kind {
        EntryKind::File { .. } => "a file",
        EntryKind::Directory => "a folder",
        EntryKind::Symlink(_) => "a symbolic link",
        EntryKind::Hardlink(_) => "a hard link",
        EntryKind::Whiteout => "a removal",
        EntryKind::OpaqueDirectory => "an emptied folder",
    }
}

/// Two layers that hold the same and are not the same bytes.
fn encoding(first: Side<'_>, ours: usize, second: Side<'_>, theirs: usize) -> Difference {
    let tars = |side: Side<'_>, index: usize| side.image.config.rootfs.diff_ids.get(index).copied();
    let same_tar = tars(first, ours).is_some() && tars(first, ours) == tars(second, theirs);
    let (cause, fix) = if same_tar {
        (
            "the same tar, compressed otherwise",
            "compress with the same program and level",
        )
    } else {
        (
            "the same files in a tar that was written otherwise: times, order or dialect",
            "let both be written by Ergon, or compare what the files hold",
        )
    };
    Difference {
        path: "(the whole layer)".to_owned(),
        what: What::Encoding,
        layer: Some(ours + 1),
        step: step(first.image, ours),
        cause: Some(cause.to_owned()),
        fix: Some(fix.to_owned()),
        ..Difference::default()
    }
}

/// Fields of the configuration that differ. Layers and their history have been told already.
fn compare_configurations(
    comparison: &mut Comparison,
    first: &Configuration,
    second: &Configuration,
) {
    let value = |configuration: &Configuration| {
        let mut value = serde_json::to_value(configuration).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("rootfs");
            fields.remove("history");
        }
        value
    };
    comparison.add_values("", &value(first), &value(second));
}

type Changed = (String, Option<String>, Option<String>);

fn compare_values(
    path: &str,
    first: &serde_json::Value,
    second: &serde_json::Value,
    found: &mut Vec<Changed>,
) {
    if first == second {
        return;
    }
    if let (Some(one), Some(other)) = (first.as_object(), second.as_object()) {
        let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
        for name in names {
            let below = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            let nothing = serde_json::Value::Null;
            compare_values(
                &below,
                one.get(name).unwrap_or(&nothing),
                other.get(name).unwrap_or(&nothing),
                found,
            );
        }
        return;
    }
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    found.push((path.to_owned(), text(first), text(second)));
}
