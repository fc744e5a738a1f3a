//! What a server shows of itself before anybody says who they are: its certificate.

use std::io;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{self, CryptoProvider};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::observation::Certificate;

/// More names than this are not told.
const MOST_NAMES: usize = 16;
/// No name is longer.
const LONGEST_NAME: usize = 253;

/// Begins to speak TLS, with whomever that is: nothing is told to them, and nothing they say is believed.
pub(super) async fn secured<S>(stream: S) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    static CONFIGURATION: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    let configuration = CONFIGURATION.get_or_init(configuration).clone();
    let configuration = configuration.ok_or_else(|| io::Error::other("no TLS"))?;
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    TlsConnector::from(configuration)
        .connect(name, stream)
        .await
}

/// The certificate that the other side showed.
pub(super) fn certificate<S>(stream: &TlsStream<S>, port: u16) -> Option<Certificate> {
    let (_, connection) = stream.get_ref();
    let shown = connection.peer_certificates()?.first()?;
    read(shown, port)
}

fn read(shown: &[u8], port: u16) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(shown).ok()?;
    let time = |time: &x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    let names: Vec<String> = certificate
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|extension| extension.value.general_names.as_slice())
        .unwrap_or_default()
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(harmless(name)),
            _ => None,
        })
        .take(MOST_NAMES)
        .collect();
    let common = certificate
        .subject()
        .iter_common_name()
        .find_map(|name| name.as_str().ok())
        .map(harmless)
        .filter(|name| !name.is_empty());
    Some(Certificate {
        port,
        subject: common
            .or_else(|| names.first().cloned())
            .unwrap_or_else(|| "nobody".to_owned()),
        names,
        not_before: time(&certificate.validity().not_before)?,
        not_after: time(&certificate.validity().not_after)?,
    })
}

/// Anybody can write anything into a certificate of their own.
fn harmless(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_NAME)
        .collect()
}

fn configuration() -> Option<Arc<ClientConfig>> {
    let provider = Arc::new(crypto::ring::default_provider());
    let anybody = Arc::new(Anybody(Arc::clone(&provider)));
    // It is only looked at what a service shows; nothing is said to it that matters.
    // nosemgrep: dev.semgrep.certificates-are-checked
    let configuration = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(anybody)
        .with_no_client_auth();
    Some(Arc::new(configuration))
}

/// Takes every certificate: it is looked at, not trusted.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
