//! Whom this stack may send a request: an allow-list, and connections that go where it was checked.
//!
//! A record's host and port come from outside. Every request to one is made by a client from here, which is tied
//! to addresses that were looked up once and checked: a name that means something else a moment later
//! leads nowhere new. Such a client follows no redirect and asks no proxy.

mod allowance;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::address::{Host, Protocol, Server};
use allowance::plain;
pub use allowance::{Allowance, AllowanceError};

/// A name that cannot be looked up in this time cannot be looked up.
const LOOKUP: Duration = Duration::from_secs(5);
/// Whoever does not take a connection in this time takes none.
const CONNECT: Duration = Duration::from_secs(5);
/// So many clients are kept, each with its open connections.
const CLIENTS: usize = 128;

/// Whom this stack may send a request. Cheap to clone.
#[derive(Clone)]
pub struct Reach(Arc<Inner>);

struct Inner {
    allowances: Vec<Allowance>,
    /// Where the stack itself listens: it does not ask itself in the name of somebody else.
    own: SocketAddr,
    lookup: Box<Lookup>,
    clients: Mutex<HashMap<Target, reqwest::Client>>,
}

/// How names are looked up.
type Lookup = dyn Fn(String, u16) -> LookedUp + Send + Sync;
type LookedUp = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// What a client is tied to.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Target {
    is_secure: bool,
    host: Host,
    addresses: Vec<SocketAddr>,
}

/// A server that may be reached, and the only client to do it with.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// Tied to addresses that were checked; follows no redirect, asks no proxy.
    pub client: reqwest::Client,
    /// Where messages go.
    pub url: String,
}

/// Why a server is not reached.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReachError {
    #[error("{place} is outside of what this stack may reach")]
    Outside { place: String },
    #[error("{place} is this stack itself")]
    Itself { place: String },
    #[error("{host} cannot be found: {reason}")]
    NotFound { host: String, reason: String },
    #[error("{place} cannot be reached: {reason}")]
    Away { place: String, reason: String },
}

impl ReachError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Outside { place } => Some(format!(
                "if it may be reached, start the stack with `ergon up --reach {}`",
                place.split(' ').next().unwrap_or(place)
            )),
            Self::Itself { .. } => Some("register the address of the program itself".to_owned()),
            Self::NotFound { .. } | Self::Away { .. } => None,
        }
    }
}

impl Reach {
    /// This machine and `allowances`, but never the stack that listens on `own`.
    pub fn new(allowances: impl IntoIterator<Item = Allowance>, own: SocketAddr) -> Self {
        Self::with_lookup(allowances, own, |name, port| {
            Box::pin(async move { Ok(tokio::net::lookup_host((name, port)).await?.collect()) })
        })
    }

    fn with_lookup(
        allowances: impl IntoIterator<Item = Allowance>,
        own: SocketAddr,
        lookup: impl Fn(String, u16) -> LookedUp + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            allowances: Allowance::loopback()
                .into_iter()
                .chain(allowances)
                .collect(),
            own,
            lookup: Box::new(lookup),
            clients: Mutex::default(),
        }))
    }

    /// A client for this server, and for nobody else.
    pub async fn client(&self, server: &Server) -> Result<Pinned, ReachError> {
        let addresses = self.addresses(&server.host, server.port).await?;
        let target = Target {
            is_secure: server.protocol == Protocol::Https,
            host: server.host.clone(),
            addresses,
        };
        Ok(Pinned {
            client: self.client_of(target).map_err(|error| ReachError::Away {
                place: place(&server.host, server.port),
                reason: error.to_string(),
            })?,
            url: server.to_string(),
        })
    }

    /// Connects to this server, and does nothing else.
    pub async fn connect(&self, host: &Host, port: u16) -> Result<TcpStream, ReachError> {
        let addresses = self.addresses(host, port).await?;
        let away = |reason: String| ReachError::Away {
            place: place(host, port),
            reason,
        };
        match tokio::time::timeout(CONNECT, TcpStream::connect(addresses.as_slice())).await {
            Ok(connected) => connected.map_err(|error| away(error.to_string())),
            Err(_) => Err(away("it takes no connection".to_owned())),
        }
    }

    /// The addresses of a host that may be reached; never none.
    pub async fn addresses(&self, host: &Host, port: u16) -> Result<Vec<SocketAddr>, ReachError> {
        let found = match host {
            Host::Address(address) => vec![SocketAddr::new(*address, port)],
            Host::Name(name) => match self.look_up(name, port).await {
                Ok(found) => found,
                // Whether there is such a name is nobody's concern where it could not be reached anyway.
                Err(_) if !self.may_lead_somewhere(name) => {
                    return Err(ReachError::Outside {
                        place: place(host, port),
                    });
                }
                Err(error) => return Err(error),
            },
        };
        let mut refusal = None;
        let mut allowed = Vec::new();
        for address in found {
            match self.check(host, address) {
                Ok(()) => allowed.push(address),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match refusal {
            _ if !allowed.is_empty() => Ok(allowed),
            Some(refusal) => Err(refusal),
            None => Err(ReachError::NotFound {
                host: host.to_string(),
                reason: "it has no address".to_owned(),
            }),
        }
    }

    /// Whether a name may lead to a place that may be reached, beside this machine.
    fn may_lead_somewhere(&self, name: &str) -> bool {
        let mut allowances = self.0.allowances.iter();
        name == "localhost" || allowances.any(|allowance| allowance.may_be_behind(name))
    }

    async fn look_up(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, ReachError> {
        let failed = |reason: String| ReachError::NotFound {
            host: name.to_owned(),
            reason,
        };
        let found = (self.0.lookup)(name.to_owned(), port);
        match tokio::time::timeout(LOOKUP, found).await {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed("looking it up takes too long".to_owned())),
        }
    }

    fn check(&self, host: &Host, socket: SocketAddr) -> Result<(), ReachError> {
        let (address, port) = (plain(socket.ip()), socket.port());
        let place = || match host {
            Host::Address(_) => place(host, port),
            Host::Name(_) => format!("{} ({address})", place(host, port)),
        };
        if self.is_own(address, port) {
            return Err(ReachError::Itself { place: place() });
        }
        let mut allowances = self.0.allowances.iter();
        if allowances.any(|allowance| allowance.allows(host, address, port)) {
            Ok(())
        } else {
            Err(ReachError::Outside { place: place() })
        }
    }

    fn is_own(&self, address: IpAddr, port: u16) -> bool {
        let own = plain(self.0.own.ip());
        port == self.0.own.port()
            && (address == own
                || own.is_unspecified() && is_of_this_machine(address)
                // What is sent to no address in particular arrives at this machine.
                || address.is_unspecified())
    }

    fn client_of(&self, target: Target) -> Result<reqwest::Client, reqwest::Error> {
        let mut clients = self
            .0
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&target) {
            return Ok(client.clone());
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("ergon/", env!("CARGO_PKG_VERSION")));
        if target.is_secure {
            builder = builder.https_only(true);
        } else {
            // Reading the machine's certificates costs more than the whole request.
            builder = builder.tls_certs_only([]);
        }
        if let Host::Name(name) = &target.host {
            builder = builder.resolve_to_addrs(name, &target.addresses);
        }
        let client = builder.build()?;
        if clients.len() >= CLIENTS {
            // They are made again when they are needed; requests under way keep theirs.
            clients.clear();
        }
        clients.insert(target, client.clone());
        Ok(client)
    }
}

fn place(host: &Host, port: u16) -> String {
    format!("{host}:{port}")
}

/// Whether an address is one of this machine's own: only those can be bound.
fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach")
            .field("allowances", &self.0.allowances)
            .field("own", &self.0.own)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
