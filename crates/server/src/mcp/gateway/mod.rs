//! The gateway: servers of tools elsewhere, whose tools agents find here as `server/tool`.
//!
//! What may be used is decided in [`ergon_hermes::gateway`]; here servers are asked, each within limits and as this stack:
//! nothing of whoever calls is passed on but the arguments. One that is away or misbehaves is marked, and breaks no list.

mod envelope;
mod error;
mod limits;
mod listener;
mod pass;
mod sessions;
mod upstream;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ergon_hermes::Reach;
use ergon_hermes::gateway::{Address, ServerName, Standing};
use ergon_store::{NewEvent, ServerToolRow, Store, StoreError, ToolServerRow, now};
use futures_util::future::join_all;
use rmcp::model::{CallToolResult, JsonObject, Tool};
use serde_json::json;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

pub use error::GatewayError;
use limits::{Kind, Limits, TooMuch, UnderWay};
use sessions::Sessions;
use upstream::Upstream;

use super::progress::Progress;
use crate::api::{AddToolServer, ApproveServerTool, ToolServer};
use crate::words::rfc3339;

/// So long a list waits for servers that were not asked lately; what they say later is in the next one.
const LIST: Duration = Duration::from_secs(2);
/// Calls under way at a time, of all callers together; each server has its own limit below.
const CALLS: usize = 64;
/// Streams that are listened to at a time, of all callers together.
const LISTENING: usize = 128;
/// More servers there may not be.
const SERVERS: usize = 64;

/// The servers of tools. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    store: Store,
    reach: Reach,
    servers: Mutex<BTreeMap<String, Arc<Upstream>>>,
    calls: Arc<Semaphore>,
    listening: Arc<Semaphore>,
    limits: Limits,
    sessions: Sessions,
}

/// Something under way, with the room it takes; it is over when this is dropped.
struct Place {
    _theirs: UnderWay,
    _all: OwnedSemaphorePermit,
}

impl Gateway {
    pub fn new(store: Store, reach: Reach) -> Self {
        Self(Arc::new(Inner {
            store,
            reach,
            servers: Mutex::default(),
            calls: Arc::new(Semaphore::new(CALLS)),
            listening: Arc::new(Semaphore::new(LISTENING)),
            limits: Limits::default(),
            sessions: Sessions::default(),
        }))
    }

    /// Takes up what was registered before.
    pub async fn open(&self) -> Result<(), StoreError> {
        for row in self.0.store.tool_servers().await? {
            let read = (row.name.parse(), serde_json::from_str(&row.address));
            let (Ok(name), Ok(address)) = read else {
                tracing::error!(
                    server = row.name,
                    "what is kept of a server of tools cannot be read"
                );
                continue;
            };
            let upstream = self.upstream(name, address, row.added_at);
            self.0.servers.lock().await.insert(row.name, upstream);
        }
        Ok(())
    }

    fn upstream(&self, name: ServerName, address: Address, added_at: i64) -> Arc<Upstream> {
        let (store, reach) = (self.0.store.clone(), self.0.reach.clone());
        Arc::new(Upstream::new(name, address, added_at, store, reach))
    }

    /// Registers a server, and asks it what it has.
    pub async fn add(&self, wanted: AddToolServer) -> Result<ToolServer, GatewayError> {
        let name: ServerName = wanted.name.parse()?;
        let address = Address::new(wanted.url, wanted.command.unwrap_or_default())?;
        let row = ToolServerRow {
            name: name.to_string(),
            address: serde_json::to_string(&address).unwrap_or_default(),
            added_at: now(),
        };
        let upstream = self.upstream(name, address, row.added_at);
        {
            let mut servers = self.0.servers.lock().await;
            if servers.contains_key(&row.name) {
                return Err(GatewayError::Taken { name: row.name });
            }
            if servers.len() >= SERVERS {
                return Err(GatewayError::TooMany { most: SERVERS });
            }
            let told = event("dev.ergon.tool_server.added", &row.name);
            let mut change = self.0.store.change(told).await?;
            change.add_tool_server(&row).await?;
            change.commit().await?;
            servers.insert(row.name, Arc::clone(&upstream));
        }
        upstream.refresh().await;
        Ok(shown(&upstream))
    }

    /// Forgets a server, and what was said of its tools.
    pub async fn remove(&self, name: &str) -> Result<(), GatewayError> {
        let mut servers = self.0.servers.lock().await;
        let told = event("dev.ergon.tool_server.removed", name);
        let mut change = self.0.store.change(told).await?;
        if !change.remove_tool_server(name).await? {
            return Err(GatewayError::NotFound {
                name: name.to_owned(),
            });
        }
        change.commit().await?;
        if let Some(upstream) = servers.remove(name) {
            self.0.sessions.forget(name);
            upstream.close().await;
        }
        Ok(())
    }

    /// Ends all connections, and the programs among the servers.
    pub async fn close(&self) {
        let servers: Vec<Arc<Upstream>> = self.0.servers.lock().await.values().cloned().collect();
        join_all(servers.iter().map(|upstream| upstream.end())).await;
    }

    /// Lets a tool be used as it is now, which has to be how it was looked at.
    pub async fn approve(
        &self,
        name: &str,
        approval: &ApproveServerTool,
        by: &str,
    ) -> Result<ToolServer, GatewayError> {
        let upstream = self.find(name).await?;
        upstream.refresh().await;
        let Some(reviewed) = upstream.reviewed(&approval.tool) else {
            return Err(GatewayError::NoTool {
                name: name.to_owned(),
                tool: approval.tool.clone(),
            });
        };
        if reviewed.fingerprint != approval.fingerprint {
            return Err(GatewayError::Changed {
                tool: approval.tool.clone(),
            });
        }
        if let Standing::Refused(reason) = reviewed.standing {
            return Err(GatewayError::Refused {
                tool: approval.tool.clone(),
                reason,
            });
        }
        let row = ServerToolRow {
            server: name.to_owned(),
            name: approval.tool.clone(),
            fingerprint: reviewed.fingerprint,
            approved_by: by.to_owned(),
            approved_at: now(),
        };
        let mut change = self
            .0
            .store
            .change(event("dev.ergon.tool_server.approved", name))
            .await?;
        change.approve_server_tool(&row).await?;
        change.commit().await?;
        upstream.refresh().await;
        Ok(shown(&upstream))
    }

    /// Every server and what it has, in the order of their names.
    pub async fn list(&self) -> Vec<ToolServer> {
        let servers = self.asked().await;
        servers.iter().map(|upstream| shown(upstream)).collect()
    }

    /// Every tool that may be used, in the order of servers and then of names.
    pub async fn tools(&self) -> Vec<Tool> {
        let servers = self.asked().await;
        servers
            .iter()
            .flat_map(|upstream| upstream.tools())
            .collect()
    }

    /// What the servers are called.
    pub async fn names(&self) -> BTreeSet<String> {
        self.0.servers.lock().await.keys().cloned().collect()
    }

    /// Room for something that a caller wants of a server.
    fn begin(&self, caller: &str, server: &str, kind: Kind) -> Result<Place, GatewayError> {
        let theirs = self.0.limits.begin(caller, server, kind);
        let theirs = theirs.map_err(|too_much| match too_much {
            TooMuch::UnderWay(most) => GatewayError::TooManyCalls { most },
            TooMuch::Caller(after) => GatewayError::TooFast { after },
            TooMuch::Server(after) => GatewayError::Overrun {
                name: server.to_owned(),
                after,
            },
        })?;
        let room = match kind {
            Kind::Call => &self.0.calls,
            Kind::Listening => &self.0.listening,
        };
        let all = Arc::clone(room).try_acquire_owned();
        let all = all.map_err(|_| GatewayError::Busy {
            name: server.to_owned(),
        })?;
        Ok(Place {
            _theirs: theirs,
            _all: all,
        })
    }

    /// Calls a tool of a server for somebody.
    pub async fn call(
        &self,
        caller: &str,
        (server, tool): (&str, &str),
        arguments: JsonObject,
        progress: Progress,
        cancelled: CancellationToken,
    ) -> Result<CallToolResult, GatewayError> {
        let upstream = self.find(server).await?;
        let _place = self.begin(caller, server, Kind::Call)?;
        upstream.call(tool, arguments, progress, cancelled).await
    }

    async fn find(&self, name: &str) -> Result<Arc<Upstream>, GatewayError> {
        let servers = self.0.servers.lock().await;
        servers
            .get(name)
            .cloned()
            .ok_or_else(|| GatewayError::NotFound {
                name: name.to_owned(),
            })
    }

    /// The servers, those that were not asked lately asked again.
    async fn asked(&self) -> Vec<Arc<Upstream>> {
        let servers: Vec<Arc<Upstream>> = self.0.servers.lock().await.values().cloned().collect();
        let due = servers.iter().filter(|upstream| upstream.is_due()).cloned();
        // Whoever takes longer is waited for by nobody, and goes on.
        let asked = due.map(|upstream| tokio::spawn(async move { upstream.refresh().await }));
        drop(tokio::time::timeout(LIST, join_all(asked)).await);
        servers
    }
}

fn shown(upstream: &Upstream) -> ToolServer {
    let (url, command) = match upstream.address() {
        Address::Url(url) => (Some(url.clone()), None),
        Address::Command(words) => (None, Some(words.clone())),
    };
    let (health, reason) = upstream.health();
    ToolServer {
        name: upstream.name().to_string(),
        url,
        command,
        health: health.to_owned(),
        reason,
        tools: upstream.offers(),
        added_at: rfc3339(upstream.added_at()),
    }
}

fn event(kind: &'static str, name: &str) -> NewEvent {
    NewEvent::new(kind, format!("tool-server/{name}"), json!({ "name": name }))
}
