//! A package, and what it is called everywhere.

use std::collections::{BTreeMap, BTreeSet};

use packageurl::PackageUrl;
use serde::{Deserialize, Serialize};

/// No name and no version is longer.
const LONGEST_WORD: usize = 256;
/// What is recorded as a licence may be the whole text of one, which says too much.
const LONGEST_LICENCE: usize = 160;
const MOST_LICENCES: usize = 8;

/// The world a package belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Deb,
    Apk,
    Rpm,
    Python,
    Npm,
    Go,
    Cargo,
    Maven,
    Gem,
    Composer,
}

impl Kind {
    /// The type in package URLs.
    pub const fn url_type(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
            Self::Python => "pypi",
            Self::Npm => "npm",
            Self::Go => "golang",
            Self::Cargo => "cargo",
            Self::Maven => "maven",
            Self::Gem => "gem",
            Self::Composer => "composer",
        }
    }

    /// Whether an operating system's own package manager put it there.
    pub const fn is_of_system(self) -> bool {
        matches!(self, Self::Deb | Self::Apk | Self::Rpm)
    }
}

/// One package that is in an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    pub kind: Kind,
    /// A scope, a group, a vendor, the path before a module's last part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub name: String,
    pub version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The source package that an operating system built it from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// What an operating system counts before the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// As recorded, in the words that stand there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub licences: BTreeSet<String>,
    /// Hex digits by algorithm: `SHA-256`, `SHA-512`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hashes: BTreeMap<String, String>,
    /// The files that tell of it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub found_in: BTreeSet<String>,
}

/// The operating system, as `os-release` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    pub id: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Package {
    /// A package of which nothing more is known yet; none where name or version are no words.
    pub fn new(kind: Kind, name: &str, version: &str) -> Option<Self> {
        let (name, version) = (name.trim(), version.trim());
        (is_word(name) && is_word(version)).then(|| Self {
            kind,
            namespace: None,
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: None,
            upstream: None,
            epoch: None,
            licences: BTreeSet::new(),
            hashes: BTreeMap::new(),
            found_in: BTreeSet::new(),
        })
    }

    /// The same package under a name whose part before the last slash is its namespace.
    pub fn with_path(kind: Kind, path: &str, version: &str) -> Option<Self> {
        match path.trim().rsplit_once('/') {
            Some((namespace, name)) => Some(Self {
                namespace: is_word(namespace).then(|| namespace.to_owned()),
                ..Self::new(kind, name, version)?
            }),
            None => Self::new(kind, path, version),
        }
    }

    pub fn add_licence(&mut self, text: &str) {
        let text = text.lines().next().unwrap_or_default().trim();
        let is_said = !text.is_empty()
            && text.len() <= LONGEST_LICENCE
            && !text.chars().any(char::is_control)
            && !text.eq_ignore_ascii_case("unknown");
        if is_said && self.licences.len() < MOST_LICENCES {
            self.licences.insert(text.to_owned());
        }
    }

    /// Adds a hash whose hex digits are as many as the algorithm gives.
    pub fn add_hash(&mut self, algorithm: &str, hex: &str) {
        let digits = match algorithm {
            "SHA-1" => 40,
            "SHA-256" => 64,
            "SHA-384" => 96,
            "SHA-512" => 128,
            _ => return,
        };
        if hex.len() == digits && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.hashes
                .entry(algorithm.to_owned())
                .or_insert_with(|| hex.to_ascii_lowercase());
        }
    }

    /// About how many bytes it takes, its places in maps included.
    pub fn weight(&self) -> usize {
        let optional = [&self.namespace, &self.architecture, &self.upstream];
        let texts = optional.into_iter().flatten();
        let texts = texts.chain([&self.name, &self.version]);
        let texts = texts.chain(&self.licences).chain(&self.found_in);
        let hashes = self.hashes.values();
        512 + texts
            .chain(hashes)
            .map(|text| text.len() + 32)
            .sum::<usize>()
    }

    /// Takes in what another record of the same package says.
    pub fn merge(&mut self, other: Self) {
        self.licences.extend(other.licences);
        for (algorithm, hash) in other.hashes {
            self.hashes.entry(algorithm).or_insert(hash);
        }
        self.found_in.extend(other.found_in);
    }

    /// What it is called everywhere: <https://github.com/package-url/purl-spec>.
    pub fn url(&self, system: Option<&System>) -> Option<String> {
        let name = match self.kind {
            // One name, however it is written (PEP 503).
            Kind::Python => python_name(&self.name),
            _ => self.name.clone(),
        };
        let mut url = PackageUrl::new(self.kind.url_type(), name).ok()?;
        url.with_version(self.version.clone()).ok()?;
        if self.kind.is_of_system() {
            let id = system.map_or("linux", |system| system.id.as_str());
            url.with_namespace(id.to_owned()).ok()?;
            if let Some(architecture) = &self.architecture {
                url.add_qualifier("arch", architecture.clone()).ok()?;
            }
            if let Some((id, version)) =
                system.and_then(|system| Some((&system.id, system.version.as_ref()?)))
            {
                url.add_qualifier("distro", format!("{id}-{version}"))
                    .ok()?;
            }
            if let Some(epoch) = self.epoch {
                url.add_qualifier("epoch", epoch.to_string()).ok()?;
            }
            if let Some(upstream) = &self.upstream {
                url.add_qualifier("upstream", upstream.clone()).ok()?;
            }
        } else if let Some(namespace) = &self.namespace {
            url.with_namespace(namespace.clone()).ok()?;
        }
        Some(url.to_string())
    }

    /// Its name with whatever stands before it, as people of its world write it.
    pub fn full_name(&self) -> String {
        match &self.namespace {
            Some(namespace) if self.kind == Kind::Maven => format!("{namespace}:{}", self.name),
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

fn python_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        if matches!(letter, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(letter.to_lowercase());
        }
    }
    normal
}

/// Whether a text can be a name or a version.
pub fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_WORD
        && !text
            .chars()
            .any(|letter| letter.is_control() || letter.is_whitespace())
}
