//! What a solution is to be, measured. Pure.

use ergon_oci::Image;
use ergon_pack::{BuildRecord, KnownSecret, Reproducibility};

use crate::api::{Attachment, Standard};

/// What a solution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Runs and stays.
    Container,
    /// Runs and ends.
    Tool,
    /// Is read.
    Configuration,
}

impl Kind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Tool => "tool",
            Self::Configuration => "configuration",
        }
    }

    pub fn of(word: &str) -> Option<Self> {
        [Self::Container, Self::Tool, Self::Configuration]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// What is looked at.
#[derive(Debug)]
pub struct Looked<'a> {
    pub kind: Kind,
    pub record: Option<&'a BuildRecord>,
    /// By container; those that are held.
    pub images: &'a [(String, Image)],
    pub attached: &'a [Attachment],
    /// Or why nobody could look.
    pub secrets: &'a Result<Vec<KnownSecret>, String>,
}

/// How it does by every standard, in their order.
pub fn measure(looked: &Looked<'_>) -> Vec<Standard> {
    vec![
        pinned(looked),
        proven(looked),
        sbom(looked),
        non_root(looked),
        health_check(looked),
        no_known_secret(looked),
    ]
}

/// Whether all that apply are met.
pub fn meets_all(standards: &[Standard]) -> bool {
    let state = |standard: &Standard| standard.state == "met" || standard.state == "not-applicable";
    standards.iter().all(state)
}

fn standard(name: &str, state: &str, why: impl Into<String>) -> Standard {
    Standard {
        name: name.to_owned(),
        state: state.to_owned(),
        why: why.into(),
    }
}

/// What a standard says of what has no images, or whose build is not known any more.
fn not_built(name: &str, looked: &Looked<'_>) -> Standard {
    match looked.kind {
        Kind::Configuration => standard(name, "not-applicable", "a configuration is not built"),
        _ => standard(name, "unknown", "its build is not held any more"),
    }
}

fn pinned(looked: &Looked<'_>) -> Standard {
    let Some(record) = looked.record else {
        return not_built("pinned", looked);
    };
    match record.unpinned.as_slice() {
        [] => standard(
            "pinned",
            "met",
            "everything it was built from is fixed by a digest or an exact version",
        ),
        reasons => standard("pinned", "not-met", reasons.join("; ")),
    }
}

fn proven(looked: &Looked<'_>) -> Standard {
    let Some(record) = looked.record else {
        return not_built("proven", looked);
    };
    match record.reproducibility {
        Reproducibility::Proven => standard(
            "proven",
            "met",
            "built again under other conditions, with the same digest",
        ),
        Reproducibility::Failed => standard(
            "proven",
            "not-met",
            "built again, with another digest; the build's page says what differs",
        ),
        Reproducibility::Unproven | Reproducibility::Unpinned => standard(
            "proven",
            "not-met",
            "nobody has built it a second time: ergon build --verify",
        ),
    }
}

fn sbom(looked: &Looked<'_>) -> Standard {
    let Some(record) = looked.record else {
        return not_built("sbom", looked);
    };
    let has = |container: &String| {
        let mut own = looked.attached.iter();
        own.any(|attached| attached.container == *container && attached.what == "sbom")
    };
    let containers = record.images.iter().map(|image| &image.container);
    let without: Vec<&str> = containers
        .filter(|container| !has(container))
        .map(String::as_str)
        .collect();
    if !without.is_empty() {
        let why = format!(
            "no bill of materials is attached to the image of {}: build it again with ergon run",
            without.join(", ")
        );
        return standard("sbom", "not-met", why);
    }
    let packages: u64 = looked.attached.iter().filter_map(|one| one.packages).sum();
    standard(
        "sbom",
        "met",
        format!("a bill of materials is attached, with {packages} packages"),
    )
}

/// Judges each image; the first that is not as it is to be decides.
fn of_images(
    name: &str,
    looked: &Looked<'_>,
    met: &str,
    wrong: impl Fn(&Image) -> Option<String>,
) -> Standard {
    if looked.images.is_empty() {
        return not_built(name, looked);
    }
    let mut found = looked
        .images
        .iter()
        .filter_map(|(container, image)| Some(format!("{container} {}", wrong(image)?)));
    match found.next() {
        Some(why) => standard(name, "not-met", why),
        None => standard(name, "met", met),
    }
}

fn non_root(looked: &Looked<'_>) -> Standard {
    of_images("non-root", looked, "no image runs as root", |image| {
        let user = image.config.config.user.as_str();
        let user = user.split(':').next().unwrap_or_default();
        match user {
            "" => Some("says no user, and so runs as root".to_owned()),
            "0" | "root" => Some(format!("runs as {user}")),
            _ => None,
        }
    })
}

fn health_check(looked: &Looked<'_>) -> Standard {
    if looked.kind == Kind::Tool {
        let why = "a tool runs and ends; nobody asks how it is";
        return standard("health-check", "not-applicable", why);
    }
    let met = "every image says how to ask whether it is well";
    of_images("health-check", looked, met, |image| {
        let check = image.config.config.healthcheck.as_ref();
        let test = check.and_then(|check| check.test.first());
        let is_there = test.is_some_and(|first| first != "NONE");
        let why = "has no health check: say `health` of its application in ergon.json";
        (!is_there).then(|| why.to_owned())
    })
}

fn no_known_secret(looked: &Looked<'_>) -> Standard {
    const NAME: &str = "no-known-secret";
    match looked.secrets {
        Err(reason) => standard(NAME, "unknown", reason.clone()),
        Ok(found) => match found.first() {
            None if looked.kind == Kind::Configuration => {
                standard(NAME, "met", "its content was looked through")
            }
            None => {
                let layers: usize = looked
                    .images
                    .iter()
                    .map(|(_, image)| image.layers().len())
                    .sum();
                let why = format!(
                    "{layers} layers and what the images are configured with were looked through"
                );
                standard(NAME, "met", why)
            }
            Some(first) => {
                let more = match found.len() {
                    1 => String::new(),
                    count => format!(", and {} more", count - 1),
                };
                let why = format!(
                    "a {} in {}, line {}{more}; revoke it, and build without it",
                    first.kind, first.path, first.line
                );
                standard(NAME, "not-met", why)
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_only_looked_through() {
        let found = Ok(Vec::new());
        let looked = Looked {
            kind: Kind::Configuration,
            record: None,
            images: &[],
            attached: &[],
            secrets: &found,
        };
        let standards = measure(&looked);
        let states: Vec<&str> = standards.iter().map(|one| one.state.as_str()).collect();
        let no = "not-applicable";
        assert_eq!(states, [no, no, no, no, no, "met"]);
        assert!(meets_all(&standards));
    }

    #[test]
    fn what_nobody_could_look_at_is_not_met() {
        let unread = Err("the layer is compressed with zstd".to_owned());
        let looked = Looked {
            kind: Kind::Container,
            record: None,
            images: &[],
            attached: &[],
            secrets: &unread,
        };
        let standards = measure(&looked);
        assert!(standards.iter().all(|one| one.state == "unknown"));
        assert!(!meets_all(&standards));
    }
}
