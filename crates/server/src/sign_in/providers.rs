//! The stack's identity providers, and whoever is on the way to one and back.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ergon_companion::redact;
use ergon_store::{IdentityProviderRow, NewEvent, Sealer, Store, now};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use reqwest::Url;
use serde_json::json;

use super::claims::Verified;
use super::error::{ProviderConfigError, ProviderError};
use super::exchange::{Challenge, Exchange, Metadata, discover};
use super::outgoing::Outgoing;
use super::provider::{IdentityProvider, PutIdentityProvider};
use crate::entropy::Entropy;
use crate::sessions::Secret;

const MOST_PROVIDERS: usize = 50;
/// Whoever takes longer begins again.
const PATIENCE: Duration = Duration::from_mins(10);
/// Whoever begins after so many others finds those gone that began first.
const MOST_ON_THE_WAY: u64 = 10_000;
/// For so long a provider is not asked again who it is, when somebody is sent there.
const FRESH: Duration = Duration::from_mins(1);
/// No code, state or issuer that comes back is longer.
const LONGEST_RETURNED: usize = 4096;

/// The stack's identity providers. Cheap to clone.
#[derive(Clone)]
pub struct IdentityProviders {
    store: Store,
    entropy: Entropy,
    sealer: Sealer,
    /// Under which name their secrets are hidden.
    hidden_as: String,
    known: Arc<RwLock<BTreeMap<String, Known>>>,
    /// By the state that comes back.
    on_the_way: Cache<String, OnTheWay>,
    metadata: Cache<String, Arc<Metadata>>,
}

#[derive(Clone)]
struct Known {
    provider: Arc<IdentityProvider>,
    sealed: Option<String>,
}

/// Whoever is on the way, and from which browser.
#[derive(Clone)]
struct OnTheWay {
    provider: String,
    challenge: Challenge,
    browser: String,
}

/// Where somebody is sent, and what their browser keeps until they are back.
pub struct Begun {
    pub url: Url,
    pub browser: Secret,
}

/// What somebody comes back with.
#[derive(Clone, Debug, Default)]
pub struct Returned {
    pub state: String,
    pub code: String,
    /// Who says so, where it is said (RFC 9207).
    pub issuer: Option<String>,
}

impl IdentityProviders {
    pub async fn open(
        store: Store,
        entropy: Entropy,
        sealer: Sealer,
        stack: &str,
    ) -> Result<Self, ergon_store::StoreError> {
        let mut known = BTreeMap::new();
        for row in store.identity_providers().await? {
            let sealed = row.client_secret.clone();
            let name = row.name.clone();
            match IdentityProvider::of(row) {
                Ok(provider) => {
                    let provider = Arc::new(provider);
                    known.insert(name, Known { provider, sealed });
                }
                Err(error) => {
                    tracing::error!(%error, provider = name, "an identity provider is not asked");
                }
            }
        }
        let providers = Self {
            store,
            entropy,
            sealer,
            hidden_as: format!("{stack}/identity-providers"),
            known: Arc::new(RwLock::new(known)),
            on_the_way: Cache::builder()
                .max_capacity(MOST_ON_THE_WAY)
                .time_to_live(PATIENCE)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            metadata: Cache::builder()
                .max_capacity(MOST_PROVIDERS as u64)
                .time_to_live(FRESH)
                .build(),
        };
        providers.hide();
        Ok(providers)
    }

    /// All of them, in the order of their names.
    pub fn list(&self) -> Vec<Arc<IdentityProvider>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known
            .values()
            .map(|known| Arc::clone(&known.provider))
            .collect()
    }

    pub fn get(&self, name: &str) -> Result<Arc<IdentityProvider>, ProviderConfigError> {
        let known = self.known(name);
        known
            .map(|known| known.provider)
            .ok_or_else(|| not_found(name))
    }

    fn known(&self, name: &str) -> Option<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(name).cloned()
    }

    /// Keeps what an identity provider is, once it has said who it is.
    pub async fn put(
        &self,
        name: &str,
        wanted: &PutIdentityProvider,
    ) -> Result<Arc<IdentityProvider>, ProviderConfigError> {
        let mut provider = wanted.checked(name)?;
        let before = self.known(name);
        if before.is_none() && self.list().len() >= MOST_PROVIDERS {
            return Err(ProviderConfigError::TooMuch {
                what: "the number of identity providers",
                most: MOST_PROVIDERS,
            });
        }
        let issuer = provider.issuer.clone();
        let refused = |reason: ProviderError| ProviderConfigError::Provider {
            issuer: issuer.clone(),
            reason: Box::new(reason),
        };
        let outgoing = outgoing(&issuer).map_err(refused)?;
        discover(&issuer, &outgoing).await.map_err(refused)?;
        // A secret goes to nobody else than to whom it went before.
        let is_the_same = |known: &&Known| {
            known.provider.issuer == provider.issuer
                && known.provider.client_id == provider.client_id
        };
        let sealed = match &wanted.client_secret {
            Some(secret) => {
                let sealed = self.sealer.seal(&purpose(name), secret.as_bytes());
                Some(sealed.map_err(|_| ProviderConfigError::Seal)?)
            }
            None => before
                .as_ref()
                .filter(is_the_same)
                .and_then(|known| known.sealed.clone()),
        };
        provider.has_secret = sealed.is_some();
        provider.changed_at = now();
        provider.created_at = before
            .as_ref()
            .map_or(provider.changed_at, |known| known.provider.created_at);
        let row: IdentityProviderRow = provider.row(sealed.clone());
        let mut change = self.store.change(told("set", name, &issuer)).await?;
        change.put_identity_provider(&row).await?;
        change.commit().await?;
        let provider = Arc::new(provider);
        let known = Known {
            provider: Arc::clone(&provider),
            sealed,
        };
        self.write(|all| all.insert(name.to_owned(), known));
        self.metadata.invalidate(&issuer);
        self.hide();
        Ok(provider)
    }

    /// Ends an identity provider: nobody comes in with it any more, and whoever did is out.
    pub async fn remove(&self, name: &str) -> Result<(), ProviderConfigError> {
        let known = self.known(name).ok_or_else(|| not_found(name))?;
        let issuer = &known.provider.issuer;
        let mut change = self.store.change(told("removed", name, issuer)).await?;
        change.remove_identity_provider(name).await?;
        change.end_sessions_of_issuer(issuer).await?;
        change.commit().await?;
        self.write(|all| all.remove(name));
        self.hide();
        Ok(())
    }

    fn write<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Known>) -> T) -> T {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where somebody is sent to say who they are, and comes back to `return_to`.
    pub async fn begin(&self, name: &str, return_to: String) -> Result<Begun, ProviderError> {
        let known = self.known(name).ok_or(ProviderError::Unknown)?;
        let issuer = known.provider.issuer.clone();
        let outgoing = outgoing(&issuer)?;
        let metadata = if let Some(metadata) = self.metadata.get(&issuer) {
            metadata
        } else {
            let metadata = Arc::new(discover(&issuer, &outgoing).await?);
            self.metadata.insert(issuer, Arc::clone(&metadata));
            metadata
        };
        let random = || Secret::new(&self.entropy).reveal().to_owned();
        let challenge = Challenge {
            state: random(),
            nonce: random(),
            verifier: random(),
            return_to,
        };
        let exchange = Exchange {
            provider: &known.provider,
            secret: None,
            metadata: &metadata,
            outgoing: &outgoing,
        };
        let url = exchange.begin(&challenge)?;
        let browser = Secret::new(&self.entropy);
        self.on_the_way.insert(
            challenge.state.clone(),
            OnTheWay {
                provider: name.to_owned(),
                challenge,
                browser: browser.hash(),
            },
        );
        Ok(Begun { url, browser })
    }

    /// What the provider says of whoever came back, in the browser in which it was begun. It counts once.
    pub async fn finish(
        &self,
        returned: Returned,
        browser: Option<&Secret>,
    ) -> Result<(Arc<IdentityProvider>, Verified), ProviderError> {
        let parts = [&returned.state, &returned.code];
        let parts = parts.into_iter().chain(&returned.issuer);
        if parts.into_iter().any(|part| part.len() > LONGEST_RETURNED) {
            return Err(ProviderError::NotBegun);
        }
        let found = self.on_the_way.remove(&returned.state);
        let on_the_way = found.ok_or(ProviderError::NotBegun)?;
        if !browser.is_some_and(|browser| browser.has_hash(&on_the_way.browser)) {
            return Err(ProviderError::OtherBrowser);
        }
        // Whoever changed it meanwhile meant it.
        let known = self.known(&on_the_way.provider);
        let known = known.ok_or(ProviderError::Unknown)?;
        let outgoing = outgoing(&known.provider.issuer)?;
        // Asked anew: its keys may be others by now.
        let metadata = discover(&known.provider.issuer, &outgoing).await?;
        let exchange = Exchange {
            provider: &known.provider,
            secret: self.opened(&known)?,
            metadata: &metadata,
            outgoing: &outgoing,
        };
        let challenge = &on_the_way.challenge;
        let said_issuer = returned.issuer.as_deref();
        let verified = exchange
            .finish(challenge, returned.code, said_issuer)
            .await?;
        Ok((known.provider, verified))
    }

    fn opened(&self, known: &Known) -> Result<Option<String>, ProviderError> {
        let Some(sealed) = &known.sealed else {
            return Ok(None);
        };
        let opened = self.sealer.open(&purpose(&known.provider.name), sealed);
        let opened = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        opened.map(Some).ok_or(ProviderError::Seal)
    }

    /// Has the secrets hidden wherever they might show up.
    fn hide(&self) {
        let all: Vec<Known> = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.values().cloned().collect()
        };
        let secrets: Vec<String> = all
            .iter()
            .filter_map(|known| self.opened(known).ok().flatten())
            .collect();
        redact::know(&self.hidden_as, secrets.iter().map(String::as_bytes));
    }
}

impl std::fmt::Debug for IdentityProviders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityProviders")
    }
}

fn outgoing(issuer: &str) -> Result<Outgoing, ProviderError> {
    let no_url = ProviderError::Metadata("its issuer is no URL");
    let url: Url = issuer.parse().map_err(|_| no_url)?;
    Ok(Outgoing::new(&url)?)
}

fn purpose(name: &str) -> String {
    format!("identity-provider/{name}/client-secret")
}

fn not_found(name: &str) -> ProviderConfigError {
    ProviderConfigError::NotFound {
        name: name.chars().take(80).collect(),
    }
}

fn told(what: &str, name: &str, issuer: &str) -> NewEvent {
    let kind = match what {
        "set" => "dev.ergon.identity-provider.set",
        _ => "dev.ergon.identity-provider.removed",
    };
    let data = json!({ "name": name, "issuer": issuer });
    NewEvent::new(kind, format!("identity-provider/{name}"), data)
}
