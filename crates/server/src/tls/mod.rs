//! TLS on the stack's own listener: what it shows, and whom it recognises by what they show.

mod files;
mod served;

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use self::files::CertificateFileError;
use self::files::Files;
use self::served::{Own, Served};
use crate::identity::{AuthorityError, Certificates, PeerCertificate, ServedName, TrustDomain};

/// Where the certificate comes from that the stack shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsSource {
    /// The stack's own authority.
    Own,
    /// Files, as other authorities give them. They may be replaced while the stack runs.
    Files { certificate: PathBuf, key: PathBuf },
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(transparent)]
    Files(#[from] CertificateFileError),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

impl TlsError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Files(error) => error.remedy(),
            Self::Authority(error) => error.remedy(),
            Self::Setup(_) => "try again; if it stays so, it is a defect of Ergon".to_owned(),
        }
    }
}

/// TLS, ready for connections.
#[derive(Debug)]
pub struct Tls {
    config: Arc<ServerConfig>,
    served: Arc<Served>,
    stack: TrustDomain,
}

/// A connection after its handshake.
pub struct Greeted {
    pub stream: TlsStream<TcpStream>,
    pub is_http2: bool,
    /// What the client showed, where it showed anything.
    pub certificate: Option<PeerCertificate>,
}

impl Tls {
    /// `names` are those under which the stack is asked, and `listening` the address where.
    pub fn new(
        source: &TlsSource,
        certificates: Certificates,
        names: Vec<ServedName>,
        listening: IpAddr,
    ) -> Result<Self, TlsError> {
        let verifier = certificates.verifier()?;
        let stack = certificates.authority().trust_domain().clone();
        let files = match source {
            TlsSource::Own => None,
            TlsSource::Files { certificate, key } => Some(Files::open(certificate, key)?),
        };
        let served = Arc::new(Served::new(
            Own::new(certificates, names)?,
            files,
            listening,
        ));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::clone(&served) as _);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            served,
            stack,
        })
    }

    /// Shakes hands.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<Greeted> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
        let stream = acceptor.accept(stream).await?;
        let session = stream.get_ref().1;
        let shown = session.peer_certificates().and_then(<[_]>::first);
        let certificate = shown
            .map(|shown| PeerCertificate::read(shown, &self.stack))
            .transpose()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{error:?}")))?;
        Ok(Greeted {
            is_http2: session.alpn_protocol() == Some(b"h2"),
            certificate,
            stream,
        })
    }

    /// Whether another authority answers for this name: then it is one that people have for good, and browsers may be
    /// told to never ask it in the clear.
    pub fn is_vouched_for(&self, host: &str) -> bool {
        self.served.is_vouched_for(host)
    }

    /// Whether there are files with a certificate of another authority.
    pub fn has_files(&self) -> bool {
        self.served.has_files()
    }
}
