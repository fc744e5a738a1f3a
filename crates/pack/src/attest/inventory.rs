//! What is in an image: the packages that its own files tell of.
//!
//! Layers are read as streams from the lowest up; what each adds, replaces and removes is applied
//! to a map of findings by path, so that only what a container would see is left. The map after
//! each layer is kept, since most images share their lower layers. Nothing here believes a file:
//! sizes, counts and names are bounded, and what cannot be read is named as a gap.

mod binaries;
mod databases;
mod installed;
mod java;
mod lines;
mod locks;
mod package;
mod rpm;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use ergon_manifest::{Digest, canonical_json};
use ergon_oci::layer::{EntryKind, LayerEntry, read_layer};
use ergon_oci::{Blobs, Image};
use serde::{Deserialize, Serialize};

pub use locks::{LARGEST as LARGEST_LOCK, LockFile, is_lock_file, packages_in};
pub use package::{Kind, Package, System};

use crate::cache::Cache;
use crate::error::PackError;

/// The version of the rules by which files are read. An inventory made by others is made again.
pub const RULES: &str = "1";

/// An image with more packages than this is described as far as that: lists of them take some 6 kB of memory for each.
const MOST_PACKAGES: usize = 40_000;
/// Bytes of what all files of an image tell, as [`Finding::weight`] counts them.
const MOST_TOLD: usize = 48 << 20;
/// Bytes of it that are remembered of the lower layers of one image.
const MOST_REMEMBERED: usize = 64 << 20;

/// Everything known to be in an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    pub system: Option<System>,
    /// By package URL.
    pub packages: BTreeMap<String, Package>,
    /// What is there and could not be read: a sentence each.
    pub gaps: BTreeSet<String>,
}

/// What one file of an image tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Finding {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    packages: Vec<Package>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    system: Option<System>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gap: Option<String>,
}

impl Finding {
    fn packages(packages: Vec<Package>) -> Self {
        Self {
            packages,
            ..Self::default()
        }
    }

    fn gap(why: impl Into<String>) -> Self {
        Self {
            gap: Some(why.into()),
            ..Self::default()
        }
    }

    /// About how many bytes it takes.
    fn weight(&self) -> usize {
        let packages = self.packages.iter().map(Package::weight);
        128 + packages.sum::<usize>() + self.gap.as_ref().map_or(0, String::len)
    }

    /// What was read of a database, and what of it could not be.
    fn of_database(path: &str, packages: Vec<Package>, is_whole: bool, passed_over: usize) -> Self {
        let gap = if !is_whole {
            Some(format!("{path} could not be read to its end"))
        } else if passed_over > 0 {
            Some(format!("{passed_over} records in {path} make no sense"))
        } else {
            None
        };
        Self {
            gap,
            ..Self::packages(packages)
        }
    }
}

/// What the layers so far tell, by path; a gap of a layer stands under the layer's digest.
type Findings = BTreeMap<String, Finding>;

/// Reads an image's packages, from cache as far as its layers are known.
pub fn read(image: &Image, cache: &Cache) -> Result<Inventory, PackError> {
    let layers: Vec<Digest> = image.layers().iter().map(|layer| layer.digest).collect();
    let mut chains = Vec::with_capacity(layers.len());
    for count in 1..=layers.len() {
        chains.push(chain(&layers[..count])?);
    }
    let mut known = 0;
    let mut findings = Findings::new();
    for (index, chain) in chains.iter().enumerate().rev() {
        if let Some(kept) = cache.inventory(chain) {
            (known, findings) = (index + 1, kept);
            break;
        }
    }
    let mut remembered = 0;
    for (index, (layer, chain)) in layers.iter().zip(&chains).enumerate().skip(known) {
        apply(cache.blobs(), layer, &mut findings)?;
        remembered += weight(&findings);
        if remembered <= MOST_REMEMBERED || index + 1 == layers.len() {
            cache.remember_inventory(chain, &findings)?;
        }
    }
    Ok(gather(findings))
}

fn weight(findings: &Findings) -> usize {
    let found = findings.iter();
    found.map(|(path, found)| path.len() + found.weight()).sum()
}

/// What the findings after some layers are kept under.
fn chain(layers: &[Digest]) -> Result<Digest, PackError> {
    #[derive(Serialize)]
    struct Key<'a> {
        layers: &'a [Digest],
        rules: &'a str,
    }
    let key = Key {
        layers,
        rules: RULES,
    };
    Ok(Digest::of(&canonical_json(&key)?))
}

/// Applies one layer to what the layers below tell.
fn apply(blobs: &Blobs, layer: &Digest, findings: &mut Findings) -> Result<(), PackError> {
    let file = blobs.open_read(layer)?;
    let mut applying = Applying {
        left: MOST_TOLD.saturating_sub(weight(findings)),
        below: findings,
        own: Findings::new(),
        left_out: 0,
    };
    let read = read_layer(file, |entry, content| {
        applying.visit(&entry, content);
        Ok::<_, ergon_oci::Error>(())
    });
    let Applying {
        mut own, left_out, ..
    } = applying;
    if left_out > 0 {
        let why = format!("{left_out} files of the layer {layer} tell of more than can be listed");
        own.insert(format!("more of layer {layer}"), Finding::gap(why));
    }
    if let Err(error) = read {
        own.insert(
            format!("layer {layer}"),
            Finding::gap(format!(
                "the layer {layer} could not be read to its end: {error}"
            )),
        );
    }
    findings.append(&mut own);
    Ok(())
}

/// One layer that is being read, over what the layers below tell.
struct Applying<'a> {
    below: &'a mut Findings,
    own: Findings,
    /// How many more bytes may be told.
    left: usize,
    left_out: usize,
}

impl Applying<'_> {
    fn visit(&mut self, entry: &LayerEntry<()>, content: &mut dyn Read) {
        let path = entry.path.as_str();
        match &entry.kind {
            EntryKind::Whiteout => remove(self.below, path, true),
            EntryKind::OpaqueDirectory => remove(self.below, path, false),
            EntryKind::Directory => drop(self.below.remove(path)),
            EntryKind::Symlink(_) => self.replace(path),
            EntryKind::Hardlink(target) => {
                self.replace(path);
                // The other name of a file that was read under the first.
                if let Some(finding) = self.own.get(target).cloned() {
                    self.tell(path, finding);
                } else if reader(path, entry.mode)
                    .is_some_and(|reader| reader != Reader::Executable)
                {
                    let gap = format!("{path} is a link to {target}, which was not read");
                    self.tell(path, Finding::gap(gap));
                }
            }
            EntryKind::File { size, .. } => {
                self.replace(path);
                let Some(reader) = reader(path, entry.mode) else {
                    return;
                };
                let mut finding = reader.read(path, *size, content);
                for package in &mut finding.packages {
                    package.found_in.insert(path.to_owned());
                }
                if finding != Finding::default() {
                    self.tell(path, finding);
                }
            }
        }
    }

    /// What was at a path before is there no more.
    fn replace(&mut self, path: &str) {
        remove(self.below, path, true);
        self.own.remove(path);
    }

    fn tell(&mut self, path: &str, finding: Finding) {
        match self.left.checked_sub(path.len() + finding.weight()) {
            Some(left) => {
                self.left = left;
                self.own.insert(path.to_owned(), finding);
            }
            None => self.left_out += 1,
        }
    }
}

/// Forgets what was found below a path, and, where asked, at the path itself.
fn remove(findings: &mut Findings, path: &str, itself: bool) {
    if itself {
        findings.remove(path);
    }
    let prefix = if path.is_empty() {
        String::new()
    } else {
        format!("{path}/")
    };
    let gone: Vec<String> = findings
        .range(prefix.clone()..)
        .map(|(path, _)| path)
        .take_while(|path| path.starts_with(&prefix))
        .cloned()
        .collect();
    for path in gone {
        findings.remove(&path);
    }
}

fn gather(findings: Findings) -> Inventory {
    let mut inventory = Inventory {
        // `usr/lib/os-release` is what the other usually links to.
        system: ["etc/os-release", "usr/lib/os-release"]
            .iter()
            .find_map(|path| findings.get(*path)?.system.clone()),
        ..Inventory::default()
    };
    for finding in findings.into_values() {
        inventory.gaps.extend(finding.gap);
        inventory.add(finding.packages);
    }
    inventory
}

impl Inventory {
    /// Adds packages; those that are known already are found in one more place.
    fn add(&mut self, packages: Vec<Package>) {
        for package in packages {
            let Some(url) = package.url(self.system.as_ref()) else {
                let name = package.name;
                self.gaps
                    .insert(format!("the name of the package {name:?} makes no sense"));
                continue;
            };
            if let Some(known) = self.packages.get_mut(&url) {
                known.merge(package);
            } else if self.packages.len() < MOST_PACKAGES {
                self.packages.insert(url, package);
            } else {
                self.gaps.insert(format!(
                    "only the first {MOST_PACKAGES} packages are listed"
                ));
            }
        }
    }

    /// Takes in what lock files of the source say.
    ///
    /// Where an ecosystem leaves its own records in the image, those decide what is there, and a
    /// lock only adds the hashes it has: it also lists what is for development alone. Where it
    /// leaves none, as compiled programs do, the lock is the best there is.
    pub fn add_locked(&mut self, locked: Vec<Package>) {
        let recorded: BTreeSet<Kind> = self.packages.values().map(|known| known.kind).collect();
        let (enrich, add): (Vec<_>, Vec<_>) = locked
            .into_iter()
            .partition(|package| recorded.contains(&package.kind));
        for package in enrich {
            let known = package
                .url(self.system.as_ref())
                .and_then(|url| self.packages.get_mut(&url));
            if let Some(known) = known {
                known.merge(package);
            }
        }
        self.add(add);
    }
}

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    System,
    Dpkg,
    Apk,
    Rpm,
    Python,
    Npm,
    Gem,
    Composer,
    Java,
    Executable,
}

/// The reader of a path, if it tells of packages.
fn reader(path: &str, mode: u32) -> Option<Reader> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let ends = |suffix: &str| name.len() > suffix.len() && name.ends_with(suffix);
    Some(match (folder, name) {
        ("etc" | "usr/lib", "os-release") => Reader::System,
        ("var/lib/dpkg", "status") => Reader::Dpkg,
        ("var/lib/dpkg/status.d", _) if !name.ends_with(".md5sums") => Reader::Dpkg,
        ("lib/apk/db" | "usr/lib/apk/db", "installed") => Reader::Apk,
        (
            "var/lib/rpm" | "usr/lib/sysimage/rpm" | "usr/share/rpm",
            "Packages" | "Packages.db" | "rpmdb.sqlite",
        ) => Reader::Rpm,
        (_, "METADATA") if folder.ends_with(".dist-info") => Reader::Python,
        (_, "PKG-INFO") if folder.ends_with(".egg-info") => Reader::Python,
        (_, _) if ends(".egg-info") => Reader::Python,
        (_, "package.json") if installed::is_node_package(folder) => Reader::Npm,
        (_, "installed.json") if folder.ends_with("vendor/composer") => Reader::Composer,
        (_, _) if ends(".gemspec") && installed::is_gem_folder(folder) => Reader::Gem,
        (_, _) if [".jar", ".war", ".ear"].iter().any(|suffix| ends(suffix)) => Reader::Java,
        _ if mode & 0o111 != 0 => Reader::Executable,
        _ => return None,
    })
}

impl Reader {
    fn read(self, path: &str, size: u64, content: &mut dyn Read) -> Finding {
        match self {
            Self::System => databases::os_release(content),
            Self::Dpkg => databases::dpkg(path, content),
            Self::Apk => databases::apk(path, content),
            Self::Rpm => rpm::database(path, size, content),
            Self::Python => installed::python(content),
            Self::Npm => installed::npm(path, content),
            Self::Gem => installed::gem(path, content),
            Self::Composer => installed::composer(path, content),
            Self::Java => java::archive(path, size, content),
            Self::Executable => binaries::go(content),
        }
    }
}

/// The findings that a cache keeps.
impl Cache {
    fn inventory(&self, chain: &Digest) -> Option<Findings> {
        self.kept("inventories", chain)
    }

    fn remember_inventory(&self, chain: &Digest, findings: &Findings) -> Result<(), PackError> {
        Ok(self.keep("inventories", chain, findings)?)
    }
}

#[cfg(test)]
mod tests;
