//! Looks whether somebody answers. What it means is decided elsewhere.

use std::borrow::Cow;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::{Instant, timeout};

use super::health::Checked;
use super::record::Details;
use crate::address::{Address, Server};
use crate::reach::{Reach, ReachError};

/// How often and how patiently is looked.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Each is looked at about so often, where that is not more often than `apart` lets.
    pub every: Duration,
    /// Between one look and the next is at least so long.
    pub apart: Duration,
    /// So many looks at once.
    pub at_once: usize,
    /// Whoever takes longer does not answer.
    pub limit: Duration,
    /// Whoever takes longer is late.
    pub late: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(10),
            apart: Duration::from_millis(10),
            at_once: 16,
            limit: Duration::from_secs(2),
            late: Duration::from_secs(1),
        }
    }
}

/// Looks at somebody once.
pub async fn look(reach: &Reach, details: &Details, pace: &Pace) -> Checked {
    let since = Instant::now();
    let looked = async {
        match details.address() {
            Address::Socket(path) => match UnixStream::connect(&path).await {
                Ok(_) => Ok(()),
                Err(error) => Err(Checked::Bad(format!(
                    "nobody listens on {}: {error}",
                    path.display()
                ))),
            },
            Address::Http(server) => match &details.health_endpoint {
                Some(endpoint) => ask(reach, &server, endpoint).await,
                None => connect(reach, &server).await,
            },
            Address::Command(_) => Err(Checked::Not(Cow::from(
                "not checked: it is started for each message",
            ))),
            Address::Inbox => Err(Checked::Not(Cow::from(
                "not checked: it comes for its messages",
            ))),
        }
    };
    match timeout(pace.limit, looked).await {
        Ok(Ok(())) if since.elapsed() < pace.late => Checked::Well,
        Ok(Ok(())) => Checked::Slow(format!(
            "it takes {} ms to answer",
            since.elapsed().as_millis()
        )),
        Ok(Err(found)) => found,
        Err(_) => Checked::Bad(format!(
            "it does not answer within {} s",
            pace.limit.as_secs_f32()
        )),
    }
}

/// Whether somebody takes a connection at this place right now. Absent: that cannot be known from here.
pub async fn answers(reach: &Reach, address: &Address, limit: Duration) -> Option<bool> {
    let looked = async {
        match address {
            Address::Socket(path) => Some(UnixStream::connect(path).await.is_ok()),
            Address::Http(server) => match reach.connect(&server.host, server.port).await {
                Ok(_) => Some(true),
                Err(ReachError::Away { .. } | ReachError::NotFound { .. }) => Some(false),
                Err(ReachError::Outside { .. } | ReachError::Itself { .. }) => None,
            },
            Address::Command(_) | Address::Inbox => None,
        }
    };
    // Who takes that long has not said that they are gone.
    timeout(limit, looked).await.unwrap_or(Some(true))
}

async fn connect(reach: &Reach, server: &Server) -> Result<(), Checked> {
    match reach.connect(&server.host, server.port).await {
        Ok(_) => Ok(()),
        Err(error) => Err(unreached(&error)),
    }
}

async fn ask(reach: &Reach, server: &Server, endpoint: &str) -> Result<(), Checked> {
    let server = Server {
        endpoint: endpoint.to_owned(),
        ..server.clone()
    };
    let pinned = reach
        .client(&server)
        .await
        .map_err(|error| unreached(&error))?;
    // The body is nobody's concern; it is not read.
    match pinned.client.get(&pinned.url).send().await {
        Ok(answer) if answer.status().as_u16() < 400 => Ok(()),
        Ok(answer) => Err(Checked::Bad(format!(
            "{endpoint} answers {}",
            answer.status().as_u16()
        ))),
        Err(error) if error.is_connect() => Err(Checked::Bad(format!(
            "nobody listens on {}:{}",
            server.host, server.port
        ))),
        Err(_) => Err(Checked::Bad(format!("{endpoint} does not answer in HTTP"))),
    }
}

fn unreached(error: &ReachError) -> Checked {
    match error {
        ReachError::Outside { .. } => Checked::Not(Cow::from(
            "not checked: outside of what this stack may reach",
        )),
        ReachError::Itself { .. } => Checked::Bad("its address is this stack's own".to_owned()),
        ReachError::NotFound { .. } | ReachError::Away { .. } => Checked::Bad(error.to_string()),
    }
}
