//! What images run on, as manifests and commands write it: `linux/amd64`, `linux/arm64/v8`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{code, quoted};
use crate::grammar::{Fit, is, misfit};
use crate::suggestion::nearest;

/// The architectures that images for Linux are made for, by their names in images (Go's), each with its
/// variants. Where an architecture with no variant means one of them, that one is the first.
const ARCHITECTURES: &[(&str, &[&str])] = &[
    ("386", &[]),
    ("amd64", &["v1", "v2", "v3", "v4"]),
    ("arm", &["v7", "v5", "v6", "v8"]),
    ("arm64", &["v8", "v9"]),
    ("loong64", &[]),
    ("mips64le", &[]),
    ("ppc64le", &[]),
    ("riscv64", &[]),
    ("s390x", &[]),
];

/// What others call them.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("aarch64", "arm64"),
    ("arm32v6", "arm/v6"),
    ("arm32v7", "arm/v7"),
    ("arm64v8", "arm64"),
    ("armhf", "arm/v7"),
    ("armv6l", "arm/v6"),
    ("armv7l", "arm/v7"),
    ("i386", "386"),
    ("i686", "386"),
    ("ppc64el", "ppc64le"),
    ("x64", "amd64"),
    ("x86", "386"),
    ("x86-64", "amd64"),
    ("x86_64", "amd64"),
];

/// The name of what an image runs on, as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlatformName(String);

/// Why a text names no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {reason}; {help}")]
pub struct ParsePlatformError {
    text: String,
    reason: &'static str,
    help: String,
}

impl PlatformName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one form of all that mean the same: `linux/arm64/v8` is `linux/arm64`, `linux/arm` is `linux/arm/v7`.
    #[must_use]
    pub fn normal(&self) -> Self {
        let mut parts = self.0.split('/').skip(1);
        let (architecture, variant) = (parts.next().unwrap_or_default(), parts.next());
        let usual = match architecture {
            "arm" => return Self(format!("linux/arm/{}", variant.unwrap_or("v7"))),
            "amd64" => "v1",
            "arm64" => "v8",
            _ => "",
        };
        let variant = variant.filter(|variant| *variant != usual);
        let variant = variant.map_or_else(String::new, |variant| format!("/{variant}"));
        Self(format!("linux/{architecture}{variant}"))
    }

    /// Between the first two slashes.
    pub fn architecture(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or_default()
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PlatformName {
    type Err = ParsePlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let known = |name: &str| ARCHITECTURES.iter().find(|(known, _)| *known == name);
        let reason = match parts.as_slice() {
            ["linux", architecture] if known(architecture).is_some() => {
                return Ok(Self(text.to_owned()));
            }
            ["linux", architecture, variant] => match known(architecture) {
                Some((_, variants)) if variants.contains(variant) => {
                    return Ok(Self(text.to_owned()));
                }
                Some(_) => "names no variant of its architecture",
                None => "names no architecture that images are made for",
            },
            ["linux", _] => "names no architecture that images are made for",
            ["windows" | "darwin" | "freebsd", _, ..] => "is not Linux, and Ergon builds for Linux",
            _ => "is not a platform",
        };
        Err(ParsePlatformError {
            text: text.to_owned(),
            reason,
            help: help(&parts),
        })
    }
}

impl TryFrom<String> for PlatformName {
    type Error = ParsePlatformError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PlatformName> for String {
    fn from(platform: PlatformName) -> Self {
        platform.0
    }
}

/// The rule for texts in a manifest.
pub(crate) fn platform(text: &str) -> Fit {
    text.parse::<PlatformName>()
        .map(drop)
        .or_else(|error: ParsePlatformError| {
            let but = match error.reason.strip_prefix("is ") {
                Some(rest) => format!("{}, which is {rest}", is(text)),
                None => format!("{}, which {}", is(text), error.reason),
            };
            misfit(code::PLATFORM, but, error.help)
        })
}

/// What was probably meant, else what there is.
fn help(parts: &[&str]) -> String {
    let system = ["linux", "windows", "darwin", "freebsd"];
    let (architecture, variant) = match parts {
        [first, rest @ ..] if system.contains(first) => {
            (rest.first().copied().unwrap_or(""), rest.get(1))
        }
        [first, rest @ ..] => {
            // A mistyped `linux` stands before a slash; without one it is an architecture alone.
            match rest {
                [second, rest @ ..] if !is_architecture(first) => (*second, rest.first()),
                _ => (*first, rest.first()),
            }
        }
        [] => ("", None),
    };
    let lower = architecture.to_ascii_lowercase();
    let all = ARCHITECTURES.iter().map(|(name, _)| (*name, *name));
    let meant = all.chain(OTHER_NAMES.iter().copied());
    let Some(meant) = nearest(&lower, meant) else {
        let names: Vec<String> = ARCHITECTURES
            .iter()
            .map(|(name, _)| format!("linux/{name}"))
            .collect();
        return format!("there is {}", names.join(", "));
    };
    let Some((name, variants)) = ARCHITECTURES.iter().find(|(name, _)| *name == meant) else {
        return format!("did you mean {}?", quoted(&format!("linux/{meant}")));
    };
    match variant {
        Some(variant) if variants.contains(variant) => {
            format!(
                "did you mean {}?",
                quoted(&format!("linux/{name}/{variant}"))
            )
        }
        Some(_) if !variants.is_empty() => {
            format!(
                "its variants are {}; most images say linux/{name}",
                variants.join(", ")
            )
        }
        _ => format!("did you mean {}?", quoted(&format!("linux/{name}"))),
    }
}

fn is_architecture(text: &str) -> bool {
    let known = ARCHITECTURES.iter().map(|(name, _)| *name);
    known
        .chain(OTHER_NAMES.iter().map(|(name, _)| *name))
        .any(|name| name.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_has_one_form() {
        for (written, normal) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"),
            ("linux/riscv64", "linux/riscv64"),
        ] {
            let platform: PlatformName = written.parse().unwrap();
            assert_eq!(platform.normal().as_str(), normal);
            assert_eq!(platform.normal().normal(), platform.normal());
        }
    }

    #[test]
    fn a_wrong_platform_is_answered_with_a_right_one() {
        let said: String = [
            "amd64",
            "linux/x86_64",
            "linux/aarch64",
            "Linux/AMD64",
            "linux/amd46",
            "linux/arm64v8",
            "linux/arm64/v7",
            "linux/riscv64/v1",
            "linux",
            "linux/",
            "",
            "windows/amd64",
            "arm/v7",
            "lunix/arm64",
            "linux/amd64/v1/x",
            "linux/sparc",
            "linux/armhf",
        ]
        .map(|text| text.parse::<PlatformName>().unwrap_err().to_string() + "\n")
        .concat();
        insta::assert_snapshot!(said, @r#"
        `amd64` is not a platform; did you mean "linux/amd64"?
        `linux/x86_64` names no architecture that images are made for; did you mean "linux/amd64"?
        `linux/aarch64` names no architecture that images are made for; did you mean "linux/arm64"?
        `Linux/AMD64` is not a platform; did you mean "linux/amd64"?
        `linux/amd46` names no architecture that images are made for; did you mean "linux/amd64"?
        `linux/arm64v8` names no architecture that images are made for; did you mean "linux/arm64"?
        `linux/arm64/v7` names no variant of its architecture; its variants are v8, v9; most images say linux/arm64
        `linux/riscv64/v1` names no variant of its architecture; did you mean "linux/riscv64"?
        `linux` is not a platform; there is linux/386, linux/amd64, linux/arm, linux/arm64, linux/loong64, linux/mips64le, linux/ppc64le, linux/riscv64, linux/s390x
        `linux/` names no architecture that images are made for; there is linux/386, linux/amd64, linux/arm, linux/arm64, linux/loong64, linux/mips64le, linux/ppc64le, linux/riscv64, linux/s390x
        `` is not a platform; there is linux/386, linux/amd64, linux/arm, linux/arm64, linux/loong64, linux/mips64le, linux/ppc64le, linux/riscv64, linux/s390x
        `windows/amd64` is not Linux, and Ergon builds for Linux; did you mean "linux/amd64"?
        `arm/v7` is not a platform; did you mean "linux/arm/v7"?
        `lunix/arm64` is not a platform; did you mean "linux/arm64"?
        `linux/amd64/v1/x` is not a platform; did you mean "linux/amd64/v1"?
        `linux/sparc` names no architecture that images are made for; there is linux/386, linux/amd64, linux/arm, linux/arm64, linux/loong64, linux/mips64le, linux/ppc64le, linux/riscv64, linux/s390x
        `linux/armhf` names no architecture that images are made for; did you mean "linux/arm/v7"?
        "#);
    }
}
