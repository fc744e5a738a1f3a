//! Which certificate the stack shows to whom.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::TlsError;
use super::files::Files;
use crate::identity::{Certificates, Issued, ServedName, Validity};

/// What the stack's own authority gives it, made anew in time.
#[derive(Debug)]
pub struct Own {
    certificates: Certificates,
    names: Vec<ServedName>,
    current: Mutex<(Arc<CertifiedKey>, Validity)>,
}

impl Own {
    pub fn new(certificates: Certificates, names: Vec<ServedName>) -> Result<Self, TlsError> {
        let (shown, issued) = make(&certificates, &names)?;
        let validity = issued.validity;
        remember(&certificates, issued);
        Ok(Self {
            certificates,
            names,
            current: Mutex::new((shown, validity)),
        })
    }

    /// What is shown now. It is asked for with each handshake, so that neither a machine that slept nor a clock that was
    /// set makes it show what has expired.
    fn shown(&self) -> Arc<CertifiedKey> {
        let now = ergon_store::now() / 1000;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.1.is_half_over(now) {
            match make(&self.certificates, &self.names) {
                Ok((shown, issued)) => {
                    *current = (shown, issued.validity);
                    remember(&self.certificates, issued);
                }
                Err(error) => {
                    tracing::error!(%error, remedy = error.remedy(), "the stack's certificate is not renewed");
                }
            }
        }
        Arc::clone(&current.0)
    }
}

fn make(
    certificates: &Certificates,
    names: &[ServedName],
) -> Result<(Arc<CertifiedKey>, Issued), TlsError> {
    let (issued, key) = certificates.for_stack(names)?;
    let provider = rustls::crypto::ring::default_provider();
    let certified = CertifiedKey::from_der(issued.chain.clone(), key, &provider)?;
    Ok((Arc::new(certified), issued))
}

/// Nobody waits for it to be written down.
fn remember(certificates: &Certificates, issued: Issued) {
    let certificates = certificates.clone();
    tokio::spawn(async move { certificates.remember_own(issued).await });
}

/// Which certificate is shown to whom: that of the files for the names it is for, else the stack's own. So programs of
/// this machine, which ask for localhost, always find one that they can check.
#[derive(Debug)]
pub struct Served {
    own: Own,
    files: Option<Files>,
    listening: IpAddr,
}

impl Served {
    pub fn new(own: Own, files: Option<Files>, listening: IpAddr) -> Self {
        Self {
            own,
            files,
            listening,
        }
    }

    pub fn has_files(&self) -> bool {
        self.files.is_some()
    }

    pub fn is_vouched_for(&self, host: &str) -> bool {
        self.files
            .as_ref()
            .is_some_and(|files| files.shown().covers(host))
    }

    /// What is shown to whoever asks for a name, or for none, as is done for addresses.
    fn shown(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        let Some(files) = &self.files else {
            return self.own.shown();
        };
        let shown = files.shown();
        let is_for = match name {
            Some("localhost") => shown.covers("localhost"),
            // For other names there is nothing better.
            Some(_) => true,
            None if self.listening.is_unspecified() => shown.covers_addresses(),
            None => shown.covers(&self.listening.to_string()),
        };
        if is_for {
            Arc::clone(&shown.key)
        } else {
            self.own.shown()
        }
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown(hello.server_name()))
    }
}
