//! Having hidden, wherever it shows up, what secrets say.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use ergon_companion::redact;

use super::{SecretError, SecretValue, Secrets};
use crate::stack::Stack;

/// A vault that is away is asked again so often.
const AGAIN: Duration = Duration::from_secs(30);

impl Secrets {
    /// Has everything hidden that a version says which still says something. Says whether that is all of it: what a vault
    /// keeps that is away is not known yet.
    pub(super) async fn learn(&self) -> Result<bool, SecretError> {
        let rows = self.store.secret_versions(None).await?;
        let rows: Vec<_> = rows.iter().filter(|row| row.state != "destroyed").collect();
        let mut is_all = true;
        for row in &rows {
            if self.known().contains_key(&row.id) {
                continue;
            }
            match self.reveal(row).await {
                Ok(value) => drop(self.known().insert(row.id.clone(), value)),
                Err(error) => {
                    tracing::error!(%error, secret = row.secret, version = row.version, "a secret is not known yet, and not hidden");
                    is_all = false;
                }
            }
        }
        self.known()
            .retain(|id, _| rows.iter().any(|row| row.id == *id));
        self.hide_all().await?;
        Ok(is_all)
    }

    /// The same while nothing else changes: what is about to be kept is not forgotten again.
    async fn learn_alone(&self) -> Result<bool, SecretError> {
        let _changing = self.changing.lock().await;
        self.learn().await
    }

    /// Has a value hidden before anybody can be given it.
    pub(super) async fn hide(&self, id: &str, value: &SecretValue) -> Result<(), SecretError> {
        self.known().insert(id.to_owned(), value.clone());
        self.hide_all().await
    }

    async fn hide_all(&self) -> Result<(), SecretError> {
        let values: Vec<SecretValue> = self.known().values().cloned().collect();
        let stack = self.stack.clone();
        let hiding = move || redact::know(&stack, values.iter().map(SecretValue::reveal));
        Ok(tokio::task::spawn_blocking(hiding).await?)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, SecretValue>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gets to know what a vault keeps that was away, until the stack ends.
pub async fn run(stack: Stack) {
    loop {
        match stack.secrets().learn_alone().await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "secrets are not known yet, and not hidden"),
        }
        tokio::select! {
            () = stack.shutdown().cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}
