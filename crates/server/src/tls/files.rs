//! A certificate in files, read again when they change.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// No certificate or key is longer, in bytes.
const LONGEST: u64 = 1 << 20;

/// Why a certificate in files is not shown.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFileError {
    #[error("{} cannot be read: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{} holds no certificate (X.509, PEM)", .0.display())]
    NoCertificate(PathBuf),
    #[error("{} holds no private key (PEM)", .0.display())]
    NoKey(PathBuf),
    #[error("the key in {} is not that of the certificate in {}", key.display(), certificate.display())]
    Mismatch { certificate: PathBuf, key: PathBuf },
}

impl CertificateFileError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Read { .. } => "make it readable for the user the stack runs as",
            Self::NoCertificate(_) => {
                "name the file with the certificate and those that signed it: --tls-certificate fullchain.pem"
            }
            Self::NoKey(_) => "name the file with the key, without a passphrase: --tls-key privkey.pem",
            Self::Mismatch { .. } => "name the key that the certificate was asked for with",
        }
        .to_owned()
    }
}

/// A certificate in files.
#[derive(Debug)]
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    shown: Arc<Shown>,
    /// The files as they were when they were last looked at, for better or worse.
    seen: Seen,
}

/// What is shown, and for whom.
#[derive(Debug)]
pub struct Shown {
    pub key: Arc<CertifiedKey>,
    names: Vec<String>,
    addresses: Vec<IpAddr>,
}

type Seen = [(u64, u64, i64, i64); 2];

impl Files {
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, CertificateFileError> {
        let seen = seen(certificate, key)?;
        let shown = read(certificate, key)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current: Mutex::new(Current {
                shown: Arc::new(shown),
                seen,
            }),
        })
    }

    /// What the files hold now. Where they hold nothing good, as between the writing of one and of the other, it is
    /// what they held before.
    pub fn shown(&self) -> Arc<Shown> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let looked = seen(&self.certificate, &self.key);
        let seen = match looked {
            Ok(seen) if seen != current.seen => seen,
            _ => return Arc::clone(&current.shown),
        };
        current.seen = seen;
        match read(&self.certificate, &self.key) {
            Ok(shown) => {
                tracing::info!(file = %self.certificate.display(), "the certificate was read again");
                current.shown = Arc::new(shown);
            }
            Err(error) => {
                tracing::warn!(%error, "the certificate from before is shown until its files are good");
            }
        }
        Arc::clone(&current.shown)
    }
}

impl Shown {
    /// Whether it is for this name or address.
    pub fn covers(&self, host: &str) -> bool {
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.addresses.contains(&address);
        }
        let host = host.to_ascii_lowercase();
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            // It stands for one label.
            Some(rest) => host.split_once('.').is_some_and(|(_, under)| under == rest),
            None => *name == host,
        })
    }

    /// Whether it is for any address.
    pub fn covers_addresses(&self) -> bool {
        !self.addresses.is_empty()
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Shown, CertificateFileError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes(certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|_| CertificateFileError::NoCertificate(certificate.to_owned()))?;
    let private = PrivateKeyDer::from_pem_slice(&bytes(key)?)
        .map_err(|_| CertificateFileError::NoKey(key.to_owned()))?;
    let first = chain
        .first()
        .ok_or_else(|| CertificateFileError::NoCertificate(certificate.to_owned()))?;
    let (names, addresses) =
        names(first).ok_or_else(|| CertificateFileError::NoCertificate(certificate.to_owned()))?;
    let provider = rustls::crypto::ring::default_provider();
    let certified =
        CertifiedKey::from_der(chain, private, &provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => CertificateFileError::Mismatch {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            },
            _ => CertificateFileError::NoKey(key.to_owned()),
        })?;
    Ok(Shown {
        key: Arc::new(certified),
        names,
        addresses,
    })
}

/// For which names and addresses a certificate is.
fn names(certificate: &CertificateDer<'_>) -> Option<(Vec<String>, Vec<IpAddr>)> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let (mut names, mut addresses) = (Vec::new(), Vec::new());
    if let Some(alternatives) = certificate.subject_alternative_name().ok()? {
        for name in &alternatives.value.general_names {
            match name {
                GeneralName::DNSName(name) => names.push(name.to_ascii_lowercase()),
                GeneralName::IPAddress(bytes) => addresses.extend(address(bytes)),
                _ => {}
            }
        }
    }
    Some((names, addresses))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

fn bytes(path: &Path) -> Result<Vec<u8>, CertificateFileError> {
    let failed = |error| CertificateFileError::Read {
        path: path.to_owned(),
        error,
    };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > LONGEST {
        return Err(failed(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is too long for what it should hold",
        )));
    }
    fs::read(path).map_err(failed)
}

/// What shows that a file is another one, or was written to.
fn seen(certificate: &Path, key: &Path) -> Result<Seen, CertificateFileError> {
    let look = |path: &Path| {
        let file = fs::metadata(path).map_err(|error| CertificateFileError::Read {
            path: path.to_owned(),
            error,
        })?;
        Ok((file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
    };
    Ok([look(certificate)?, look(key)?])
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn write(folder: &Path, names: &[&str]) -> (PathBuf, PathBuf) {
        let (certificate, key) = pair(names);
        let paths = (folder.join("fullchain.pem"), folder.join("privkey.pem"));
        // As programs that renew certificates do it: another file in the place of the old one.
        crate::data_folder::replace(&paths.0, certificate).unwrap();
        crate::data_folder::replace(&paths.1, key).unwrap();
        paths
    }

    fn pair(names: &[&str]) -> (String, String) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn a_certificate_is_for_its_names_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "registry.example.com",
            "*.apps.example.com",
            "10.0.0.7",
            "fd00::7",
        ];
        let (certificate, key) = write(folder.path(), &names);
        let shown = Files::open(&certificate, &key).unwrap().shown();
        for host in [
            "registry.example.com",
            "Registry.Example.COM",
            "a.apps.example.com",
            "10.0.0.7",
            "fd00::7",
        ] {
            assert!(shown.covers(host), "{host}");
        }
        for host in [
            "example.com",
            "apps.example.com",
            "a.b.apps.example.com",
            "10.0.0.8",
            "localhost",
            "",
        ] {
            assert!(!shown.covers(host), "{host}");
        }
    }

    #[test]
    fn other_files_are_read_and_bad_ones_are_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = write(folder.path(), &["one.example"]);
        let files = Files::open(&certificate, &key).unwrap();
        assert!(files.shown().covers("one.example"));
        // The certificate is there, and its key not yet.
        let (other, other_key) = pair(&["two.example"]);
        crate::data_folder::replace(&certificate, other).unwrap();
        assert!(files.shown().covers("one.example"));
        crate::data_folder::replace(&key, other_key).unwrap();
        assert!(files.shown().covers("two.example"));
        fs::remove_file(&certificate).unwrap();
        assert!(files.shown().covers("two.example"));
        crate::data_folder::replace(&certificate, "nothing").unwrap();
        assert!(files.shown().covers("two.example"));
        write(folder.path(), &["three.example"]);
        assert!(files.shown().covers("three.example"));
    }

    #[test]
    fn files_that_cannot_be_shown_are_said_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = write(folder.path(), &["one.example"]);
        let missing = folder.path().join("missing");
        let error = |certificate: &Path, key: &Path| Files::open(certificate, key).unwrap_err();
        assert!(matches!(
            error(&missing, &key),
            CertificateFileError::Read { .. }
        ));
        assert!(matches!(
            error(&key, &key),
            CertificateFileError::NoCertificate(_)
        ));
        assert!(matches!(
            error(&certificate, &certificate),
            CertificateFileError::NoKey(_)
        ));
        let other = folder.path().join("other.pem");
        fs::write(&other, pair(&["one.example"]).1).unwrap();
        assert!(matches!(
            error(&certificate, &other),
            CertificateFileError::Mismatch { .. }
        ));
    }
}
