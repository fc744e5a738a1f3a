//! A connection that nobody reads along, to a stack that somebody vouches for.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate::Certificate;
use crate::error::Error;

/// The one authority to trust, from PEM.
pub(crate) fn roots(pem: &str) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| Error::Authority(error.to_string()))?;
        let added = roots.add(certificate);
        added.map_err(|error| Error::Authority(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(Error::Authority("it holds none".to_owned()));
    }
    Ok(roots)
}

/// Shakes hands over a connection, and shows a certificate where there is one.
pub(crate) async fn shake(
    stream: TcpStream,
    authority: &str,
    roots: RootCertStore,
    shown: Option<&Certificate>,
) -> Result<TlsStream<TcpStream>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let mut config = match shown {
        Some(shown) => {
            let (chain, key) = shown.read().map_err(|error| error.to_string())?;
            config
                .with_client_auth_cert(chain, key)
                .map_err(|error| error.to_string())?
        }
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name =
        ServerName::try_from(host(authority).to_owned()).map_err(|error| error.to_string())?;
    let connector = TlsConnector::from(Arc::new(config));
    connector
        .connect(name, stream)
        .await
        .map_err(|error| error.to_string())
}

/// `localhost:7411` → `localhost`, `[::1]:7411` → `::1`.
fn host(authority: &str) -> &str {
    match authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or(authority),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_what_its_certificate_is_for() {
        for (authority, expected) in [
            ("localhost:7411", "localhost"),
            ("[::1]:7411", "::1"),
            ("10.0.0.7", "10.0.0.7"),
        ] {
            assert_eq!(host(authority), expected);
        }
    }

    #[test]
    fn what_is_no_authority_is_said_to_be_none() {
        for pem in [
            "",
            "x",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert!(matches!(roots(pem), Err(Error::Authority(_))), "{pem}");
        }
    }
}
