//! What changed between two builds. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ergon_oci::Image;
use ergon_pack::BuildRecord;
use serde_json::Value;

use crate::api;

/// So many changed fields of a manifest are listed.
const MOST_FIELDS: usize = 50;
/// A longer value is cut.
const LONGEST_VALUE: usize = 200;

/// What is different in the inputs of two builds, in the order in which they decide.
pub fn of_inputs(before: &BuildRecord, after: &BuildRecord) -> Vec<api::InputChange> {
    let mut changes = Vec::new();
    let mut compare = |what: String, before: Option<String>, after: Option<String>| {
        if before != after {
            changes.push(api::InputChange {
                what,
                before,
                after,
            });
        }
    };
    let commit = |record: &BuildRecord| {
        let git = record.git.as_ref()?;
        let and = if git.clean { "" } else { " and changes" };
        Some(format!("{}{and}", git.commit))
    };
    let (old, new) = (&before.inputs, &after.inputs);
    compare(
        "source".to_owned(),
        Some(old.source.to_string()),
        Some(new.source.to_string()),
    );
    compare("commit".to_owned(), commit(before), commit(after));
    let bases: BTreeSet<_> = old.bases.keys().chain(new.bases.keys()).collect();
    for base in bases {
        let digest =
            |of: &BTreeMap<String, ergon_manifest::Digest>| of.get(base).map(ToString::to_string);
        compare(
            format!("base {base}"),
            digest(&old.bases),
            digest(&new.bases),
        );
    }
    let locked: BTreeSet<_> = old.locks.keys().chain(new.locks.keys()).collect();
    for application in locked {
        let digest = |of: &BTreeMap<String, Option<ergon_manifest::Digest>>| {
            Some(of.get(application).copied().flatten()?.to_string())
        };
        compare(
            format!("lock file of {application}"),
            digest(&old.locks),
            digest(&new.locks),
        );
    }
    compare(
        "platform".to_owned(),
        Some(old.platform.clone()),
        Some(new.platform.clone()),
    );
    compare(
        "file times".to_owned(),
        Some(old.epoch.to_string()),
        Some(new.epoch.to_string()),
    );
    let mut fields = Vec::new();
    of_values("", &before.manifest, &after.manifest, &mut fields);
    changes.extend(fields);
    changes
}

/// Walks two documents and lists the smallest parts that differ, by JSON Pointer (RFC 6901).
fn of_values(at: &str, before: &Value, after: &Value, found: &mut Vec<api::InputChange>) {
    if before == after || found.len() >= MOST_FIELDS {
        return;
    }
    if let (Value::Object(old), Value::Object(new)) = (before, after) {
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for name in names {
            let below = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            let part = |of: &serde_json::Map<String, Value>| of.get(name).cloned();
            match (part(old), part(new)) {
                (Some(old), Some(new)) => of_values(&below, &old, &new, found),
                (old, new) => found.push(field(&below, old.as_ref(), new.as_ref())),
            }
        }
    } else {
        found.push(field(at, Some(before), Some(after)));
    }
}

fn field(at: &str, before: Option<&Value>, after: Option<&Value>) -> api::InputChange {
    let text = |value: &Value| {
        let text = value.as_str().map_or(value.to_string(), str::to_owned);
        match text.char_indices().nth(LONGEST_VALUE) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    };
    api::InputChange {
        what: format!("manifest {at}"),
        before: before.map(text),
        after: after.map(text),
    }
}

/// What is different in what two builds made, container by container.
pub fn of_images(before: &[(String, Image)], after: &[(String, Image)]) -> Vec<api::ImageChange> {
    let find = |among: &[(String, Image)], container: &str| {
        let mut found = among.iter().filter(|(name, _)| name == container);
        found.next().map(|(_, image)| image.clone())
    };
    let containers: BTreeSet<_> = before.iter().chain(after).map(|(name, _)| name).collect();
    let images = containers.into_iter().map(|container| {
        let (old, new) = (find(before, container), find(after, container));
        let layers = |image: &Option<Image>| -> Vec<String> {
            let layers = image.iter().flat_map(Image::layers);
            layers.map(|layer| layer.digest.to_string()).collect()
        };
        let (old_layers, new_layers) = (layers(&old), layers(&new));
        let fresh: Vec<usize> = (0..new_layers.len())
            .filter(|place| !old_layers.contains(&new_layers[*place]))
            .collect();
        let steps = new.as_ref().map(steps).unwrap_or_default();
        api::ImageChange {
            container: container.clone(),
            before: old.as_ref().map(|image| image.digest.to_string()),
            after: new.as_ref().map(|image| image.digest.to_string()),
            size_before: old.as_ref().map(Image::size),
            size_after: new.as_ref().map(Image::size),
            layers: new_layers.len() as u64,
            new_layers: fresh
                .into_iter()
                .map(|place| api::NewLayer {
                    layer: place as u64 + 1,
                    digest: new_layers[place].clone(),
                    size: new
                        .as_ref()
                        .and_then(|image| image.layers().get(place))
                        .map_or(0, |layer| layer.size),
                    step: steps.get(place).cloned(),
                })
                .collect(),
        }
    });
    images.collect()
}

/// Which step left which layer, as the history has it.
pub fn steps(image: &Image) -> Vec<String> {
    let history = image.config.history.iter();
    history
        .filter(|entry| entry.empty_layer != Some(true))
        .map(|entry| entry.created_by.clone().unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_smallest_parts_that_differ_are_named_by_where_they_stand() {
        let before = json!({ "a": { "b/c": 1, "same": [1] }, "gone": true });
        let after = json!({ "a": { "b/c": 2, "same": [1] }, "new": "x" });
        let mut found = Vec::new();
        of_values("", &before, &after, &mut found);
        let said: Vec<_> = found
            .iter()
            .map(|change| {
                (
                    change.what.as_str(),
                    change.before.as_deref(),
                    change.after.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                ("manifest /a/b~1c", Some("1"), Some("2")),
                ("manifest /gone", Some("true"), None),
                ("manifest /new", None, Some("x")),
            ]
        );
    }

    #[test]
    fn long_values_are_cut_and_many_are_not_all_listed() {
        let long = json!({ "a": "é".repeat(300) });
        let mut found = Vec::new();
        of_values("", &json!({ "a": "" }), &long, &mut found);
        assert_eq!(found[0].after.as_ref().unwrap().chars().count(), 201);
        let many: Value = (0..500)
            .map(|n| (n.to_string(), json!({ "x": n })))
            .collect();
        let other: Value = (0..500)
            .map(|n| (n.to_string(), json!({ "x": n + 1 })))
            .collect();
        found.clear();
        of_values("", &many, &other, &mut found);
        assert_eq!(found.len(), MOST_FIELDS);
    }
}
