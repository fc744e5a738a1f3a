//! Secrets by name: sealed at rest, versioned, and given only where somebody said so.
//!
//! What a secret says comes in by one route and leaves to containers and build steps only. It is in no answer, no event, no
//! log and no error; events and the audit log know its name and the number of its version.

mod error;
mod given;
mod grant;
mod hidden;
mod key;
mod name;
mod places;
mod value;
mod vault;
mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ergon_store::{NewEvent, SecretGrantRow, SecretRow, SecretVersionRow, Store, now};
use serde_json::json;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use self::grant::Grant;
use self::key::{Purpose, SecretKey};
use self::places::Places;
use self::vault::Vault;
use self::view::{by_secret, told, told_of_grant, version_view, view};
use crate::api;
use crate::entropy::Entropy;

pub use error::SecretError;
pub use given::{Given, PROGRAM_SECRETS, Wanted};
pub use hidden::run;
pub use key::SecretKeyError;
pub use name::SecretName;
pub use value::{SecretValue, SecretValueError};
pub use vault::{VaultConfig, VaultError};

/// So many versions of a secret can be read; the oldest beyond them is destroyed.
const KEPT: usize = 20;
const LONGEST_NOTE: usize = 200;
const MOST_DAYS: u32 = 3650;
const DAY: i64 = 24 * 60 * 60 * 1000;
/// What a version that a vault keeps says of its key.
const IN_VAULT: &str = "vault";

/// How secrets are kept.
#[derive(Clone, Debug, Default)]
pub struct SecretsConfig {
    /// A file with the passphrase that the stack's key is under.
    pub passphrase_file: Option<PathBuf>,
    /// Where values are kept instead of the store.
    pub vault: Option<VaultConfig>,
}

/// The stack's secrets.
pub struct Secrets {
    store: Store,
    entropy: Entropy,
    key: Arc<SecretKey>,
    vault: Option<Vault>,
    /// Where containers find theirs.
    places: Places,
    /// What versions say that are to be hidden wherever they show up, by their ids.
    known: std::sync::Mutex<BTreeMap<String, SecretValue>>,
    /// Under which name those are hidden.
    stack: String,
    /// One change at a time: nothing is sealed under a key that is about to go.
    changing: Mutex<()>,
}

/// Where a value went.
struct Kept {
    sealed: Option<String>,
    sealed_for: String,
    vault_version: Option<i64>,
}

impl Secrets {
    /// Takes up what is kept; a key that does not open it, or a vault that refuses the token, says so here.
    pub async fn open(
        store: Store,
        entropy: Entropy,
        folder: &Path,
        stack: &str,
        config: SecretsConfig,
    ) -> Result<Self, SecretError> {
        let vault = config.vault.map(|vault| Vault::new(vault, stack));
        let vault = vault.transpose()?;
        let folder = folder.to_owned();
        let opening = move || SecretKey::open(&folder, config.passphrase_file.as_deref());
        let key = tokio::task::spawn_blocking(opening).await??;
        let secrets = Self {
            store,
            entropy,
            key: Arc::new(key),
            vault,
            places: Places::find(stack),
            known: std::sync::Mutex::default(),
            stack: stack.to_owned(),
            changing: Mutex::default(),
        };
        secrets.check().await?;
        secrets.learn().await?;
        Ok(secrets)
    }

    /// Whether everything that is sealed can be opened, and the vault takes the token.
    async fn check(&self) -> Result<(), SecretError> {
        let sealed = self.sealed().await?;
        if !sealed.is_empty() && self.key.public().is_none() {
            return Err(SecretKeyError::Missing {
                path: self.key.path().to_owned(),
                sealed: sealed.len(),
            }
            .into());
        }
        let foreign = |row: &&SecretVersionRow| !self.key.knows(&row.sealed_for);
        if let Some(row) = sealed.iter().find(foreign) {
            return Err(SecretKeyError::Other {
                path: self.key.path().to_owned(),
                secret: row.secret.clone(),
            }
            .into());
        }
        if self.key.is_changing() {
            tracing::info!(
                "the key for secrets was being changed when the stack ended; this goes on now"
            );
            self.reseal().await?;
        }
        let Some(vault) = &self.vault else {
            return Ok(());
        };
        match vault.check().await {
            Err(error) if error.is_away() => {
                tracing::error!(%error, "what the vault keeps cannot be used until it is back");
                Ok(())
            }
            checked => Ok(checked?),
        }
    }

    /// Where containers find theirs.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Every secret, by name.
    pub async fn list(&self) -> Result<Vec<api::Secret>, SecretError> {
        let rows = self.store.secrets().await?;
        let mut versions = by_secret(self.store.secret_versions(None).await?, |row| &row.secret);
        let mut grants = by_secret(self.store.secret_grants(None).await?, |row| &row.secret);
        let projects = self.projects().await?;
        let view = |row: SecretRow| {
            let versions = versions.remove(&row.name).unwrap_or_default();
            let grants = grants.remove(&row.name).unwrap_or_default();
            view(row, &versions, grants, &projects)
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// One secret.
    pub async fn get(&self, name: &str) -> Result<api::Secret, SecretError> {
        let row = self.row(name).await?;
        let versions = self.store.secret_versions(Some(&row.name)).await?;
        let grants = self.store.secret_grants(Some(&row.name)).await?;
        Ok(view(row, &versions, grants, &self.projects().await?))
    }

    /// The versions of a secret, the newest first.
    pub async fn versions(&self, name: &str) -> Result<Vec<api::SecretVersion>, SecretError> {
        let row = self.row(name).await?;
        let versions = self.store.secret_versions(Some(&row.name)).await?;
        Ok(versions.into_iter().map(version_view).collect())
    }

    /// Has a secret say this from now on. Says whether it is a new one.
    pub async fn set(
        &self,
        name: &str,
        wanted: api::SetSecret,
        by: &str,
    ) -> Result<(api::Secret, bool), SecretError> {
        let name = parsed(name)?;
        let value = value_of(wanted.value, wanted.value_base64).map_err(SecretError::Value)?;
        if let Some(note) = &wanted.note
            && (note.chars().count() > LONGEST_NOTE || note.chars().any(char::is_control))
        {
            return Err(SecretError::Note(LONGEST_NOTE));
        }
        if wanted
            .days
            .is_some_and(|days| days == 0 || days > MOST_DAYS)
        {
            return Err(SecretError::Days(MOST_DAYS));
        }
        let _changing = self.changing.lock().await;
        let before = self.store.secret(name.as_str()).await?;
        let is_new = before.is_none();
        let time = now();
        let last_version = before.as_ref().map_or(0, |row| row.last_version);
        let row = SecretRow {
            name: name.to_string(),
            note: match (wanted.note, &before) {
                (Some(note), _) => note,
                (None, Some(before)) => before.note.clone(),
                (None, None) => String::new(),
            },
            created_at: before.as_ref().map_or(time, |row| row.created_at),
            changed_at: time,
            changed_by: by.to_owned(),
            last_version: last_version + 1,
        };
        let id = hex::encode(self.entropy.bytes::<16>());
        self.hide(&id, &value).await?;
        let kept = self.keep(&name, &id, value).await?;
        let version = SecretVersionRow {
            secret: name.to_string(),
            version: row.last_version,
            id,
            state: "current".to_owned(),
            sealed: kept.sealed,
            sealed_for: kept.sealed_for,
            vault_version: kept.vault_version,
            created_at: time,
            created_by: by.to_owned(),
            expires_at: wanted.days.map(|days| time + i64::from(days) * DAY),
        };
        let mut change = self
            .store
            .change(told("dev.ergon.secret.set", &name, Some(row.last_version)))
            .await?;
        change.put_secret(&row).await?;
        change.add_secret_version(&version).await?;
        let old = self.store.secret_versions(Some(name.as_str())).await?;
        let readable = old.iter().filter(|row| row.state != "destroyed");
        // One more than these is there from now on.
        let beyond: Vec<&SecretVersionRow> = readable.skip(KEPT - 1).collect();
        for row in &beyond {
            change
                .destroy_secret_version(&row.secret, row.version)
                .await?;
        }
        change.commit().await?;
        for row in beyond {
            self.forget_in_vault(row).await;
        }
        Ok((self.get(name.as_str()).await?, is_new))
    }

    /// Has a version that is not the current one say nothing any more.
    pub async fn destroy(&self, name: &str, version: u64) -> Result<(), SecretError> {
        let name = parsed(name)?;
        let _changing = self.changing.lock().await;
        let row = self.row(name.as_str()).await?;
        let versions = self.store.secret_versions(Some(&row.name)).await?;
        let wanted = versions
            .iter()
            .find(|row| u64::try_from(row.version) == Ok(version) && row.state != "destroyed");
        let Some(wanted) = wanted else {
            let name = row.name;
            return Err(SecretError::NoVersion { name, version });
        };
        if wanted.state == "current" {
            let name = row.name;
            return Err(SecretError::Current { name, version });
        }
        // The store forgets it once the vault has.
        if let (Some(vault), Some(number)) = (self.vault_of(wanted)?, wanted.vault_version) {
            vault.destroy(&wanted.secret, number).await?;
        }
        let event = told(
            "dev.ergon.secret.version_destroyed",
            &name,
            Some(wanted.version),
        );
        let mut change = self.store.change(event).await?;
        change
            .destroy_secret_version(&wanted.secret, wanted.version)
            .await?;
        change.commit().await?;
        self.learn().await?;
        Ok(())
    }

    /// Removes a secret with everything it ever said.
    pub async fn remove(&self, name: &str) -> Result<(), SecretError> {
        let name = parsed(name)?;
        let _changing = self.changing.lock().await;
        let row = self.row(name.as_str()).await?;
        let versions = self.store.secret_versions(Some(&row.name)).await?;
        if let Some(kept) = versions
            .iter()
            .find(|row| row.sealed_for == IN_VAULT && row.state != "destroyed")
            && let Some(vault) = self.vault_of(kept)?
        {
            vault.forget(&row.name).await?;
        }
        let mut change = self
            .store
            .change(told("dev.ergon.secret.removed", &name, None))
            .await?;
        change.remove_secret(&row.name).await?;
        change.commit().await?;
        self.learn().await?;
        Ok(())
    }

    /// Lets a secret be used somewhere.
    pub async fn grant(
        &self,
        name: &str,
        wanted: api::GrantSecret,
        by: &str,
    ) -> Result<api::Secret, SecretError> {
        let row = self.row(name).await?;
        let grant = self.grant_row(&row, wanted, by).await?;
        let event = told_of_grant("dev.ergon.secret.granted", &grant);
        let mut change = self.store.change(event).await?;
        change.grant_secret(&grant).await?;
        change.commit().await?;
        self.get(&row.name).await
    }

    /// Does not let a secret be used somewhere any more. What has it already keeps it until it is started anew.
    pub async fn revoke(
        &self,
        name: &str,
        wanted: api::GrantSecret,
        by: &str,
    ) -> Result<api::Secret, SecretError> {
        let row = self.row(name).await?;
        let grant = self.grant_row(&row, wanted, by).await?;
        let event = told_of_grant("dev.ergon.secret.revoked", &grant);
        let mut change = self.store.change(event).await?;
        if !change.revoke_secret(&grant).await? {
            return Err(SecretError::NotGranted { name: row.name });
        }
        change.commit().await?;
        self.get(&row.name).await
    }

    /// What secrets are sealed under.
    pub async fn key(&self) -> Result<api::SecretKey, SecretError> {
        let rows = self.store.secret_versions(None).await?;
        let rows = rows.iter().filter(|row| row.state != "destroyed");
        let (in_vault, sealed): (Vec<_>, Vec<_>) = rows.partition(|row| row.sealed_for == IN_VAULT);
        let kind = match (&self.vault, self.key.has_passphrase()) {
            (Some(_), _) => "vault",
            (None, true) => "passphrase",
            (None, false) => "file",
        };
        Ok(api::SecretKey {
            kind: kind.to_owned(),
            public: self.key.public(),
            sealed: sealed.len() as u64,
            vault: self.vault.as_ref().map(Vault::describe),
            in_vault: in_vault.len() as u64,
        })
    }

    /// Seals everything under a new key, and forgets the one of before.
    ///
    /// The new key is in the file beside the old one before anything is sealed under it, and the old one goes once nothing
    /// is sealed under it any more: whenever this is cut off, everything opens, and the next start goes on.
    pub async fn rotate_key(&self) -> Result<api::SecretKey, SecretError> {
        {
            let _changing = self.changing.lock().await;
            if self.vault.is_some() && self.sealed().await?.is_empty() {
                return Err(SecretError::InVault);
            }
            let key = self.key.clone();
            tokio::task::spawn_blocking(move || key.begin_change()).await??;
            self.reseal().await?;
        }
        self.key().await
    }

    /// Seals under the first key what is sealed under another, and forgets the others.
    async fn reseal(&self) -> Result<(), SecretError> {
        let public = self.key.public();
        let rows = self.sealed().await?;
        let others = rows
            .into_iter()
            .filter(|row| Some(&row.sealed_for) != public.as_ref());
        let others: Vec<SecretVersionRow> = others.collect();
        let event = NewEvent::new(
            "dev.ergon.secret.key_changed",
            "secret-key",
            json!({ "public": public, "resealed": others.len() }),
        );
        let key = self.key.clone();
        let work = move || -> Result<Vec<_>, SecretKeyError> {
            let reseal = |row: SecretVersionRow| {
                let purpose = Purpose {
                    secret: &row.secret,
                    id: &row.id,
                };
                let sealed = row.sealed.as_deref().unwrap_or_default();
                let value = key.unseal(purpose, sealed)?;
                let (sealed, public) = key.seal(purpose, &value)?;
                Ok((row, sealed, public))
            };
            others.into_iter().map(reseal).collect()
        };
        let resealed = tokio::task::spawn_blocking(work).await??;
        let mut change = self.store.change(event).await?;
        for (row, sealed, public) in &resealed {
            change
                .reseal_secret_version(&row.secret, row.version, sealed, public)
                .await?;
        }
        change.commit().await?;
        let key = self.key.clone();
        tokio::task::spawn_blocking(move || key.end_change()).await??;
        Ok(())
    }

    /// The versions that the stack itself has sealed.
    async fn sealed(&self) -> Result<Vec<SecretVersionRow>, SecretError> {
        let rows = self.store.secret_versions(None).await?;
        let sealed = rows.into_iter().filter(|row| row.sealed.is_some());
        Ok(sealed.collect())
    }

    async fn row(&self, name: &str) -> Result<SecretRow, SecretError> {
        let name = parsed(name)?;
        let row = self.store.secret(name.as_str()).await?;
        row.ok_or_else(|| SecretError::NotFound {
            name: name.to_string(),
        })
    }

    async fn keep(
        &self,
        name: &SecretName,
        id: &str,
        value: SecretValue,
    ) -> Result<Kept, SecretError> {
        if let Some(vault) = &self.vault {
            let secret = name.as_str();
            return Ok(Kept {
                sealed: None,
                sealed_for: IN_VAULT.to_owned(),
                vault_version: Some(vault.keep(Purpose { secret, id }, &value).await?),
            });
        }
        let (key, name, id) = (self.key.clone(), name.clone(), id.to_owned());
        let sealing = move || {
            let secret = name.as_str();
            key.seal(Purpose { secret, id: &id }, &value)
        };
        let (sealed, sealed_for) = tokio::task::spawn_blocking(sealing).await??;
        Ok(Kept {
            sealed: Some(sealed),
            sealed_for,
            vault_version: None,
        })
    }

    /// What a version says.
    async fn reveal(&self, row: &SecretVersionRow) -> Result<SecretValue, SecretError> {
        let purpose = Purpose {
            secret: &row.secret,
            id: &row.id,
        };
        let destroyed = || SecretError::Destroyed {
            name: row.secret.clone(),
        };
        if row.state == "destroyed" {
            return Err(destroyed());
        }
        if let Some(vault) = self.vault_of(row)? {
            let number = row.vault_version.ok_or_else(destroyed)?;
            return Ok(vault.open(purpose, number).await?);
        }
        let sealed = row.sealed.as_deref().ok_or_else(destroyed)?;
        Ok(self.key.unseal(purpose, sealed)?)
    }

    /// The vault, where that is what keeps this version.
    fn vault_of(&self, row: &SecretVersionRow) -> Result<Option<&Vault>, SecretError> {
        if row.sealed_for != IN_VAULT {
            return Ok(None);
        }
        let vault = self.vault.as_ref().ok_or_else(|| SecretError::NoVault {
            name: row.secret.clone(),
        })?;
        Ok(Some(vault))
    }

    /// Forgets in the vault what the store has forgotten already.
    async fn forget_in_vault(&self, row: &SecretVersionRow) {
        let (Ok(Some(vault)), Some(number)) = (self.vault_of(row), row.vault_version) else {
            return;
        };
        if let Err(error) = vault.destroy(&row.secret, number).await {
            tracing::warn!(%error, secret = row.secret, version = row.version, "an old version stays in the vault");
        }
    }

    /// The names of projects, by their ids.
    async fn projects(&self) -> Result<BTreeMap<String, String>, SecretError> {
        let rows = self.store.projects().await?;
        let named = rows.into_iter().map(|row| (row.id.to_string(), row.name));
        Ok(named.collect())
    }

    async fn grant_row(
        &self,
        secret: &SecretRow,
        wanted: api::GrantSecret,
        by: &str,
    ) -> Result<SecretGrantRow, SecretError> {
        let grant = Grant::new(&wanted.kind, wanted.part)?;
        let project = self.store.project(&wanted.project).await?;
        let project = project.ok_or_else(|| SecretError::NoProject {
            project: wanted.project.chars().take(80).collect(),
        })?;
        Ok(SecretGrantRow {
            secret: secret.name.clone(),
            kind: grant.kind.word().to_owned(),
            project_id: project.id.to_string(),
            part: grant.part,
            granted_at: now(),
            granted_by: by.to_owned(),
        })
    }
}

fn parsed(name: &str) -> Result<SecretName, SecretError> {
    name.parse().map_err(|error| SecretError::Name {
        name: name.chars().take(80).collect(),
        error,
    })
}

fn value_of(text: Option<String>, base64: Option<String>) -> Result<SecretValue, SecretValueError> {
    match (text.map(Zeroizing::new), base64.map(Zeroizing::new)) {
        (Some(text), None) => SecretValue::new(text.as_bytes().to_vec()),
        (None, Some(encoded)) => {
            let decoded = STANDARD.decode(encoded.trim());
            SecretValue::new(decoded.map_err(|_| SecretValueError::Base64)?)
        }
        _ => Err(SecretValueError::Both),
    }
}
