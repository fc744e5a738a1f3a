//! Looks through what a package manager fetched: what is a package, who vouches for it, what may stay.

use std::borrow::Cow;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufRead as _, Read};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use ergon_manifest::Digest;
use serde::de::IgnoredAny;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use tokio_util::sync::CancellationToken;
use zip::ZipArchive;

use super::{FetchedPackage, Named};

/// What building source archives needs, which no lock names.
pub(super) const BUILD_TOOLS: &str = "pip-build/";

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    /// By path.
    pub packages: Vec<FetchedPackage>,
    /// Packages that were removed, since the locks name others.
    pub left_out: Vec<String>,
    pub bytes: u64,
}

/// What a file is to whoever fetched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Content that ends up in the image: a lock that names digests must name it.
    Package,
    /// What builds packages.
    Tool,
    /// What the manager keeps beside packages to find them again, or has checked itself.
    Kept,
    /// Of no use to the step.
    Dropped,
}

/// So deep do folders of package managers go at most, with much to spare.
const DEEPEST: usize = 64;
/// So much does a module of Go unpack to at most: its own tools refuse more than half a gibibyte.
const LARGEST_MODULE: u64 = 1 << 30;

/// Removes from a folder what no step may see, and says what is left. Gives up when it is told to.
pub fn sort(folder: &Path, named: &Named, cancel: &CancellationToken) -> io::Result<Sorted> {
    let mut sorted = Sorted::default();
    look_through(folder, "", named, cancel, &mut sorted)?;
    sorted.packages.sort();
    sorted.left_out.sort();
    Ok(sorted)
}

fn look_through(
    folder: &Path,
    inside: &str,
    named: &Named,
    cancel: &CancellationToken,
    sorted: &mut Sorted,
) -> io::Result<()> {
    if inside.matches('/').count() > DEEPEST {
        return Err(io::Error::other(format!(
            "folders go deeper than {DEEPEST}"
        )));
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let inside = format!("{inside}{}", name.to_string_lossy());
        let kind = entry.file_type()?;
        let metadata = entry.metadata()?;
        if kind.is_dir() {
            without_privileges(&path, &metadata)?;
            look_through(&path, &format!("{inside}/"), named, cancel, sorted)?;
            continue;
        }
        let role = match role(&inside, kind.is_symlink()) {
            // Nobody fetches such a thing, and whoever makes one means harm: to whoever reads it, or the name.
            _ if inside.contains(char::is_control) || is_hollow(&metadata) => Role::Dropped,
            // What the registry says of packages lies among them, and installs nothing.
            Role::Package if inside.starts_with("npm/") && is_json(&path)? => Role::Kept,
            role => role,
        };
        if !(kind.is_file() || kind.is_symlink()) || role == Role::Dropped {
            fs::remove_file(&path)?;
            continue;
        }
        if !kind.is_file() {
            continue;
        }
        without_privileges(&path, &metadata)?;
        if role == Role::Kept {
            sorted.bytes += metadata.len();
            continue;
        }
        let hashes = Hashes::of(&path, &inside, cancel)?;
        let is_named = role == Role::Package && hashes.each().any(|hash| named.names(hash));
        if role == Role::Package && !is_named && !named.is_empty() {
            sorted.left_out.push(inside);
            fs::remove_file(&path)?;
            continue;
        }
        sorted.bytes += hashes.bytes;
        sorted.packages.push(FetchedPackage {
            path: inside,
            digest: Digest::from_bytes(hashes.sha256),
            named: is_named,
        });
    }
    Ok(())
}

/// Takes from a file what lets whoever starts it be somebody else: it lies on this machine's disk, and a package
/// may have made it.
fn without_privileges(path: &Path, metadata: &Metadata) -> io::Result<()> {
    let mode = metadata.permissions().mode();
    if mode & 0o7022 != 0 {
        fs::set_permissions(path, Permissions::from_mode(mode & 0o755))?;
    }
    Ok(())
}

/// What a file below the folder of a manager is.
fn role(path: &str, is_link: bool) -> Role {
    let (manager, rest) = path.split_once('/').unwrap_or((path, ""));
    let ends = |endings: &[&str]| endings.iter().any(|ending| rest.ends_with(ending));
    match manager {
        // These unpack what they fetch, link it to and fro, and compare it with their lock before.
        "uv" | "pnpm" | "yarn" => Role::Kept,
        _ if is_link => Role::Dropped,
        "pip" if is_python_package(rest) => Role::Package,
        "pip-build" if is_python_package(rest) => Role::Tool,
        "npm" if rest.starts_with("_cacache/content-v2/") => Role::Package,
        "npm" if rest.starts_with("_cacache/index-v5/") => Role::Kept,
        "go" if rest.starts_with("cache/download/") && ends(&[".zip"]) => Role::Package,
        "go" if rest.starts_with("cache/download/") => Role::Kept,
        "cargo" if rest.starts_with("registry/cache/") => Role::Package,
        "cargo" if rest.starts_with("registry/index/") || rest.starts_with("git/db/") => Role::Kept,
        "apt" if ends(&["/lock"]) || rest.contains("/partial/") => Role::Dropped,
        // Signed lists name what apt installs, and it compares before it does; so does Composer with its lock.
        "apt" | "composer" => Role::Kept,
        _ => Role::Dropped,
    }
}

/// Whether a file is one JSON object.
fn is_json(path: &Path) -> io::Result<bool> {
    let mut file = io::BufReader::new(File::open(path)?);
    let is_object = file.fill_buf()?.first() == Some(&b'{');
    Ok(is_object && serde_json::from_reader::<_, IgnoredAny>(file).is_ok())
}

/// What pip installs from a folder.
fn is_python_package(name: &str) -> bool {
    let endings = [".whl", ".zip", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz"];
    !name.contains('/') && endings.iter().any(|ending| name.ends_with(ending))
}

/// Whether most of a file is not there: it would take no room until somebody reads or copies it.
fn is_hollow(metadata: &Metadata) -> bool {
    let there = metadata.blocks().saturating_mul(512);
    metadata.is_file() && metadata.len() > 1 << 20 && there < metadata.len() / 2
}

/// The digests by which locks may name a file.
struct Hashes {
    sha256: [u8; 32],
    others: Vec<Vec<u8>>,
    bytes: u64,
}

impl Hashes {
    fn of(path: &Path, inside: &str, cancel: &CancellationToken) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let (mut sha1, mut sha256, mut sha512) = (Sha1::new(), Sha256::new(), Sha512::new());
        let mut buffer = vec![0; 1 << 16];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            if cancel.is_cancelled() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            bytes += read as u64;
            sha1.update(&buffer[..read]);
            sha256.update(&buffer[..read]);
            sha512.update(&buffer[..read]);
        }
        let mut others = vec![sha1.finalize().to_vec(), sha512.finalize().to_vec()];
        if inside.starts_with("go/") {
            others.extend(module_hash(path)?);
        }
        Ok(Self {
            sha256: sha256.finalize().into(),
            others,
            bytes,
        })
    }

    fn each(&self) -> impl Iterator<Item = &[u8]> {
        let others = self.others.iter().map(Vec::as_slice);
        others.chain([self.sha256.as_slice()])
    }
}

/// Go's hash of a module (`h1:`): the SHA-256 of the SHA-256 sums of its files, a line each, by name. None where the
/// archive cannot be read.
///
/// <https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1>
fn module_hash(archive: &Path) -> io::Result<Option<Vec<u8>>> {
    let Ok(mut archive) = ZipArchive::new(File::open(archive)?) else {
        return Ok(None);
    };
    let mut lines = Vec::new();
    let mut left = LARGEST_MODULE;
    for index in 0..archive.len() {
        let Ok(member) = archive.by_index(index) else {
            return Ok(None);
        };
        let Ok(name) = member.name().map(Cow::into_owned) else {
            return Ok(None);
        };
        let mut hasher = Sha256::new();
        left -= io::copy(&mut member.take(left), &mut HashWriter(&mut hasher))?;
        if left == 0 {
            return Ok(None);
        }
        lines.push((name, hex::encode(hasher.finalize())));
    }
    lines.sort();
    let mut hasher = Sha256::new();
    for (name, hash) in lines {
        hasher.update(format!("{hash}  {name}\n"));
    }
    Ok(Some(hasher.finalize().to_vec()))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    fn made(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    fn sha512(content: &[u8]) -> String {
        format!("sha512-{}", BASE64_STANDARD.encode(Sha512::digest(content)))
    }

    #[test]
    fn what_the_lock_does_not_name_is_removed() {
        let folder = made(&[
            ("npm/_cacache/content-v2/sha512/aa/good", b"\x1f\x8bgood"),
            ("npm/_cacache/content-v2/sha512/bb/evil", b"\x1f\x8bevil"),
            (
                "npm/_cacache/content-v2/sha512/bb/plain",
                b"a tar that is not compressed",
            ),
            ("npm/_cacache/content-v2/sha512/cc/packument", b"{}"),
            ("npm/_cacache/index-v5/cc/entry", b"index"),
            ("npm/_logs/log", b"log"),
            ("elsewhere/file", b"x"),
        ]);
        let mut named = Named::default();
        named.add(&format!("\"integrity\": \"{}\"", sha512(b"\x1f\x8bgood")));
        let sorted = sort(folder.path(), &named, &CancellationToken::new()).unwrap();
        let paths: Vec<_> = sorted
            .packages
            .iter()
            .map(|package| &package.path)
            .collect();
        assert_eq!(paths, ["npm/_cacache/content-v2/sha512/aa/good"]);
        assert!(sorted.packages[0].named);
        assert_eq!(
            sorted.left_out,
            [
                "npm/_cacache/content-v2/sha512/bb/evil",
                "npm/_cacache/content-v2/sha512/bb/plain"
            ]
        );
        assert_eq!(sorted.bytes, 13);
        for gone in [
            "npm/_cacache/content-v2/sha512/bb/evil",
            "npm/_logs/log",
            "elsewhere/file",
        ] {
            assert!(!folder.path().join(gone).exists(), "{gone}");
        }
    }

    #[test]
    fn without_digests_in_a_lock_all_packages_stay_and_none_is_named() {
        let folder = made(&[("pip/a.whl", b"a"), ("pip-build/setuptools.whl", b"s")]);
        let sorted = sort(folder.path(), &Named::default(), &CancellationToken::new()).unwrap();
        assert_eq!(sorted.packages.len(), 2);
        assert!(sorted.packages.iter().all(|package| !package.named));
        assert_eq!(sorted.packages[1].digest, Digest::of(b"a"));
    }

    #[test]
    fn what_was_fetched_gives_nobody_a_right() {
        let folder = made(&[("uv/archive/tool", b"#!/bin/sh")]);
        let tool = folder.path().join("uv/archive/tool");
        // That is what is taken away.
        // nosemgrep: dev.semgrep.nothing-is-for-everybody
        fs::set_permissions(&tool, Permissions::from_mode(0o6777)).unwrap();
        sort(folder.path(), &Named::default(), &CancellationToken::new()).unwrap();
        assert_eq!(
            fs::metadata(tool).unwrap().permissions().mode() & 0o7777,
            0o755
        );
    }

    #[test]
    fn what_is_no_package_is_not_taken_for_one() {
        let folder = made(&[
            ("pip/a.whl", b"a"),
            ("pip/suid", b"x"),
            ("pip/b\n.whl", b"b"),
        ]);
        let hollow = File::create(folder.path().join("pip/c.whl")).unwrap();
        hollow.set_len(1 << 40).unwrap();
        let sorted = sort(folder.path(), &Named::default(), &CancellationToken::new()).unwrap();
        let paths: Vec<_> = sorted
            .packages
            .iter()
            .map(|package| &package.path)
            .collect();
        assert_eq!(paths, ["pip/a.whl"]);
        assert_eq!(fs::read_dir(folder.path().join("pip")).unwrap().count(), 1);
    }

    #[test]
    fn links_lead_nowhere() {
        let folder = made(&[("pip/a.whl", b"a")]);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("pip/b.whl")).unwrap();
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            folder.path().join("pip/c.whl"),
            rustix::fs::Mode::from_raw_mode(0o644),
        )
        .unwrap();
        let sorted = sort(folder.path(), &Named::default(), &CancellationToken::new()).unwrap();
        assert_eq!(sorted.packages.len(), 1);
        assert_eq!(fs::read_dir(folder.path().join("pip")).unwrap().count(), 1);
    }
}
