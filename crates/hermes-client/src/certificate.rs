//! What a companion shows instead of a token: a certificate of the stack's authority, and its key.

use std::fmt;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::time::Instant;

use crate::error::Error;

/// A certificate of the stack's authority, good for an hour, and its key. It is renewed by itself.
#[derive(Clone)]
pub struct Certificate {
    chain: String,
    key: String,
    serial: String,
    due: Instant,
}

/// A key, and what asks for a certificate for it.
pub(crate) struct Wanted {
    key: KeyPair,
    pub request: String,
}

impl Wanted {
    pub fn new() -> Result<Self, Error> {
        let failed = |error: rcgen::Error| Error::Key(error.to_string());
        let key = KeyPair::generate().map_err(failed)?;
        let request = CertificateParams::default()
            .serialize_request(&key)
            .and_then(|request| request.pem())
            .map_err(failed)?;
        Ok(Self { key, request })
    }

    /// The certificate that the stack answered with, if it did.
    pub fn given(self, answer: &Value, now: Instant) -> Option<Certificate> {
        let seconds = answer["renew_in"].as_u64()?;
        Some(Certificate {
            chain: answer["certificate"].as_str()?.to_owned(),
            key: self.key.serialize_pem(),
            serial: answer["serial"].as_str()?.to_owned(),
            due: now + Duration::from_secs(seconds.clamp(1, 24 * 60 * 60)),
        })
    }
}

impl Certificate {
    /// The certificate, and what signed it: PEM.
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// Its key: PEM. Nobody else is to see it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its serial number, in hexadecimal digits.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Whether it is time for another.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// As TLS has it.
    pub(crate) fn read(
        &self,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), rustls::pki_types::pem::Error>
    {
        let chain =
            CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect::<Result<_, _>>()?;
        Ok((chain, PrivateKeyDer::from_pem_slice(self.key.as_bytes())?))
    }
}

/// The key is nobody's to see.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.serial)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_certificate_is_due_when_the_stack_said_and_never_shows_its_key() {
        let now = Instant::now();
        let answer = json!({ "certificate": "pem", "serial": "4f", "renew_in": 1620 });
        let given = Wanted::new().unwrap().given(&answer, now).unwrap();
        assert!(!given.is_due(now + Duration::from_secs(1619)));
        assert!(given.is_due(now + Duration::from_mins(27)));
        assert_eq!(format!("{given:?}"), "Certificate(4f)");
        assert!(given.key().contains("PRIVATE KEY"));
        for wrong in [
            json!({}),
            json!({ "certificate": 1, "serial": "4f", "renew_in": 1 }),
        ] {
            assert!(
                Wanted::new().unwrap().given(&wrong, now).is_none(),
                "{wrong}"
            );
        }
    }
}
