//! From a configuration to a stack that serves, and to its orderly end.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ergon_engine::EngineError;
use ergon_hermes::{Allowance, Directory, Kind, Limits, Pace, Reach, Sender};
use ergon_pack::attest::StackKey;
use ergon_pack::{Cache, ExtraAuthority, SandboxKind};
use ergon_store::{CheckpointSigner, ContainerRow, Sealer, StackId, Store};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::access::{Robots, TokenService};
use crate::audit::{self, Audit};
use crate::containers::{Crew, Intent};
use crate::data_folder::DataFolder;
use crate::distribution::Distribution;
use crate::engine_link::EngineLink;
use crate::entropy::Entropy;
use crate::events::{self, KeepEvents};
use crate::http::hosts::{AllowedHosts, HostName};
use crate::http::limits::ConnectionLimits;
use crate::identity::{Authority, Certificates, ServedName, TrustDomain};
use crate::mcp::Gateway;
use crate::model::{Explainer, ModelConfig};
use crate::people::{OWNER, People, SignInLimits};
use crate::secrets::{Secrets, SecretsConfig};
use crate::sessions::{Patience, Sessions};
use crate::sign_in::{IdentityProviders, Passkeys};
use crate::stack::{Parts, Stack};
use crate::start_error::StartError;
use crate::tls::{Tls, TlsSource};
use crate::words::slug;
use crate::{approvals, http, jobs, messages, policies, secrets, upkeep, watch};

/// How long the stack waits for its own work when it ends.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a stack is to be.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Names under which other machines may ask for it.
    pub hosts: Vec<HostName>,
    /// Where its certificate comes from; absent: it speaks plain HTTP.
    pub tls: Option<TlsSource>,
    /// What connections may cost.
    pub limits: ConnectionLimits,
    /// The stack's own folder.
    pub data: PathBuf,
    /// The cache that all builds of this user share.
    pub cache: PathBuf,
    /// Which extra authorities build steps trust.
    pub extra_authority: ExtraAuthority,
    /// Where the steps of builds run.
    pub sandbox: SandboxKind,
    /// Whom it may send requests beside this machine: those who are registered say where they are.
    pub reach: Vec<Allowance>,
    /// Whether exchanges are recorded with the words themselves.
    pub keep_messages: bool,
    /// How much of the feed of events is kept.
    pub keep_events: KeepEvents,
    /// What explains findings; absent: nothing does, and nothing is sent anywhere.
    pub model: Option<ModelConfig>,
    /// How secrets are kept.
    pub secrets: SecretsConfig,
}

/// What is said once the stack serves.
#[derive(Clone, Debug)]
pub struct Ready {
    pub url: String,
    /// The UI's address with a one-time sign-in code.
    pub sign_in_url: String,
    pub data: PathBuf,
    /// The engine in one line, or why there is none.
    pub engine: Result<String, EngineError>,
    /// The model that explains, and where it is.
    pub model: Option<String>,
}

/// Runs a stack until SIGTERM or SIGINT.
pub async fn run(config: Config, ready: impl FnOnce(Ready)) -> Result<(), StartError> {
    let shutdown = CancellationToken::new();
    end_on_signals(shutdown.clone())?;
    serve(config, shutdown, ready).await
}

/// Runs a stack until it is told to end.
pub async fn serve(
    config: Config,
    shutdown: CancellationToken,
    ready: impl FnOnce(Ready),
) -> Result<(), StartError> {
    let (limits, keep_events) = (config.limits.clone(), config.keep_events);
    let (stack, tcp) = build(config, shutdown).await?;
    let listener = http::serve::Listener {
        tcp,
        tls: stack.tls().cloned(),
        limits,
    };
    recover(&stack).await?;
    let mut tasks = JoinSet::new();
    tasks.spawn(jobs::run(stack.clone()));
    tasks.spawn(watch::run(stack.clone()));
    tasks.spawn(watch::look_around(stack.clone()));
    tasks.spawn(upkeep::run(stack.clone()));
    tasks.spawn(approvals::run(stack.clone()));
    tasks.spawn(keep_directory(stack.clone()));
    tasks.spawn(audit::run(stack.clone()));
    tasks.spawn(secrets::run(stack.clone()));
    tasks.spawn(events::run(stack.clone(), keep_events));
    tasks.spawn(messages::exchanges::run(stack.clone()));
    tasks.spawn(messages::waiting::run(stack.clone()));
    tasks.spawn(http::serve::serve(
        listener,
        http::router(&stack),
        stack.shutdown().clone(),
    ));
    let endpoint = stack.endpoint();
    stack
        .data()
        .write_endpoint(&endpoint, stack.endpoint_authority())?;
    let sessions = stack.sessions();
    let code = sessions.new_code(OWNER, Patience::Minutes).await?;
    ready(Ready {
        url: stack.url(),
        sign_in_url: stack.sign_in_url(&code),
        data: stack.data().root().to_owned(),
        engine: stack
            .engine()
            .map(|_| stack.engine_link().describe().unwrap_or_default()),
        model: stack
            .explainer()
            .map(|explainer| explainer.config().describe()),
    });
    stack.shutdown().cancelled().await;
    drain(&stack, tasks).await;
    Ok(())
}

/// Lets leases end and looks at who is there, until the stack ends.
async fn keep_directory(stack: Stack) {
    tokio::select! {
        () = stack.directory().keep() => {}
        () = stack.shutdown().cancelled() => {}
    }
}

/// Opens what a stack stands on, cheapest refusal first.
async fn build(
    config: Config,
    shutdown: CancellationToken,
) -> Result<(Stack, TcpListener), StartError> {
    let entropy = Entropy::system();
    let data = DataFolder::open(&config.data)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| StartError::listen(config.listen, error))?;
    let address = listener
        .local_addr()
        .map_err(|error| StartError::listen(config.listen, error))?;
    let store = Store::open(&data.database()).await?;
    let distribution = Distribution::new(
        store.clone(),
        entropy.clone(),
        &data.blobs(),
        &data.uploads(),
        data.quarantine(),
    );
    distribution
        .prepare()
        .map_err(|error| StartError::folder(data.root(), error))?;
    let token = data.token(&entropy)?;
    let sealer = {
        let entropy = entropy.clone();
        Sealer::new(data.seal_key(&entropy)?, move || entropy.bytes())
    };
    let id = store
        .stack_id(&StackId::from_random(entropy.bytes()))
        .await?;
    let identity_providers =
        IdentityProviders::open(store.clone(), entropy.clone(), sealer.clone(), id.as_str())
            .await?;
    let explainer = match config.model {
        Some(model) => Some(Arc::new(Explainer::new(model, data.model_ledger())?)),
        None => None,
    };
    let cache = Cache::open(&config.cache)?;
    let secrets = Secrets::open(
        store.clone(),
        entropy.clone(),
        data.root(),
        id.as_str(),
        config.secrets,
    )
    .await
    .map_err(Box::new)?;
    let robots = Robots::open(store.clone(), entropy.clone()).await?;
    let people = People::open(store.clone(), entropy.clone()).await?;
    let policy = policies::open(&store).await?;
    let reach = Reach::new(config.reach, address);
    let directory = {
        let entropy = entropy.clone();
        Directory::open(ergon_hermes::Parts {
            store: store.clone(),
            reach: reach.clone(),
            sealer,
            lease_ids: Box::new(move || entropy.bytes()),
            pace: Pace::default(),
            limits: Limits::default(),
        })
    };
    let directory = directory.await?;
    let key = StackKey::open(data.root())?;
    let signer = CheckpointSigner::new(
        &audit::offline::origin(id.as_str()),
        &key.secret_bytes(),
        &key.public_bytes(),
    )?;
    let audit = Audit::open(&data.audit(), signer)?;
    let authority = Authority::open(
        data.root(),
        TrustDomain::of(id.as_str()),
        entropy.clone(),
        ergon_store::now() / 1000,
    )?;
    let certificates = Certificates::open(authority, store.clone()).await?;
    let tls = match &config.tls {
        Some(source) => {
            let names = served_names(&config.hosts, address.ip());
            let tls = Tls::new(source, certificates.clone(), names, address.ip())?;
            Some(Arc::new(tls))
        }
        None => None,
    };
    let stack = Stack::new(Parts {
        tokens: TokenService::new(
            id.as_str(),
            &token,
            robots.clone(),
            people.clone(),
            entropy.clone(),
        ),
        robots,
        secrets,
        audit,
        certificates,
        tls,
        sender: Sender::new(reach.clone(), id.as_str()),
        id,
        hosts: AllowedHosts::new(address.ip(), config.hosts),
        name: name(),
        token,
        cache,
        extra_authority: config.extra_authority,
        sandbox: config.sandbox,
        engine: EngineLink::open().await,
        address,
        started_at: Timestamp::now(),
        shutdown,
        directory,
        gateway: Gateway::new(store.clone(), reach),
        sessions: Sessions::new(store.clone(), entropy.clone()),
        people,
        identity_providers,
        passkeys: Passkeys::new(store.clone()),
        sign_in_limits: SignInLimits::default(),
        policy,
        sockets: crate::companions::Sockets::default(),
        exchanges: messages::exchanges::Exchanges::new(config.keep_messages),
        post: messages::waiting::Post::default(),
        purposes: messages::purposes::Purposes::open(&store).await?,
        passed_on: messages::passed_on::PassedOn::default(),
        crew: Crew::default(),
        turns: approvals::Turns::default(),
        desk: jobs::Desk::default(),
        looks: crate::projects::Looks::default(),
        distribution: Arc::new(distribution),
        explainer,
        entropy,
        store,
        data,
    });
    Ok((stack, listener))
}

/// Brings back what the last process left: jobs are said to be interrupted, companions come back.
async fn recover(stack: &Stack) -> Result<(), StartError> {
    stack.jobs().recover().await?;
    stack.approvals().recover().await?;
    if let Err(error) = stack.registry().name_builds().await {
        tracing::error!(%error, "earlier builds cannot be found by all their names");
    }
    stack.upstreams().open().await?;
    stack.gateway().open().await?;
    let containers = stack.store().containers().await?;
    let projects = stack.store().projects().await?;
    keep_secrets(stack, &containers);
    forget_strangers(stack, |record| match record.kind {
        Kind::Container => containers
            .iter()
            .any(|row| Some(&row.id) == record.details.container_id.as_ref()),
        Kind::Project => projects
            .iter()
            .any(|row| Some(row.id.as_str()) == record.details.project_id.as_deref()),
        Kind::Tekton => record.name == stack.name(),
        // A terminal that was used once keeps its inbox.
        Kind::Terminal => true,
        Kind::External | Kind::Tool => false,
    })
    .await;
    if let Err(error) = stack.companions().register_stack().await {
        tracing::error!(%error, "the stack is not in its own directory");
    }
    for row in &projects {
        if let Err(error) = stack.projects().give_companion(row).await {
            tracing::error!(%error, project = row.name, "a project has no companion");
        }
    }
    for row in &containers {
        if let Err(error) = stack.containers().welcome(row).await {
            tracing::error!(%error, container = row.name, "a container has no companion");
        }
        // Whoever starts it next, its files are there.
        if let Err(error) = stack.containers().hand_over(&row.id).await {
            tracing::warn!(%error, container = row.name, "a container is not given its secrets anew");
        }
    }
    if let Ok(engine) = stack.engine() {
        // Removing them takes the engine seconds, and nothing waits for it.
        tokio::spawn(remove_stale_steps(engine));
    }
    Ok(())
}

/// Removes secrets from memory that are no container's any more.
fn keep_secrets(stack: &Stack, containers: &[ContainerRow]) {
    let folders: BTreeSet<String> = containers
        .iter()
        .filter_map(|row| Intent::of(row)?.secrets_in)
        .collect();
    let kept = stack
        .secrets()
        .places()
        .keep_only(|name| folders.contains(name));
    if let Err(error) = kept {
        tracing::warn!(%error, "secrets of containers that are gone stay in memory");
    }
}

/// Removes records of those who are not there any more.
async fn forget_strangers(stack: &Stack, is_there: impl Fn(&ergon_hermes::Record) -> bool) {
    let own = |present: &ergon_hermes::Present| present.registered_by().is_none();
    for record in stack.directory().list_where(own) {
        if is_there(&record) {
            continue;
        }
        if let Err(error) = stack.companions().dismiss(&record.name).await {
            tracing::error!(%error, companion = record.name, "a record stays in the directory");
        }
    }
}

/// Removes containers of build steps whose build ended with its process.
async fn remove_stale_steps(engine: ergon_engine::Engine) {
    if let Err(error) = ergon_pack::remove_stale_steps(&engine).await {
        tracing::warn!(%error, "containers of interrupted build steps stay behind");
    }
}

/// Ends in order: no new work, running work stopped and written down, sockets and others' programs gone, store closed.
async fn drain(stack: &Stack, mut tasks: JoinSet<()>) {
    tracing::info!("ending");
    stack.data().remove_endpoint();
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(PATIENCE, ended).await.is_err() {
        tracing::warn!("some work did not end in time and is cut off");
        tasks.abort_all();
    }
    stack.sockets().close();
    stack.gateway().close().await;
    stack.store().close().await;
}

fn end_on_signals(shutdown: CancellationToken) -> Result<(), StartError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        shutdown.cancel();
    });
    Ok(())
}

/// The names under which the stack is asked, which are those its own certificate is for.
fn served_names(hosts: &[HostName], listening: IpAddr) -> Vec<ServedName> {
    let machine = rustix::system::uname();
    let machine = machine.nodename().to_str().unwrap_or_default();
    let local = ["localhost", "127.0.0.1", "::1"].map(ServedName::read);
    let mut names = Vec::from(local);
    if !listening.is_unspecified() {
        names.push(ServedName::Address(listening));
    }
    names.extend(hosts.iter().map(|host| ServedName::read(host.as_str())));
    // A machine may have a name that is none for others.
    names.extend(
        machine
            .parse::<HostName>()
            .map(|name| ServedName::read(name.as_str())),
    );
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// The stack's name in its directory: after the machine.
fn name() -> String {
    let machine = rustix::system::uname();
    let machine = machine
        .nodename()
        .to_str()
        .map(|name| slug(name.split('.').next().unwrap_or(name)));
    format!("{}-stack", machine.unwrap_or_else(|_| "ergon".to_owned()))
}
