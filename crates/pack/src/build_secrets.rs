//! Secrets that build steps read: files in memory while a step runs, and nothing of them afterwards.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ergon_oci::layer::{Content, EntryKind, LayerEntry};
use zeroize::Zeroizing;

/// A shorter one would be found in every second file.
const SHORTEST: usize = 6;

/// What build steps may be given, by name.
#[derive(Clone, Default)]
pub struct BuildSecrets(Arc<Given>);

#[derive(Default)]
struct Given {
    secrets: BTreeMap<String, BuildSecret>,
    /// A folder in memory, for this user alone.
    memory: PathBuf,
}

/// One of them.
pub struct BuildSecret {
    pub value: Zeroizing<Vec<u8>>,
    /// Names this version of it, and says nothing of what it holds.
    pub version: String,
}

/// Files that go when this does.
#[derive(Debug)]
pub(crate) struct HandedOver(tempfile::TempDir);

impl HandedOver {
    pub fn path(&self) -> &std::path::Path {
        self.0.path()
    }
}

impl BuildSecrets {
    /// Steps find them as files in a folder below `memory`, which must be for this user alone.
    pub fn new(secrets: BTreeMap<String, BuildSecret>, memory: PathBuf) -> Self {
        Self(Arc::new(Given { secrets, memory }))
    }

    /// The versions of some secrets, or the first that is not there.
    pub(crate) fn versions<'n>(
        &self,
        names: &'n [String],
    ) -> Result<BTreeMap<&'n str, &str>, &'n str> {
        let version = |name: &'n String| {
            let secret = self.0.secrets.get(name).ok_or(name.as_str())?;
            Ok((name.as_str(), secret.version.as_str()))
        };
        names.iter().map(version).collect()
    }

    /// Puts secrets where a step finds them; nothing where it needs none.
    pub(crate) fn hand_over(&self, names: &[String]) -> io::Result<Option<HandedOver>> {
        if names.is_empty() {
            return Ok(None);
        }
        let folder = tempfile::Builder::new()
            .prefix(".step-")
            .tempdir_in(&self.0.memory)?;
        for name in names {
            let Some(secret) = self.0.secrets.get(name) else {
                continue;
            };
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o400)
                .open(folder.path().join(name))?;
            file.write_all(&secret.value)?;
        }
        Ok(Some(HandedOver(folder)))
    }

    /// Which of some secrets is in what a step left, and in which file.
    pub(crate) fn left_in(
        &self,
        names: &[String],
        entries: &[LayerEntry],
    ) -> io::Result<Option<(String, String)>> {
        let known = names.iter().filter_map(|name| {
            let secret = self.0.secrets.get(name)?;
            Some((name, &secret.value))
        });
        let (mut owners, mut forms) = (Vec::new(), Vec::new());
        for (name, value) in known.filter(|(_, value)| value.trim_ascii().len() >= SHORTEST) {
            for form in forms_of(value.trim_ascii()) {
                owners.push(name);
                forms.push(form);
            }
        }
        if forms.is_empty() {
            return Ok(None);
        }
        let finder = AhoCorasick::new(&forms).map_err(io::Error::other)?;
        for entry in entries {
            let found = match &entry.kind {
                EntryKind::File { size, content } => first_in(&finder, content, *size)?,
                EntryKind::Symlink(target) => finder.find(target).map(|hit| hit.pattern()),
                _ => None,
            };
            let found = found.or_else(|| finder.find(&entry.path).map(|hit| hit.pattern()));
            if let Some(name) = found.and_then(|form| owners.get(form.as_usize())) {
                return Ok(Some(((*name).clone(), entry.path.clone())));
            }
        }
        Ok(None)
    }
}

/// As it is, and in base64 wherever it stands in a longer text.
fn forms_of(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![value.to_vec()];
    for before in 0..3 {
        let moved = [&[0; 2][..before], value].concat();
        let encoded = STANDARD_NO_PAD.encode(&moved);
        let (first, last) = ((8 * before).div_ceil(6), 8 * moved.len() / 6);
        forms.extend(
            encoded
                .get(first..last)
                .map(|form| form.as_bytes().to_vec()),
        );
    }
    forms
}

fn first_in(
    finder: &AhoCorasick,
    content: &Content,
    size: u64,
) -> io::Result<Option<aho_corasick::PatternID>> {
    let reader: Box<dyn Read> = match content {
        Content::Path(path) => Box::new(File::open(path)?),
        Content::Known { root, path, .. } => Box::new(File::open(root.join(path))?),
        Content::Bytes(bytes) => Box::new(bytes.as_slice()),
        Content::Slice { file, offset } => {
            // Its place is shared with whoever reads it next, who asks for another.
            let mut file = file.try_clone()?;
            file.seek(SeekFrom::Start(*offset))?;
            Box::new(file.take(size))
        }
    };
    let hit = finder.stream_find_iter(reader).next().transpose()?;
    Ok(hit.map(|hit| hit.pattern()))
}

impl fmt::Debug for BuildSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.secrets.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn secrets(memory: &std::path::Path) -> BuildSecrets {
        let secret = BuildSecret {
            value: Zeroizing::new(b"npm_hunter22\n".to_vec()),
            version: "v1".to_owned(),
        };
        BuildSecrets::new(
            BTreeMap::from([("npm-token".to_owned(), secret)]),
            memory.to_owned(),
        )
    }

    fn entry(path: &str, content: &[u8]) -> LayerEntry {
        LayerEntry {
            path: path.to_owned(),
            mode: 0o644,
            uid: 0,
            gid: 0,
            kind: EntryKind::File {
                size: content.len() as u64,
                content: Content::Bytes(content.to_vec()),
            },
            xattrs: BTreeMap::new(),
        }
    }

    #[test]
    fn a_step_finds_what_it_names_and_nothing_stays() {
        let memory = tempfile::tempdir().unwrap();
        let secrets = secrets(memory.path());
        let names = ["npm-token".to_owned()];
        assert_eq!(secrets.versions(&names).unwrap()["npm-token"], "v1");
        assert_eq!(secrets.versions(&["other".to_owned()]), Err("other"));
        assert!(secrets.hand_over(&[]).unwrap().is_none());
        let folder = secrets.hand_over(&names).unwrap().unwrap();
        let file = folder.path().join("npm-token");
        assert_eq!(fs::read(&file).unwrap(), b"npm_hunter22\n");
        drop(folder);
        assert_eq!(fs::read_dir(memory.path()).unwrap().count(), 0);
        assert_eq!(format!("{secrets:?}"), r#"{"npm-token"}"#);
    }

    #[test]
    fn what_a_step_leaves_of_a_secret_is_found() {
        let secrets = secrets(std::path::Path::new("/none"));
        let names = ["npm-token".to_owned()];
        let left = |entry: LayerEntry| secrets.left_in(&names, &[entry]).unwrap();
        let found = Some(("npm-token".to_owned(), "root/.npmrc".to_owned()));
        for content in [
            "//registry/:_authToken=npm_hunter22",
            // `user:` before it.
            "_auth=dXNlcjpucG1faHVudGVyMjI=",
            &format!("{}npm_hunter22", " ".repeat(100_000)),
        ] {
            assert_eq!(left(entry("root/.npmrc", content.as_bytes())), found);
        }
        assert_eq!(left(entry("root/.npmrc", b"npm_hunter2 hunter22")), None);
        assert!(left(entry("app/npm_hunter22", b"")).is_some());
        assert_eq!(
            secrets
                .left_in(&[], &[entry("a", b"npm_hunter22")])
                .unwrap(),
            None
        );
    }
}
