//! The stack's key: what signs what it says of images.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes,
};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use ergon_manifest::Digest;

/// The private half in the data folder: PKCS#8, PEM, for its owner alone.
pub const KEY_FILE: &str = "signing.key";
/// The public half beside it: SPKI, PEM.
pub const PUBLIC_FILE: &str = "signing.pub";

/// No key is longer.
const LONGEST: u64 = 64 << 10;

/// Why there is no key to sign or to check with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    #[error("{} is no ed25519 key: {reason}", path.display())]
    NotAKey { path: PathBuf, reason: String },
}

impl KeyError {
    /// What a person can do.
    pub fn remedy(&self) -> String {
        match self {
            Self::Io { path, .. } if path.ends_with(PUBLIC_FILE) || path.ends_with(KEY_FILE) => {
                "make the data folder writable, or name another with ERGON_DATA".to_owned()
            }
            Self::Io { .. } => "name a file that can be read".to_owned(),
            Self::NotAKey { path, .. } if path.ends_with(KEY_FILE) => {
                "put the key back from a backup; without one, move the file away, and a new key is made"
                    .to_owned()
            }
            Self::NotAKey { .. } => {
                format!("name a public key as {PUBLIC_FILE} holds one: ed25519, SPKI, PEM")
            }
        }
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    move |error| KeyError::Io {
        action,
        path: path.to_owned(),
        error,
    }
}

/// The key of one stack, with its private half.
#[derive(Clone)]
pub struct StackKey {
    key: SigningKey,
    public: PublicKey,
}

impl std::fmt::Debug for StackKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StackKey({})", self.public.id)
    }
}

impl StackKey {
    /// The key in a data folder; made, with the folder, where there is none.
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(KEY_FILE);
        let key = match read(&path) {
            Ok(text) => decode(&text, &path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(folder, &path)?,
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let key = Self::from_key(key, &path)?;
        // Nobody else's eyes, whoever put it there.
        let _ = fs::set_permissions(&path, fs::Permissions::from_mode(0o600));
        key.write_public(folder)?;
        Ok(key)
    }

    fn from_key(key: SigningKey, path: &Path) -> Result<Self, KeyError> {
        let public = PublicKey::new(key.verifying_key(), path)?;
        Ok(Self { key, public })
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The 32 bytes of the private half, for what signs in a form of its own.
    pub fn secret_bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// The 32 bytes of the public half.
    pub fn public_bytes(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// The 64 bytes of a signature over `message`: the same for the same message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// The public half, for those who check; what stands there already is left alone.
    fn write_public(&self, folder: &Path) -> Result<(), KeyError> {
        let path = folder.join(PUBLIC_FILE);
        if read(&path).is_ok_and(|text| text == self.public.pem) {
            return Ok(());
        }
        crate::cache::write_atomically(&path, self.public.pem.as_bytes())
            .map_err(failed("write", &path))
    }
}

fn read(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    io::read_to_string(io::Read::take(file, LONGEST))
}

fn decode(text: &str, path: &Path) -> Result<SigningKey, KeyError> {
    SigningKey::from_pkcs8_pem(text).map_err(|error| KeyError::NotAKey {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// Makes a key. Of two who make one at once, one is kept, and both have it.
fn make(folder: &Path, path: &Path) -> Result<SigningKey, KeyError> {
    use rand::Rng as _;

    let mut secret_key = [0; 32];
    rand::rng().fill_bytes(&mut secret_key);
    // Without the public half in it: not every OpenSSL reads the form that has both.
    let pair = KeypairBytes {
        secret_key,
        public_key: None,
    };
    let text = pair
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| KeyError::NotAKey {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed("make", folder))?;
    // Temporary files are readable by their owner alone.
    let write = || -> io::Result<bool> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Ok(_) => File::open(folder)?.sync_all().map(|()| true),
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(failed) => Err(failed.error),
        }
    };
    if write().map_err(failed("write", path))? {
        Ok(SigningKey::from_bytes(&secret_key))
    } else {
        decode(&read(path).map_err(failed("read", path))?, path)
    }
}

/// The public half of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    id: Digest,
    pem: String,
}

impl PublicKey {
    fn new(key: VerifyingKey, path: &Path) -> Result<Self, KeyError> {
        let wrong = |reason: String| KeyError::NotAKey {
            path: path.to_owned(),
            reason,
        };
        let der = key
            .to_public_key_der()
            .map_err(|error| wrong(error.to_string()))?;
        let pem = key
            .to_public_key_pem(LineEnding::LF)
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            key,
            id: Digest::of(der.as_bytes()),
            pem,
        })
    }

    /// The key in a PEM file.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = read(path).map_err(failed("read", path))?;
        let key = VerifyingKey::from_public_key_pem(&text).map_err(|error| KeyError::NotAKey {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Self::new(key, path)
    }

    /// The SHA-256 of its SPKI in DER, the name that signatures give it.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// As `signing.pub` holds it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Whether the signature over `message` is this key's. Weak keys and second forms are refused.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let key = StackKey::open(&data).unwrap();
        let again = StackKey::open(&data).unwrap();
        assert_eq!(key.public(), again.public());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data.join(KEY_FILE)), 0o600);
        assert_eq!(mode(&data), 0o700);
        let public = PublicKey::read(&data.join(PUBLIC_FILE)).unwrap();
        let signature = key.sign(b"message");
        assert!(public.verifies(b"message", &signature));
        assert!(!public.verifies(b"messagE", &signature));
        assert!(!public.verifies(b"message", &signature[1..]));
        let other = StackKey::open(&folder.path().join("other")).unwrap();
        assert!(!other.public().verifies(b"message", &signature));
    }

    #[test]
    fn those_who_make_a_key_at_once_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let ids: Vec<Digest> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| StackKey::open(folder.path()).unwrap().public().id()))
                .collect();
            makers
                .into_iter()
                .map(|maker| maker.join().unwrap())
                .collect()
        });
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn a_file_that_holds_no_key_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        fs::write(&path, "").unwrap();
        let error = StackKey::open(folder.path()).unwrap_err();
        assert!(matches!(error, KeyError::NotAKey { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}
