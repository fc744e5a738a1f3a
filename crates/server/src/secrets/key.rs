//! The stack's key for secrets: age identities in a file, as they are or under a passphrase.
//!
//! The file may hold more than one: the first is what is sealed under, the others are what something may still be sealed
//! under while the key is changed. Whoever has the file (and its passphrase) opens what is in the store with any
//! program that speaks age.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use age::DecryptError;
use age::secrecy::{ExposeSecret as _, SecretString};
use age::x25519::Identity;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::value::SecretValue;
use crate::data_folder::replace;

/// The file in the data folder.
pub const KEY_FILE: &str = "secrets.age-key";
/// What guessing a passphrase costs: scrypt with two to this power, some tenths of a second and 64 MiB.
const WORK: u8 = 16;
/// What is believed of a file that asks for more work: a gigabyte of memory.
const MOST_WORK: u8 = 20;
/// No file of keys and no passphrase is longer.
const LONGEST_FILE: u64 = 64 << 10;
/// What every age file begins with.
const AGE: &[u8] = b"age-encryption.org/";
/// What every sealed value begins with: what it is for follows, so that one in another's place does not open.
const FRAME: &str = "ergon secret 1";

/// Why the stack's key is none, or does not open something.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    #[error("the file {} cannot be used: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("the stack's key for secrets, {}, is under a passphrase, and none was given", path.display())]
    NoPassphrase { path: PathBuf },
    #[error("the passphrase does not open the stack's key for secrets, {}", path.display())]
    WrongPassphrase { path: PathBuf },
    #[error("the file {} is no passphrase: {reason}", path.display())]
    Passphrase { path: PathBuf, reason: &'static str },
    #[error("the file {} is no key for secrets, or it is damaged", path.display())]
    Damaged { path: PathBuf },
    #[error("the stack's key for secrets, {}, is not there, and {sealed} sealed values are", path.display())]
    Missing { path: PathBuf, sealed: usize },
    #[error("the stack's key for secrets, {}, is not the one that `{secret}` is sealed under", path.display())]
    Other { path: PathBuf, secret: String },
    #[error(
        "`{secret}` does not open: it was sealed under another key or for something else, or it is damaged"
    )]
    Closed { secret: String },
    #[error("nothing can be sealed: {0}")]
    Seal(String),
}

impl SecretKeyError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NoPassphrase { .. } => {
                "name the file that holds it: ergon up --passphrase-file FILE"
            }
            Self::WrongPassphrase { .. } => {
                "name the file with the right one: ergon up --passphrase-file FILE"
            }
            Self::Passphrase { .. } => {
                "write one line of text into it, and keep it to this user (chmod 600)"
            }
            Self::File { .. } => "make it readable and writable for this user",
            Self::Damaged { .. } | Self::Missing { .. } | Self::Other { .. } => {
                "put the file back from where it is kept a second time; without it, what is sealed stays sealed"
            }
            Self::Closed { .. } => "set it anew: ergon secret set NAME",
            Self::Seal(_) => return None,
        };
        Some(text.to_owned())
    }
}

/// Identities, the first of which is sealed under.
#[derive(Clone)]
struct Keys(Vec<Identity>);

/// The stack's key for secrets.
pub struct SecretKey {
    path: PathBuf,
    passphrase: Option<SecretString>,
    /// Absent: there is no file yet.
    keys: Mutex<Option<Arc<Keys>>>,
}

/// What a value is sealed for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    pub secret: &'a str,
    /// The version's random id.
    pub id: &'a str,
}

impl Keys {
    fn parse(text: &str) -> Option<Self> {
        let lines = text.lines().map(str::trim);
        let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<Identity> = keys.map(|line| line.parse().ok()).collect::<Option<_>>()?;
        (!keys.is_empty()).then_some(Self(keys))
    }

    fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from(
            "# What this stack's secrets are sealed under. Keep a second copy where the store is not.\n",
        ));
        for key in &self.0 {
            let _ = writeln!(text, "# public key: {}", key.to_public());
            text.push_str(key.to_string().expose_secret());
            text.push('\n');
        }
        text
    }

    fn public(&self) -> Option<String> {
        self.0.first().map(|key| key.to_public().to_string())
    }
}

impl SecretKey {
    /// Reads the key, where there is one. A key that is there as it is and is to be under a passphrase is put under it.
    pub fn open(folder: &Path, passphrase_file: Option<&Path>) -> Result<Self, SecretKeyError> {
        let path = folder.join(KEY_FILE);
        let passphrase = passphrase_file.map(passphrase).transpose()?;
        let mut is_open = false;
        let keys = match read(&path)? {
            None => None,
            Some(bytes) if bytes.starts_with(AGE) => {
                let Some(passphrase) = &passphrase else {
                    return Err(SecretKeyError::NoPassphrase { path });
                };
                Some(unlocked(&path, &bytes, passphrase)?)
            }
            Some(bytes) => {
                is_open = true;
                let keys = std::str::from_utf8(&bytes).ok().and_then(Keys::parse);
                Some(keys.ok_or_else(|| SecretKeyError::Damaged { path: path.clone() })?)
            }
        };
        let key = Self {
            path,
            passphrase,
            keys: Mutex::default(),
        };
        if let Some(keys) = keys {
            if is_open && key.passphrase.is_some() {
                key.write(&keys)?;
                tracing::info!(path = %key.path.display(), "the key for secrets is under its passphrase from now on");
            }
            key.put(keys);
        }
        Ok(key)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a passphrase is needed to use it.
    pub fn has_passphrase(&self) -> bool {
        self.passphrase.is_some()
    }

    /// The public half of what is sealed under; none before the first use.
    pub fn public(&self) -> Option<String> {
        self.keys().and_then(|keys| keys.public())
    }

    /// Whether what is sealed for this public half opens.
    pub fn knows(&self, public: &str) -> bool {
        let keys = self.keys();
        let mut keys = keys.iter().flat_map(|keys| &keys.0);
        keys.any(|key| key.to_public().to_string() == public)
    }

    /// Whether there is more than one: a change of the key was begun, and not ended.
    pub fn is_changing(&self) -> bool {
        self.keys().is_some_and(|keys| keys.0.len() > 1)
    }

    /// Seals a value under the first key, which is made where there is none; says the key's public half.
    pub fn seal(
        &self,
        purpose: Purpose<'_>,
        value: &SecretValue,
    ) -> Result<(String, String), SecretKeyError> {
        let keys = if let Some(keys) = self.keys() {
            keys
        } else {
            let made = Keys(vec![Identity::generate()]);
            self.write(&made)?;
            self.put(made)
        };
        let Some(key) = keys.0.first() else {
            return Err(SecretKeyError::Seal("there is no key".to_owned()));
        };
        let Purpose { secret, id } = purpose;
        let mut framed = Zeroizing::new(format!("{FRAME}\n{secret}\n{id}\n").into_bytes());
        framed.extend_from_slice(value.reveal());
        let recipient = key.to_public();
        let sealed = age::encrypt(&recipient, &framed)
            .map_err(|error| SecretKeyError::Seal(error.to_string()))?;
        Ok((STANDARD.encode(sealed), recipient.to_string()))
    }

    /// Opens what was sealed for this purpose, under whichever key.
    pub fn unseal(
        &self,
        purpose: Purpose<'_>,
        sealed: &str,
    ) -> Result<SecretValue, SecretKeyError> {
        let closed = || SecretKeyError::Closed {
            secret: purpose.secret.to_owned(),
        };
        let sealed = STANDARD.decode(sealed).map_err(|_| closed())?;
        let keys = self.keys().ok_or_else(closed)?;
        let opened = keys
            .0
            .iter()
            .find_map(|key| age::decrypt(key, &sealed).ok());
        let opened = Zeroizing::new(opened.ok_or_else(closed)?);
        let Purpose { secret, id } = purpose;
        let frame = format!("{FRAME}\n{secret}\n{id}\n");
        let value = opened.strip_prefix(frame.as_bytes()).ok_or_else(closed)?;
        SecretValue::new(value.to_vec()).map_err(|_| closed())
    }

    /// Puts a new key in front of those there are, for good: whatever happens then, both open what they sealed.
    pub fn begin_change(&self) -> Result<(), SecretKeyError> {
        let mut keys = vec![Identity::generate()];
        keys.extend(self.keys().iter().flat_map(|keys| keys.0.clone()));
        let keys = Keys(keys);
        self.write(&keys)?;
        self.put(keys);
        Ok(())
    }

    /// Forgets all keys but the first. Nothing may be sealed under the others any more.
    pub fn end_change(&self) -> Result<(), SecretKeyError> {
        let Some(keys) = self.keys() else {
            return Ok(());
        };
        let first = Keys(keys.0.iter().take(1).cloned().collect());
        self.write(&first)?;
        self.put(first);
        Ok(())
    }

    fn keys(&self) -> Option<Arc<Keys>> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.clone()
    }

    fn put(&self, keys: Keys) -> Arc<Keys> {
        let keys = Arc::new(keys);
        let mut held = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(keys.clone());
        keys
    }

    /// Writes the file so that it outlives a power cut: what is sealed under it next must be readable then, too.
    fn write(&self, keys: &Keys) -> Result<(), SecretKeyError> {
        let text = keys.text();
        let content = match &self.passphrase {
            None => Zeroizing::new(text.as_bytes().to_vec()),
            Some(passphrase) => {
                let mut recipient = age::scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK);
                let locked = age::encrypt(&recipient, text.as_bytes());
                Zeroizing::new(locked.map_err(|error| SecretKeyError::Seal(error.to_string()))?)
            }
        };
        let folder = self.path.parent().unwrap_or(Path::new("."));
        replace(&self.path, content.as_slice())
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(failed(&self.path))
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> SecretKeyError {
    let path = path.to_owned();
    |error| SecretKeyError::File { path, error }
}

/// The file, kept to its owner; none where there is none.
fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, SecretKeyError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed(path))?,
    };
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed(path))?;
    let mut bytes = Zeroizing::new(Vec::new());
    let read = file.take(LONGEST_FILE).read_to_end(&mut bytes);
    read.map_err(failed(path))?;
    Ok(Some(bytes))
}

fn passphrase(path: &Path) -> Result<SecretString, SecretKeyError> {
    let wrong = |reason| SecretKeyError::Passphrase {
        path: path.to_owned(),
        reason,
    };
    let file = File::open(path).map_err(failed(path))?;
    let mut bytes = Zeroizing::new(Vec::new());
    let read = file.take(LONGEST_FILE).read_to_end(&mut bytes);
    read.map_err(failed(path))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("it is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.contains('\n') {
        return Err(wrong("it has more than one line"));
    }
    if text.trim().is_empty() {
        return Err(wrong("it is empty"));
    }
    Ok(SecretString::from(text.to_owned()))
}

fn unlocked(path: &Path, bytes: &[u8], passphrase: &SecretString) -> Result<Keys, SecretKeyError> {
    let path = path.to_owned();
    let mut identity = age::scrypt::Identity::new(passphrase.clone());
    identity.set_max_work_factor(MOST_WORK);
    let text = match age::decrypt(&identity, bytes) {
        Ok(text) => Zeroizing::new(text),
        Err(DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed) => {
            return Err(SecretKeyError::WrongPassphrase { path });
        }
        Err(_) => return Err(SecretKeyError::Damaged { path }),
    };
    let keys = std::str::from_utf8(&text).ok().and_then(Keys::parse);
    keys.ok_or(SecretKeyError::Damaged { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSE: Purpose<'static> = Purpose {
        secret: "db-password",
        id: "00ff",
    };

    fn value() -> SecretValue {
        SecretValue::new(b"hunter22".to_vec()).unwrap()
    }

    fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_key_is_made_with_the_first_use_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let key = SecretKey::open(folder.path(), None).unwrap();
        assert!(!key.path().exists() && key.public().is_none());
        let (sealed, public) = key.seal(PURPOSE, &value()).unwrap();
        assert_eq!(key.public().unwrap(), public);
        let mode = fs::metadata(key.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let again = SecretKey::open(folder.path(), None).unwrap();
        assert_eq!(again.unseal(PURPOSE, &sealed).unwrap(), value());
        assert!(!sealed.contains("hunter22"));
    }

    #[test]
    fn a_sealed_value_opens_for_what_it_was_sealed_for_only() {
        let folder = tempfile::tempdir().unwrap();
        let key = SecretKey::open(folder.path(), None).unwrap();
        let (sealed, _) = key.seal(PURPOSE, &value()).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let other = SecretKey::open(elsewhere.path(), None).unwrap();
        other.seal(PURPOSE, &value()).unwrap();
        assert!(other.unseal(PURPOSE, &sealed).is_err());
        for purpose in [
            Purpose {
                secret: "other",
                ..PURPOSE
            },
            Purpose {
                id: "00fe",
                ..PURPOSE
            },
        ] {
            assert!(key.unseal(purpose, &sealed).is_err());
        }
        for damaged in ["", "AAAA", "ü", &sealed[4..], &sealed[..sealed.len() - 8]] {
            assert!(key.unseal(PURPOSE, damaged).is_err(), "{damaged}");
        }
    }

    #[test]
    fn a_passphrase_keeps_the_key_and_a_wrong_one_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let right = written(folder.path(), "right", "correct horse\n");
        let wrong = written(folder.path(), "wrong", "battery staple");
        // It was there as it is, and is put under the passphrase.
        let open = SecretKey::open(folder.path(), None).unwrap();
        let (sealed, _) = open.seal(PURPOSE, &value()).unwrap();
        let key = SecretKey::open(folder.path(), Some(&right)).unwrap();
        assert_eq!(key.unseal(PURPOSE, &sealed).unwrap(), value());
        let bytes = fs::read(key.path()).unwrap();
        assert!(bytes.starts_with(AGE));
        let again = SecretKey::open(folder.path(), Some(&right)).unwrap();
        assert_eq!(again.unseal(PURPOSE, &sealed).unwrap(), value());
        assert!(matches!(
            SecretKey::open(folder.path(), None),
            Err(SecretKeyError::NoPassphrase { .. })
        ));
        assert!(matches!(
            SecretKey::open(folder.path(), Some(&wrong)),
            Err(SecretKeyError::WrongPassphrase { .. })
        ));
        assert_eq!(fs::read(again.path()).unwrap(), bytes, "nothing was lost");
    }

    #[test]
    fn what_is_no_passphrase_or_no_key_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "\n", "  \n", "a\nb\n"] {
            let file = written(folder.path(), "passphrase", text);
            assert!(
                matches!(
                    SecretKey::open(folder.path(), Some(&file)),
                    Err(SecretKeyError::Passphrase { .. })
                ),
                "{text:?}"
            );
        }
        for text in ["", "# nothing\n", "AGE-SECRET-KEY-1XYZ\n", "hello\n"] {
            written(folder.path(), KEY_FILE, text);
            assert!(
                matches!(
                    SecretKey::open(folder.path(), None),
                    Err(SecretKeyError::Damaged { .. })
                ),
                "{text:?}"
            );
            assert_eq!(
                fs::read_to_string(folder.path().join(KEY_FILE)).unwrap(),
                text
            );
        }
    }

    #[test]
    fn both_keys_open_while_one_takes_the_place_of_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let key = SecretKey::open(folder.path(), None).unwrap();
        let (before, old) = key.seal(PURPOSE, &value()).unwrap();
        key.begin_change().unwrap();
        // As after a crash.
        let key = SecretKey::open(folder.path(), None).unwrap();
        assert!(key.is_changing() && key.knows(&old));
        let (after, new) = key.seal(PURPOSE, &value()).unwrap();
        assert_ne!(old, new);
        assert_eq!(key.unseal(PURPOSE, &before).unwrap(), value());
        key.end_change().unwrap();
        let key = SecretKey::open(folder.path(), None).unwrap();
        assert!(!key.is_changing() && !key.knows(&old));
        assert_eq!(key.unseal(PURPOSE, &after).unwrap(), value());
        assert!(key.unseal(PURPOSE, &before).is_err());
    }
}
