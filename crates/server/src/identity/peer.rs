//! Who is at the other end of a connection, by the certificate they showed.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::spiffe::{Identity, TrustDomain};

/// A companion's certificate, as far as it matters once the handshake has checked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The companion's name, in small letters.
    pub name: String,
    /// In hexadecimal digits.
    pub serial: String,
    /// Seconds since 1970.
    pub not_after: i64,
}

impl PeerCertificate {
    /// What a certificate says of its holder. Whether its signer is to be believed is the handshake's question.
    pub fn read(
        certificate: &CertificateDer<'_>,
        stack: &TrustDomain,
    ) -> Result<Self, CertificateError> {
        let (rest, certificate) =
            X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
        if !rest.is_empty() {
            return Err(CertificateError::BadEncoding);
        }
        let extension = |_| CertificateError::BadEncoding;
        let constraints = certificate.basic_constraints().map_err(extension)?;
        if constraints.is_some_and(|constraints| constraints.value.ca) {
            return Err(CertificateError::InvalidPurpose);
        }
        let usage = certificate.extended_key_usage().map_err(extension)?;
        // Where it is not said what a certificate is for, it is not for this.
        if !usage.is_some_and(|usage| usage.value.client_auth) {
            return Err(CertificateError::InvalidPurpose);
        }
        let names = certificate.subject_alternative_name().map_err(extension)?;
        let names = names.map(|names| names.value.general_names.as_slice());
        // SPIFFE: one URI, and that is who it is.
        let Some([GeneralName::URI(uri)]) = names else {
            return Err(CertificateError::NotValidForName);
        };
        let Ok(Identity::Companion(name)) = stack.read(uri) else {
            return Err(CertificateError::NotValidForName);
        };
        Ok(Self {
            name,
            serial: hex::encode(certificate.raw_serial()),
            not_after: certificate.validity().not_after.timestamp(),
        })
    }
}

/// The serial numbers that are refused although their certificates have not expired, and when those do. Seconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct Refused(Arc<RwLock<BTreeMap<String, i64>>>);

impl Refused {
    pub fn has(&self, serial: &str) -> bool {
        let refused = self.0.read().unwrap_or_else(PoisonError::into_inner);
        refused.contains_key(serial)
    }

    /// Refuses more of them, and forgets those that have expired.
    pub fn add(&self, serials: impl IntoIterator<Item = (String, i64)>, now: i64) {
        let mut refused = self.0.write().unwrap_or_else(PoisonError::into_inner);
        refused.extend(serials);
        refused.retain(|_, expires_at| *expires_at > now);
    }
}

/// Looks at the certificates that clients show: of this stack's authority, of a companion, and not refused. Whoever
/// shows none is let in, and is nobody until they show something else.
#[derive(Debug)]
pub struct Verifier {
    chains: Arc<dyn ClientCertVerifier>,
    stack: TrustDomain,
    refused: Refused,
}

impl Verifier {
    pub fn new(
        root: CertificateDer<'static>,
        stack: TrustDomain,
        refused: Refused,
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(root)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chains = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .allow_unauthenticated()
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(Self {
            chains,
            stack,
            refused,
        })
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .chains
            .verify_client_cert(end_entity, intermediates, now)?;
        let peer = PeerCertificate::read(end_entity, &self.stack)?;
        if self.refused.has(&peer.serial) {
            return Err(CertificateError::Revoked.into());
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}
