//! The stack: everything that is shared while it runs, and the services over it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use ergon_companion::{Observation, Reply};
use ergon_engine::{Engine, EngineError};
use ergon_hermes::{Directory, Sender};
use ergon_pack::{Cache, ExtraAuthority, Options, SandboxKind};
use ergon_store::{EventRow, NewEvent, StackId, Store, StoreError};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::access::{Repositories, Robots, TokenService};
use crate::api;
use crate::approvals::{Approvals, Turns};
use crate::audit::Audit;
use crate::authorize::{Action, Policy, Principal, Resource, ResourceKind};
use crate::companions::{Companions, Sockets};
use crate::containers::{Containers, Crew};
use crate::data_folder::DataFolder;
use crate::distribution::Distribution;
use crate::engine_link::EngineLink;
use crate::entropy::Entropy;
use crate::http::hosts::AllowedHosts;
use crate::identity::Certificates;
use crate::jobs::{Desk, Jobs};
use crate::mcp::Gateway;
use crate::messages::Messages;
use crate::messages::exchanges::Exchanges;
use crate::messages::passed_on::PassedOn;
use crate::messages::purposes::Purposes;
use crate::messages::waiting::Post;
use crate::model::{Explainer, Told};
use crate::people::{People, SignInLimits};
use crate::policies::Policies;
use crate::projects::{Looks, Projects};
use crate::registry::Registry;
use crate::roster::Roster;
use crate::secrets::Secrets;
use crate::sessions::{Secret, Sessions};
use crate::sign_in::{IdentityProviders, Passkeys};
use crate::solutions::Solutions;
use crate::tls::Tls;
use crate::upkeep::Upkeep;
use crate::upstreams::Upstreams;
use crate::words::rfc3339;

/// So many events are listed.
const LISTED: i64 = 200;

/// A running stack. Cheap to clone.
#[derive(Clone)]
pub struct Stack(Arc<Parts>);

/// What a stack is made of.
pub struct Parts {
    pub id: StackId,
    /// Its name in the directory.
    pub name: String,
    pub data: DataFolder,
    pub store: Store,
    pub cache: Cache,
    pub extra_authority: ExtraAuthority,
    pub sandbox: SandboxKind,
    pub token: Secret,
    pub entropy: Entropy,
    pub engine: EngineLink,
    /// Where it listens.
    pub address: SocketAddr,
    /// How it listens, where others on the way are not to read along.
    pub tls: Option<Arc<Tls>>,
    /// What its own authority gave.
    pub certificates: Certificates,
    pub started_at: Timestamp,
    pub shutdown: CancellationToken,
    pub directory: Directory,
    /// Servers of tools elsewhere.
    pub gateway: Gateway,
    pub sessions: Sessions,
    pub people: People,
    /// Whose accounts elsewhere are good here.
    pub identity_providers: IdentityProviders,
    pub passkeys: Passkeys,
    pub sign_in_limits: SignInLimits,
    /// Who may do what.
    pub policy: Policy,
    /// What was denied and what was changed.
    pub audit: Audit,
    pub robots: Robots,
    pub secrets: Secrets,
    pub tokens: TokenService,
    /// The names under which it may be asked.
    pub hosts: AllowedHosts,
    pub sockets: Sockets,
    pub sender: Sender,
    pub exchanges: Exchanges,
    pub post: Post,
    /// What companions are said to be there for.
    pub purposes: Purposes,
    /// What became of messages that other stacks passed on lately.
    pub passed_on: PassedOn,
    pub crew: Crew,
    pub turns: Turns,
    pub desk: Desk,
    pub looks: Looks,
    pub distribution: Arc<Distribution>,
    /// The model that explains, where one is configured.
    pub explainer: Option<Arc<Explainer>>,
}

impl Deref for Stack {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Stack {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub fn id(&self) -> &StackId {
        &self.id
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn data(&self) -> &DataFolder {
        &self.data
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    pub fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    pub fn token(&self) -> &Secret {
        &self.token
    }

    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Servers of tools elsewhere.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    pub fn exchanges(&self) -> &Exchanges {
        &self.exchanges
    }

    /// What became of messages that other stacks passed on lately.
    pub fn passed_on(&self) -> &PassedOn {
        &self.passed_on
    }

    /// What companions are said to be there for.
    pub fn purposes(&self) -> &Purposes {
        &self.purposes
    }

    pub fn post(&self) -> &Post {
        &self.post
    }

    pub fn messages(&self) -> Messages<'_> {
        Messages::new(self)
    }

    pub fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    pub fn crew(&self) -> &Crew {
        &self.crew
    }

    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    pub fn looks(&self) -> &Looks {
        &self.looks
    }

    pub fn engine_link(&self) -> &EngineLink {
        &self.engine
    }

    /// The engine, or why there is none.
    pub fn engine(&self) -> Result<Engine, EngineError> {
        self.engine.engine()
    }

    /// How builds are wanted here.
    pub fn pack_options(&self) -> Options {
        Options {
            locked: false,
            sandbox: self.sandbox,
            extra_authority: self.extra_authority.clone(),
            ..Options::default()
        }
    }

    /// What the registry serves.
    pub fn distribution(&self) -> &Arc<Distribution> {
        &self.distribution
    }

    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Who uses the image registry under a name of their own.
    pub fn robots(&self) -> &Robots {
        &self.robots
    }

    /// What is kept sealed, under names.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Gives tokens for the image registry, and says whose they are.
    pub fn tokens(&self) -> &TokenService {
        &self.tokens
    }

    /// How the image registry's repositories are kept.
    pub fn repositories(&self) -> Repositories<'_> {
        Repositories::new(&self.store)
    }

    pub fn projects(&self) -> Projects<'_> {
        Projects::new(self)
    }

    pub fn jobs(&self) -> Jobs<'_> {
        Jobs::new(self)
    }

    pub fn registry(&self) -> Registry<'_> {
        Registry::new(self)
    }

    pub fn solutions(&self) -> Solutions<'_> {
        Solutions::new(self)
    }

    pub fn upkeep(&self) -> Upkeep<'_> {
        Upkeep::new(self)
    }

    /// Whose turn it is to do something to a container.
    pub fn turns(&self) -> &Turns {
        &self.turns
    }

    pub fn approvals(&self) -> Approvals<'_> {
        Approvals::new(self)
    }

    pub fn containers(&self) -> Containers<'_> {
        Containers::new(self)
    }

    pub fn upstreams(&self) -> Upstreams<'_> {
        Upstreams::new(self)
    }

    pub fn companions(&self) -> Companions<'_> {
        Companions::new(self)
    }

    pub fn roster(&self) -> Roster<'_> {
        Roster::new(self)
    }

    pub fn tls(&self) -> Option<&Arc<Tls>> {
        self.tls.as_ref()
    }

    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    pub fn allowed_hosts(&self) -> &AllowedHosts {
        &self.hosts
    }

    /// The address for people.
    pub fn url(&self) -> String {
        url(self.scheme(), self.address)
    }

    /// The addresses for people: on this machine, and under every name that others use.
    pub fn urls(&self) -> Vec<String> {
        let (scheme, port) = (self.scheme(), self.address.port());
        let named = self.hosts.named().iter();
        let named = named.map(|host| match host.as_str().parse::<IpAddr>() {
            Ok(ip) => format!("{scheme}://{}", SocketAddr::new(ip, port)),
            Err(_) => format!("{scheme}://{}:{port}", host.as_str()),
        });
        std::iter::once(self.url()).chain(named).collect()
    }

    /// The address for programs: no name that something else could answer to.
    pub fn endpoint(&self) -> String {
        // With a certificate from elsewhere, only this name is sure to be answered with one that can be checked here.
        if self.tls().is_some_and(|tls| tls.has_files()) {
            return self.url();
        }
        endpoint(self.scheme(), self.address)
    }

    /// Host and port of the address for programs.
    pub fn authority(&self) -> String {
        let endpoint = self.endpoint();
        let authority = endpoint.split_once("://").map(|(_, rest)| rest.to_owned());
        authority.unwrap_or(endpoint)
    }

    /// The authority to trust at the address for programs, where it is the stack's own.
    pub fn endpoint_authority(&self) -> Option<&str> {
        let tls = self.tls()?;
        let is_local = self.address.ip().is_loopback() || self.address.ip().is_unspecified();
        let host = if is_local {
            "localhost".to_owned()
        } else {
            self.address.ip().to_string()
        };
        let root = self.certificates.authority().root_pem();
        (!tls.is_vouched_for(&host)).then_some(root)
    }

    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The UI's address with a one-time code in its fragment, which browsers never send.
    pub fn sign_in_url(&self, code: &str) -> String {
        format!("{}/#code={code}", self.url())
    }

    /// Who is asking, and which stack answers.
    pub fn describe(&self, principal: &Principal) -> api::Session {
        let engine = self.engine.describe();
        api::Session {
            principal: principal.name(),
            roles: principal.roles().iter().map(ToString::to_string).collect(),
            stack: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine_reachable: engine.is_ok(),
            engine: engine.unwrap_or_else(|reason| reason),
        }
    }

    /// Who may do what.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The texts of its own policies.
    pub fn policies(&self) -> Policies<'_> {
        Policies::new(self)
    }

    pub fn people(&self) -> &People {
        &self.people
    }

    /// Whose accounts elsewhere are good here.
    pub fn identity_providers(&self) -> &IdentityProviders {
        &self.identity_providers
    }

    /// What people sign in with that their devices keep.
    pub fn passkeys(&self) -> &Passkeys {
        &self.passkeys
    }

    /// What something is done to, with what policies may ask of it.
    pub fn resource(&self, action: Action, name: Option<String>) -> Resource {
        let resource = action.on(name);
        if resource.kind != ResourceKind::Companion {
            return resource;
        }
        let of = resource
            .name
            .as_deref()
            .and_then(|name| Some(self.directory.kind_of(name)?.word()));
        resource.of_group(of)
    }

    /// Its state in one sentence.
    pub fn sentence(&self) -> String {
        match self.engine.describe() {
            Ok(engine) => format!("I run containers with {engine}."),
            Err(reason) => format!("I cannot run containers: {reason}."),
        }
    }

    pub fn explainer(&self) -> Option<&Arc<Explainer>> {
        self.explainer.as_ref()
    }

    /// Adds to a companion's answer what a model makes of it, as far as one has said it. What left the machine is
    /// written down.
    pub async fn explain(&self, question: &str, observation: &Observation, reply: &mut Reply) {
        let Some(explainer) = self.explainer() else {
            return;
        };
        let (stack, companion) = (self.clone(), reply.from.clone());
        let record = async move |told: Told| {
            let event = NewEvent::new(
                "dev.ergon.model.asked",
                format!("companion/{companion}"),
                serde_json::json!({
                    "model": told.model, "requests": told.requests, "bytes": told.bytes, "outcome": told.outcome,
                }),
            );
            if let Err(error) = stack.tell(event).await {
                tracing::error!(%error, "that a model was asked could not be written down");
            }
        };
        explainer
            .explain(question, observation, reply, record)
            .await;
    }

    /// Tells of something that changed by itself.
    pub async fn tell(&self, event: NewEvent) -> Result<(), StoreError> {
        self.store.change(event).await?.commit().await
    }

    /// Events after a cursor, newest first; the latest of them.
    pub async fn newest_events(&self, after: u64) -> Result<Vec<api::Event>, StoreError> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let rows = self.store.latest_events(LISTED).await?;
        Ok(rows
            .into_iter()
            .filter(|row| row.id > after)
            .map(|row| self.event(row))
            .collect())
    }

    /// An event as the API shows it.
    pub fn event(&self, row: EventRow) -> api::Event {
        api::Event {
            specversion: "1.0".to_owned(),
            id: row.id.to_string(),
            source: format!("/stacks/{}", self.id),
            kind: row.kind,
            subject: row.subject,
            time: rfc3339(row.time),
            data: row.data,
        }
    }
}

fn endpoint(scheme: &str, address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
}

/// The address as it is written for people: by name where only this machine can come.
fn url(scheme: &str, address: SocketAddr) -> String {
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_one_that_can_be_opened() {
        for (listening, opened) in [
            ("127.0.0.1:7411", "http://localhost:7411"),
            ("0.0.0.0:80", "http://localhost:80"),
            ("10.0.0.1:80", "http://10.0.0.1:80"),
            ("[fd00::1]:80", "http://[fd00::1]:80"),
        ] {
            assert_eq!(url("http", listening.parse().unwrap()), opened);
        }
        for (listening, asked) in [
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
        ] {
            assert_eq!(endpoint("http", listening.parse().unwrap()), asked);
        }
        let secure = "127.0.0.1:7411".parse().unwrap();
        assert_eq!(url("https", secure), "https://localhost:7411");
        assert_eq!(endpoint("https", secure), "https://127.0.0.1:7411");
    }
}
