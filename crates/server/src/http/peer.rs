//! Who is at the other end of a connection, as the connection itself tells.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::Extensions;

use crate::identity::PeerCertificate;

/// The other end of a connection. Requests carry it; nothing that comes over a connection can say it of itself.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: SocketAddr,
    /// Whether what is said is for nobody else on the way.
    pub is_secure: bool,
    /// What it showed in the handshake.
    pub certificate: Option<PeerCertificate>,
}

impl Peer {
    /// The other end of the connection that a request came over. What is asked from inside came over none.
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get::<Arc<Self>>().map(AsRef::as_ref)
    }
}
