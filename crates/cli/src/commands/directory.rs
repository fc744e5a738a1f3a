//! The directory, by hand: who is wanted in a list, and registering somebody with a file.

use std::io::Read as _;
use std::path::Path;

use clap::Args;
use ergon_server::api::{Companion, List, Registered};
use reqwest::Method;
use serde_json::Value;

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::{output, style, words};

/// The longest registration that is read, in bytes; the stack takes no longer one.
const LONGEST: u64 = 1 << 20;

/// Who is wanted in a list
#[derive(Debug, Default, Args)]
pub struct Wanted {
    /// project, container, tekton (or stack), external, tool, terminal
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Those that can this
    #[arg(long, value_name = "WORD")]
    capability: Option<String>,
    /// Those that are good at this
    #[arg(long, value_name = "WORD")]
    specialty: Option<String>,
    /// up, degraded, stale, down
    #[arg(long, value_name = "STATE")]
    health: Option<String>,
    /// Those with this in their name, purpose, address or in what they can
    #[arg(short, long, value_name = "TEXT")]
    query: Option<String>,
}

impl Wanted {
    pub async fn list(&self, client: &Client) -> Outcome<List<Companion>> {
        let wanted = [
            ("type", &self.kind),
            ("capability", &self.capability),
            ("specialty", &self.specialty),
            ("health", &self.health),
            ("q", &self.query),
        ];
        let wanted = wanted.into_iter();
        let query: Vec<_> = wanted
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
            .collect();
        client.get_with(&["api", "registry"], &query).await
    }
}

/// Registers what a file says; `-` is standard input.
pub async fn register(client: &Client, file: &Path, json: bool) -> Outcome {
    let registration = read(file)?;
    let path = ["api", "registry", "register"];
    let registered: Registered = client.post(&path, &registration).await?;
    output::show(json, &registered, || {
        let companion = &registered.companion;
        let (name, every) = (words::harmless(&companion.name), registered.heartbeat_every);
        format!(
            "{} is at {} for {} s.  A heartbeat every {every:.0} s keeps it there; its lease is {}.\n",
            style::strong(&name),
            words::harmless(&companion.address),
            companion.ttl.unwrap_or_default(),
            registered.lease,
        )
    })
}

pub async fn deregister(client: &Client, name: &str) -> Outcome {
    client
        .send(Method::DELETE, &["api", "registry", name])
        .await?;
    output::print(&format!(
        "{} is gone.\n",
        style::strong(&words::harmless(name))
    ))
}

fn read(file: &Path) -> Outcome<Value> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(LONGEST).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LONGEST).read_to_string(&mut text))
    };
    let shown = words::harmless(&file.display().to_string());
    read.map_err(|error| Failure::new(format!("{shown} cannot be read: {error}")))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(format!("{shown} is no JSON: {error}"))
            .with_remedy("docs/directory.md shows what a registration is".to_owned())
    })
}
