//! What the commands that pack on their own, with no stack running, have in common.

use std::time::Duration;

use ergon_engine::EngineError;
use ergon_oci::distribution::Mirror;
use ergon_pack::{Cache, ExtraAuthority, Options, PackError, SandboxKind};
use ergon_server::api::{List, Upstream};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::arguments::Stack;
use crate::failure::{Code, Failure, Outcome};
use crate::report::diagnostics;
use crate::{folders, output};

/// A stack that takes longer to say which mirrors it has is built without.
const PATIENCE: Duration = Duration::from_secs(3);

/// The part of `config.toml` that is read here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Configuration {
    build: BuildConfiguration,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BuildConfiguration {
    /// A PEM bundle, or `none`.
    extra_ca: Option<String>,
}

/// Opens the cache that all builds of this user share; nothing is removed from it meanwhile.
pub fn cache() -> Outcome<Cache> {
    Cache::open(folders::cache()?)
        .and_then(|cache| cache.in_use())
        .map_err(|error| cache_failure(&error))
}

/// The same; what is missing is pulled through the mirrors of a stack that runs.
pub async fn cache_through(stack: &Stack) -> Outcome<Cache> {
    Ok(cache()?.through(mirrors(stack).await))
}

/// The mirrors of a stack, where one runs and answers.
async fn mirrors(stack: &Stack) -> Vec<Mirror> {
    let Ok(client) = stack.client() else {
        return Vec::new();
    };
    let (url, token) = (&client.address().url, &client.address().token);
    let (Some(host), Some(token), "/") = (url.host_str(), token, url.path()) else {
        return Vec::new();
    };
    let at = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let authority = client.address().authority.clone();
    let asking = client.get::<List<Upstream>>(&["api", "v1", "upstreams"]);
    let Ok(Ok(listed)) = tokio::time::timeout(PATIENCE, asking).await else {
        return Vec::new();
    };
    let mirror = |upstream: Upstream| Mirror {
        registry: upstream.registry,
        name: upstream.name,
        at: at.clone(),
        has_tls: url.scheme() == "https",
        authority: authority.clone(),
        token: token.clone(),
    };
    listed.items.into_iter().map(mirror).collect()
}

/// Why the cache cannot be used.
pub fn cache_failure(error: &ergon_pack::CacheError) -> Failure {
    Failure::from_error(error).with_remedy(error.remedy())
}

/// Where the steps of builds run.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Sandbox {
    /// Run the steps in the container engine, or in Linux namespaces [default: the engine, else namespaces]
    #[arg(long, value_name = "KIND", env = "ERGON_SANDBOX", hide_env = true)]
    sandbox: Option<Kind>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    Engine,
    Namespaces,
}

impl Sandbox {
    pub const fn kind(self) -> SandboxKind {
        match self.sandbox {
            None => SandboxKind::Auto,
            Some(Kind::Engine) => SandboxKind::Engine,
            Some(Kind::Namespaces) => SandboxKind::Namespaces,
        }
    }
}

/// How builds are wanted: `ERGON_EXTRA_CA`, else what `config.toml` says.
pub fn options(locked: bool, sandbox: Sandbox) -> Outcome<Options> {
    Ok(Options {
        locked,
        sandbox: sandbox.kind(),
        extra_authority: extra_authority()?,
        ..Options::default()
    })
}

/// The certificate authorities that build steps are given.
pub fn extra_authority() -> Outcome<ExtraAuthority> {
    let setting = match std::env::var("ERGON_EXTRA_CA") {
        Ok(setting) => Some(setting),
        Err(_) => configuration()?.build.extra_ca,
    };
    let authority = ExtraAuthority::from_setting(setting.as_deref().unwrap_or_default());
    if let ExtraAuthority::File(path) = &authority
        && let Err(error) = std::fs::File::open(path)
    {
        let path = path.display();
        return Err(Failure::new(format!(
            "the extra authority {path} cannot be read: {}",
            folders::reason(&error)
        ))
        .with_remedy(
            "correct build.extra_ca in config.toml or ERGON_EXTRA_CA; `none` turns it off"
                .to_owned(),
        ));
    }
    Ok(authority)
}

fn configuration() -> Outcome<Configuration> {
    let path = folders::configuration()?;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Configuration::default());
        }
        Err(error) => {
            let path = folders::display(&path);
            return Err(Failure::new(format!(
                "{path} cannot be read: {}",
                folders::reason(&error)
            )));
        }
    };
    toml::from_str(&text).map_err(|error| {
        Failure::new(format!(
            "{} makes no sense: {}",
            folders::display(&path),
            error.message()
        ))
        .with_remedy("correct or remove it".to_owned())
    })
}

/// Why a build that found no engine cannot be: what it needed one for, and why there is none.
pub fn failure_without(missing: &EngineError, error: &PackError) -> Failure {
    let message = match error {
        PackError::NoEngine { command, instead } => {
            let instead = instead.as_ref().map(|reason| format!("; {reason}"));
            let instead = instead.unwrap_or_default();
            format!("step `{command}` needs a container engine: {missing}{instead}")
        }
        PackError::BaseMissing {
            reference,
            registry,
        } => {
            format!("the base image {reference} is not held here, {missing}, and {registry}")
        }
        _ => return failure(error),
    };
    Failure::new(message).with_remedy(missing.remedy().or_else(|| error.remedy()))
}

/// Why a build cannot be, as a person is told. What is wrong with a manifest is shown in place.
pub fn failure(error: &PackError) -> Failure {
    match error {
        PackError::Manifest {
            path,
            text,
            diagnostics,
        } => {
            let name = path
                .file_name()
                .map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
            output::note(diagnostics::render(&name, text, diagnostics).trim_end());
            Failure::Told(Code::Failed)
        }
        PackError::NothingRecognised { .. } => Failure::from_error(error)
            .with_remedy(
                "`ergon detect` says what was looked for and what to add to ergon.json by hand"
                    .to_owned(),
            )
            .as_usage(),
        PackError::StepFailed {
            command, exit_code, ..
        } => {
            // Its last lines stand under the step already.
            Failure::new(format!("step `{command}` ended with exit code {exit_code}"))
                .with_remedy(error.remedy())
        }
        _ => Failure::from_error(error).with_remedy(error.remedy()),
    }
}

/// A token that Ctrl-C and SIGTERM cancel. A second Ctrl-C does not wait any longer.
pub fn cancelled_by_signals() -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        interrupted().await;
        cancel.cancel();
        interrupted().await;
        std::process::exit(Code::Failed as i32);
    });
    token
}

/// Waits until somebody wants the process to end.
pub async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
