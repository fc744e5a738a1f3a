//! Java archives: what Maven wrote into them, and the archives inside them.

use std::io::{self, Cursor, Read, Seek};

use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::Finding;
use super::lines::{each_line, whole};
use super::package::{Kind, Package};

/// A larger archive is not looked into.
const LARGEST: u64 = 1 << 30;
/// An archive inside an archive is unpacked into memory.
const LARGEST_INSIDE: u64 = 64 << 20;
/// So much is unpacked of one archive and all those inside it.
const MOST_UNPACKED: u64 = 2 << 30;
/// The list of an archive is read as a whole: with more entries than this, those of archives inside it counted, it
/// would take too much memory.
const MOST_LISTED: usize = 300_000;
const LISTED: &[u8] = b"PK\x01\x02";
const LARGEST_PROPERTIES: u64 = 64 << 10;
/// So many entries are looked into.
const MOST_ENTRIES: usize = 20_000;
/// A web archive holds libraries, an application archive holds web archives.
const DEEPEST: usize = 3;

/// The packages of an archive; it is kept in a file without a name while it is read.
pub fn archive(path: &str, size: u64, content: &mut dyn Read) -> Finding {
    if size > LARGEST {
        return Finding::gap(format!("{path} is too large to look into"));
    }
    let unreadable = || Finding::gap(format!("{path} is no archive that can be read"));
    let Ok(file) = tempfile::tempfile() else {
        return Finding::gap(format!(
            "{path} was not looked into: there is no temporary file"
        ));
    };
    let mut copy = Hashing {
        file: &file,
        hasher: Sha256::new(),
        end: Vec::new(),
        listed: 0,
    };
    if io::copy(content, &mut copy).is_err() {
        return unreadable();
    }
    if copy.listed > MOST_LISTED {
        return Finding::gap(format!("{path} has too many entries to look into"));
    }
    let hash = hex::encode(copy.hasher.finalize());
    let mut looking = Looking {
        found: Vec::new(),
        left: MOST_UNPACKED,
    };
    match looking.look(io::BufReader::new(&file), path, &hash, 1) {
        Some(()) => Finding::packages(looking.found),
        None => unreadable(),
    }
}

struct Hashing<'a> {
    file: &'a std::fs::File,
    hasher: Sha256,
    /// The last bytes that were written.
    end: Vec<u8>,
    /// How many entries are listed, at most.
    listed: usize,
}

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        let bytes = &bytes[..written];
        self.hasher.update(bytes);
        // Also one that stands across two writes.
        self.end.extend(&bytes[..bytes.len().min(LISTED.len() - 1)]);
        self.listed += listed(&self.end) + listed(bytes);
        self.end.clear();
        self.end
            .extend(&bytes[bytes.len().saturating_sub(LISTED.len() - 1)..]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn listed(bytes: &[u8]) -> usize {
    let places = bytes.windows(LISTED.len());
    places.filter(|place| *place == LISTED).count()
}

/// What is found in an archive and in those inside it.
struct Looking {
    found: Vec<Package>,
    /// How much more may be unpacked.
    left: u64,
}

impl Looking {
    /// Looks into an archive; none where it is none.
    fn look(
        &mut self,
        archive: impl Read + Seek,
        path: &str,
        hash: &str,
        depth: usize,
    ) -> Option<()> {
        let mut archive = ZipArchive::new(archive).ok()?;
        let before = self.found.len();
        let names: Vec<String> = archive
            .file_names()
            .filter_map(Result::ok)
            .filter(|name| is_properties(name) || is_library(name) || *name == MANIFEST)
            .take(MOST_ENTRIES)
            .map(std::borrow::Cow::into_owned)
            .collect();
        let mut manifest = None;
        let mut inside = Vec::new();
        for name in names {
            let Ok(mut entry) = archive.by_name(&name) else {
                continue;
            };
            if name == MANIFEST {
                manifest = said_by_manifest(&mut entry);
            } else if is_properties(&name) {
                self.found.extend(said_by_maven(&mut entry));
            } else if depth < DEEPEST {
                inside.push(name);
            }
        }
        // One archive, one package: only then is the archive's hash the package's.
        match &mut self.found[before..] {
            [only] => only.add_hash("SHA-256", hash),
            [] => {
                if let Some(mut package) = manifest.or_else(|| said_by_name(path)) {
                    package.add_hash("SHA-256", hash);
                    self.found.push(package);
                }
            }
            _ => {}
        }
        for name in inside {
            let Ok(mut entry) = archive.by_name(&name) else {
                continue;
            };
            let most = LARGEST_INSIDE.min(self.left);
            let bytes = whole(&mut entry, most);
            self.left -= bytes.as_ref().map_or(most, |bytes| bytes.len() as u64);
            if let Some(bytes) = bytes.filter(|bytes| listed(bytes) <= MOST_LISTED) {
                let hash = hex::encode(Sha256::digest(&bytes));
                self.look(Cursor::new(bytes), &name, &hash, depth + 1);
            }
        }
        Some(())
    }
}

const MANIFEST: &str = "META-INF/MANIFEST.MF";

fn is_properties(name: &str) -> bool {
    name.starts_with("META-INF/maven/") && name.ends_with("/pom.properties")
}

fn is_library(name: &str) -> bool {
    name.ends_with(".jar") || name.ends_with(".war")
}

fn said_by_maven(content: &mut dyn Read) -> Option<Package> {
    let (mut group, mut artifact, mut version) = (None, None, None);
    each_line(content, LARGEST_PROPERTIES, |line| {
        if let Some((name, value)) = line.split_once('=') {
            match name.trim() {
                "groupId" => group = Some(value.trim().to_owned()),
                "artifactId" => artifact = Some(value.trim().to_owned()),
                "version" => version = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        true
    });
    let mut package = Package::new(Kind::Maven, &artifact?, &version?)?;
    package.namespace = group.filter(|group| super::package::is_word(group));
    Some(package)
}

fn said_by_manifest(content: &mut dyn Read) -> Option<Package> {
    let (mut name, mut version, mut group) = (None, None, None);
    each_line(content, LARGEST_PROPERTIES, |line| {
        if let Some((field, value)) = line.split_once(": ") {
            match field {
                "Implementation-Title" => name = Some(value.trim().to_owned()),
                "Implementation-Version" => version = Some(value.trim().to_owned()),
                "Implementation-Vendor-Id" => group = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        true
    });
    let mut package = Package::new(Kind::Maven, &name?, &version?)?;
    package.namespace = group.filter(|group| super::package::is_word(group));
    Some(package)
}

/// `commons-io-2.15.1.jar`.
fn said_by_name(path: &str) -> Option<Package> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let (at, _) = stem
        .match_indices('-')
        .find(|(at, _)| stem[at + 1..].starts_with(|first: char| first.is_ascii_digit()))?;
    Package::new(Kind::Maven, &stem[..at], &stem[at + 1..])
}
