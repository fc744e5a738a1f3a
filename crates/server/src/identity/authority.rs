//! The stack's own authority: a root whose key can be kept elsewhere, and what issues certificates day by day.
//!
//! `<data>/ca/root.pem` is for everybody; `root.key` beside it signs `issuing.pem`, and is not needed again until half of
//! that one's year is over. `issuing.pem` holds its key and its certificate, so that the two are never of different times.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{CertificateParams, Issuer, KeyPair, PublicKeyData};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::spiffe::TrustDomain;
use super::template::{self, Validity};
use crate::data_folder::replace;
use crate::entropy::Entropy;

const ROOT: &str = "root.pem";
const ROOT_KEY: &str = "root.key";
const ISSUING: &str = "issuing.pem";

/// No key or certificate of ours is longer, in bytes.
const LONGEST: u64 = 64 << 10;

/// Why the authority gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    #[error("{} is not what this stack's authority wrote: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("what issues certificates here has expired, and the root's key is kept elsewhere")]
    Expired,
    #[error("the root's key is not in {}", .0.display())]
    NoRootKey(PathBuf),
    #[error("{} is not the key of this stack's root", .0.display())]
    OtherKey(PathBuf),
    #[error("a certificate could not be made: {0}")]
    Made(#[from] rcgen::Error),
}

impl AuthorityError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        let text = match self {
            Self::Io { .. } => "make the data folder writable for this user",
            Self::Damaged { .. } => {
                "put it back from a backup; or move the folder `ca` away, and a new authority is made that everybody has to trust anew"
            }
            Self::Expired => "bring the key back for a moment: ergon ca renew --key FILE",
            Self::NoRootKey(_) => "it was exported; ergon ca show says what is here",
            Self::OtherKey(_) => "name the file that `ergon ca export-key` wrote",
            Self::Made(_) => {
                return "try again; if it stays so, it is a defect of Ergon".to_owned();
            }
        };
        text.to_owned()
    }
}

/// A certificate that was given.
#[derive(Clone, Debug)]
pub struct Issued {
    /// In hexadecimal digits.
    pub serial: String,
    pub validity: Validity,
    /// It, and what signed it.
    pub chain: Vec<CertificateDer<'static>>,
    /// The same, as PEM.
    pub pem: String,
}

/// What there is of the authority on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootState {
    /// The SHA-256 of the root's certificate, as other programs show it.
    pub fingerprint: String,
    pub root: Validity,
    pub issuing: Validity,
    /// Whether the root's key is here, too.
    pub has_root_key: bool,
}

/// The authority of one stack.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    stack: TrustDomain,
    entropy: Entropy,
    root: String,
    issuing: Mutex<Option<Arc<Issuing>>>,
}

/// What issues certificates, as it was read.
struct Issuing {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    validity: Validity,
    /// Which file it was.
    seen: Seen,
}

impl std::fmt::Debug for Issuing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issuing({:?})", self.validity)
    }
}

/// A file as it was when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    inode: u64,
    changed: (i64, i64),
}

impl Authority {
    /// The authority in a data folder; made where there is none.
    pub fn open(
        data: &Path,
        stack: TrustDomain,
        entropy: Entropy,
        now: i64,
    ) -> Result<Self, AuthorityError> {
        let folder = data.join("ca");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(failed("make", &folder))?;
        let mut authority = Self {
            folder,
            stack,
            entropy,
            root: String::new(),
            issuing: Mutex::new(None),
        };
        authority.root = authority.read_root(now)?;
        authority.issuing(now)?;
        Ok(authority)
    }

    /// The authority that is in a data folder already, whichever stack's it is.
    pub fn existing(data: &Path) -> Result<Self, AuthorityError> {
        let folder = data.join("ca");
        let path = folder.join(ROOT);
        let root = read(&path)?;
        let certificate = certificate(&path, &root)?;
        let certificate = parsed(&path, &certificate)?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.as_slice());
        let stack = match names {
            Some([GeneralName::URI(uri)]) => uri.strip_prefix("spiffe://"),
            _ => None,
        };
        let stack = stack.ok_or_else(|| AuthorityError::Damaged {
            path,
            reason: "it does not say whose it is".to_owned(),
        })?;
        Ok(Self {
            stack: TrustDomain::of(stack),
            folder,
            entropy: Entropy::system(),
            issuing: Mutex::new(None),
            root: root.clone(),
        })
    }

    pub fn trust_domain(&self) -> &TrustDomain {
        &self.stack
    }

    /// The root's certificate, which whoever trusts this stack is given.
    pub fn root_pem(&self) -> &str {
        &self.root
    }

    pub fn root(&self) -> Result<CertificateDer<'static>, AuthorityError> {
        let path = self.folder.join(ROOT);
        certificate(&path, &self.root)
    }

    /// What is here, and for how long it is good.
    pub fn state(&self, now: i64) -> Result<RootState, AuthorityError> {
        let root = self.root()?;
        Ok(RootState {
            fingerprint: fingerprint(&root),
            root: validity(&self.folder.join(ROOT), &root)?,
            issuing: self.issuing(now)?.validity,
            has_root_key: self.folder.join(ROOT_KEY).exists(),
        })
    }

    /// Signs what a certificate is to hold, for whoever has the other half of this key.
    pub fn issue(
        &self,
        seconds: i64,
        now: i64,
        params: impl FnOnce(&TrustDomain, Validity, rcgen::SerialNumber) -> CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<Issued, AuthorityError> {
        let issuing = self.issuing(now)?;
        if !issuing.validity.holds(now) {
            return Err(AuthorityError::Expired);
        }
        let validity = Validity::from_now(now, seconds).within(issuing.validity);
        let serial = template::serial(self.entropy.bytes());
        let params = params(&self.stack, validity, serial.clone());
        let certificate = params.signed_by(key, &issuing.issuer)?;
        Ok(Issued {
            serial: hex::encode(serial.to_bytes()),
            validity,
            pem: format!("{}{}", certificate.pem(), issuing.pem),
            chain: vec![certificate.into(), issuing.certificate.clone()],
        })
    }

    /// Moves the root's key to a file elsewhere. What issues certificates stays, and goes on for the rest of its year.
    pub fn export_root_key(&self, to: &Path) -> Result<(), AuthorityError> {
        let path = self.folder.join(ROOT_KEY);
        let key = match read(&path) {
            Err(AuthorityError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                return Err(AuthorityError::NoRootKey(self.folder.clone()));
            }
            read => read?,
        };
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)
            .map_err(failed("write", to))?;
        file.write_all(key.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failed("write", to))?;
        // Only what can be read again there may go here.
        if read(to)? != key {
            return Err(AuthorityError::Damaged {
                path: to.to_owned(),
                reason: "it reads other than it was written".to_owned(),
            });
        }
        fs::remove_file(&path).map_err(failed("remove", &path))
    }

    /// Makes anew what issues certificates, with the root's key from wherever it is kept. Says until when it is good, in
    /// seconds since 1970.
    pub fn renew(&self, key: &Path, now: i64) -> Result<i64, AuthorityError> {
        let pair = self.root_key(key)?;
        self.make_issuing(pair, now)?;
        Ok(self.issuing(now)?.validity.until)
    }

    /// What issues certificates: as the file says, made anew in time where the root's key is here.
    fn issuing(&self, now: i64) -> Result<Arc<Issuing>, AuthorityError> {
        let path = self.folder.join(ISSUING);
        let mut held = self.issuing.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen(&path)?;
        let current = match (&*held, seen) {
            (Some(held), Some(seen)) if held.seen == seen => Some(Arc::clone(held)),
            (_, Some(seen)) => Some(Arc::new(read_issuing(&path, seen)?)),
            (_, None) => None,
        };
        let is_due = current
            .as_ref()
            .is_none_or(|current| current.validity.is_half_over(now));
        let key = self.folder.join(ROOT_KEY);
        let current = match current {
            Some(current) if !is_due || !key.exists() => current,
            _ => {
                let pair = self.root_key(&key)?;
                self.make_issuing(pair, now)?;
                let seen = self::seen(&path)?;
                let seen = seen.ok_or(AuthorityError::Expired)?;
                Arc::new(read_issuing(&path, seen)?)
            }
        };
        *held = Some(Arc::clone(&current));
        Ok(current)
    }

    fn make_issuing(&self, root: KeyPair, now: i64) -> Result<(), AuthorityError> {
        let path = self.folder.join(ISSUING);
        let above = validity(&self.folder.join(ROOT), &self.root()?)?;
        let validity = Validity::from_now(now, template::ISSUING).within(above);
        let key = KeyPair::generate()?;
        let serial = template::serial(self.entropy.bytes());
        let params = template::issuing(&self.stack, validity, serial);
        let issuer = Issuer::from_ca_cert_pem(&self.root, root)?;
        let certificate = params.signed_by(&key, &issuer)?;
        let content = format!("{}{}", certificate.pem(), key.serialize_pem());
        replace(&path, content).map_err(failed("write", &path))
    }

    /// The root's certificate. Its key comes first: a certificate without a key could never be used.
    fn read_root(&self, now: i64) -> Result<String, AuthorityError> {
        let (path, key_path) = (self.folder.join(ROOT), self.folder.join(ROOT_KEY));
        match read(&path) {
            Err(AuthorityError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            read => {
                let pem = read?;
                certificate(&path, &pem)?;
                return Ok(pem);
            }
        }
        let key = match read(&key_path) {
            Ok(pem) => key_pair(&key_path, &pem)?,
            Err(AuthorityError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                // There was a root, and its key is elsewhere: another in its place would be trusted by nobody.
                if self.folder.join(ISSUING).exists() {
                    return Err(AuthorityError::Damaged {
                        path,
                        reason: "it is missing, and what it signed is there".to_owned(),
                    });
                }
                let key = KeyPair::generate()?;
                replace(&key_path, key.serialize_pem()).map_err(failed("write", &key_path))?;
                key
            }
            Err(error) => return Err(error),
        };
        let validity = Validity::from_now(now, template::ROOT);
        let serial = template::serial(self.entropy.bytes());
        let pem = template::root(&self.stack, validity, serial)
            .self_signed(&key)?
            .pem();
        replace(&path, &pem).map_err(failed("write", &path))?;
        Ok(pem)
    }

    /// The root's key from a file, if it is that.
    fn root_key(&self, path: &Path) -> Result<KeyPair, AuthorityError> {
        let pair = key_pair(path, &read(path)?)?;
        let root = self.root()?;
        let root = parsed(&self.folder.join(ROOT), &root)?;
        let public = &root.public_key().subject_public_key.data;
        if public.as_ref() == pair.public_key_raw() {
            Ok(pair)
        } else {
            Err(AuthorityError::OtherKey(path.to_owned()))
        }
    }
}

/// What issues certificates, from its file.
fn read_issuing(path: &Path, seen: Seen) -> Result<Issuing, AuthorityError> {
    let content = read(path)?;
    // A key that others could read would be everybody's.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(failed("protect", path))?;
    let key = key_pair(path, &content)?;
    let certificate = certificate(path, &content)?;
    let read = parsed(path, &certificate)?;
    if read.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
        return Err(AuthorityError::Damaged {
            path: path.to_owned(),
            reason: "its key is another's".to_owned(),
        });
    }
    let end = "-----END CERTIFICATE-----";
    let pem = content.split_inclusive(end).next().unwrap_or_default();
    Ok(Issuing {
        validity: validity(path, &certificate)?,
        issuer: Issuer::from_ca_cert_der(&certificate, key).map_err(damaged(path))?,
        pem: format!("{pem}\n"),
        certificate,
        seen,
    })
}

fn seen(path: &Path) -> Result<Option<Seen>, AuthorityError> {
    match fs::metadata(path) {
        Ok(file) => Ok(Some(Seen {
            inode: file.ino(),
            changed: (file.mtime(), file.mtime_nsec()),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

fn read(path: &Path) -> Result<String, AuthorityError> {
    let length = fs::metadata(path).map_err(failed("read", path))?.len();
    if length > LONGEST {
        return Err(AuthorityError::Damaged {
            path: path.to_owned(),
            reason: format!("it has more than {LONGEST} bytes"),
        });
    }
    fs::read_to_string(path).map_err(failed("read", path))
}

/// The key in a file, whatever else is in it.
fn key_pair(path: &Path, pem: &str) -> Result<KeyPair, AuthorityError> {
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(damaged(path))?;
    KeyPair::try_from(&key).map_err(damaged(path))
}

fn certificate(path: &Path, pem: &str) -> Result<CertificateDer<'static>, AuthorityError> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(damaged(path))
}

fn parsed<'a>(
    path: &Path,
    certificate: &'a CertificateDer<'_>,
) -> Result<X509Certificate<'a>, AuthorityError> {
    X509Certificate::from_der(certificate)
        .map(|(_, certificate)| certificate)
        .map_err(damaged(path))
}

fn validity(path: &Path, certificate: &CertificateDer<'_>) -> Result<Validity, AuthorityError> {
    let certificate = parsed(path, certificate)?;
    Ok(Validity {
        from: certificate.validity().not_before.timestamp(),
        until: certificate.validity().not_after.timestamp(),
    })
}

/// `AB:CD:…`
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = Sha256::digest(certificate);
    let bytes: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AuthorityError {
    move |error| AuthorityError::Io {
        action,
        path: path.to_owned(),
        error,
    }
}

fn damaged<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> AuthorityError {
    move |error| AuthorityError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const DAY: i64 = 24 * 60 * 60;

    fn open(data: &Path, now: i64) -> Result<Authority, AuthorityError> {
        Authority::open(data, TrustDomain::of("bcdf"), Entropy::system(), now)
    }

    fn issue(authority: &Authority, now: i64) -> Result<Issued, AuthorityError> {
        let key = KeyPair::generate().unwrap();
        let params =
            |stack: &TrustDomain, validity, serial| template::stack(stack, &[], validity, serial);
        authority.issue(template::STACK, now, params, &key)
    }

    #[test]
    fn an_authority_is_made_once_and_its_keys_are_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path(), NOW).unwrap();
        let again = open(folder.path(), NOW + DAY).unwrap();
        assert_eq!(first.root_pem(), again.root_pem());
        let state = again.state(NOW + DAY).unwrap();
        assert!(state.has_root_key);
        assert_eq!(state.root.until, NOW + 3650 * DAY);
        assert_eq!(state.issuing.until, NOW + 365 * DAY);
        let mode = |name: &str| {
            let path = folder.path().join("ca").join(name);
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        };
        for name in [ROOT_KEY, ISSUING] {
            assert_eq!(mode(name), 0o600, "{name}");
        }
        assert_eq!(mode(""), 0o700);
    }

    #[test]
    fn what_issues_is_made_anew_at_half_time_while_the_key_is_here() {
        let folder = tempfile::tempdir().unwrap();
        let authority = open(folder.path(), NOW).unwrap();
        let before = issue(&authority, NOW).unwrap();
        assert_eq!(before.validity.until, NOW + DAY);
        let later = NOW + 200 * DAY;
        let after = issue(&authority, later).unwrap();
        assert_ne!(before.chain[1], after.chain[1]);
        assert_ne!(before.serial, after.serial);
        assert_eq!(
            authority.state(later).unwrap().issuing.until,
            later + 365 * DAY
        );
    }

    #[test]
    fn with_its_key_elsewhere_it_goes_on_until_what_issues_expires() {
        let folder = tempfile::tempdir().unwrap();
        let authority = open(folder.path(), NOW).unwrap();
        let kept = folder.path().join("kept.key");
        authority.export_root_key(&kept).unwrap();
        let mode = fs::metadata(&kept).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert!(!folder.path().join("ca/root.key").exists());
        assert!(matches!(
            authority.export_root_key(&folder.path().join("other.key")),
            Err(AuthorityError::NoRootKey(_))
        ));
        // A day before its end it still gives what lasts no longer than itself.
        let last = issue(&authority, NOW + 365 * DAY - 60).unwrap();
        assert_eq!(last.validity.until, NOW + 365 * DAY);
        let later = NOW + 366 * DAY;
        assert!(matches!(
            issue(&authority, later),
            Err(AuthorityError::Expired)
        ));
        // Brought back for a moment, it makes another, which this one finds by itself.
        let other = Authority::existing(folder.path()).unwrap();
        other.renew(&kept, later).unwrap();
        assert_eq!(
            issue(&authority, later).unwrap().validity.until,
            later + DAY
        );
        assert_eq!(
            open(folder.path(), later).unwrap().root_pem(),
            authority.root_pem()
        );
    }

    #[test]
    fn a_key_is_never_written_over_anything_and_never_taken_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let authority = open(folder.path(), NOW).unwrap();
        let there = folder.path().join("there");
        fs::write(&there, "mine").unwrap();
        assert!(authority.export_root_key(&there).is_err());
        assert_eq!(fs::read(&there).unwrap(), b"mine");
        assert!(folder.path().join("ca/root.key").exists());
        fs::write(&there, KeyPair::generate().unwrap().serialize_pem()).unwrap();
        assert!(matches!(
            authority.renew(&there, NOW),
            Err(AuthorityError::OtherKey(_))
        ));
        fs::write(&there, "no key").unwrap();
        assert!(matches!(
            authority.renew(&there, NOW),
            Err(AuthorityError::Damaged { .. })
        ));
    }

    #[test]
    fn what_was_damaged_is_said_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path(), NOW).unwrap());
        for name in [ROOT, ISSUING] {
            let path = folder.path().join("ca").join(name);
            let good = fs::read(&path).unwrap();
            fs::write(&path, "nothing").unwrap();
            let error = open(folder.path(), NOW).unwrap_err();
            assert!(
                matches!(error, AuthorityError::Damaged { .. }),
                "{name}: {error}"
            );
            assert_eq!(fs::read(&path).unwrap(), b"nothing", "{name}");
            fs::write(&path, good).unwrap();
        }
        open(folder.path(), NOW).unwrap();
    }

    #[test]
    fn a_root_whose_certificate_was_not_written_any_more_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path(), NOW).unwrap());
        let ca = folder.path().join("ca");
        fs::remove_file(ca.join(ROOT)).unwrap();
        fs::remove_file(ca.join(ISSUING)).unwrap();
        let authority = open(folder.path(), NOW).unwrap();
        issue(&authority, NOW).unwrap();
    }
}
