//! Keeping the registry: what nobody needs goes, what is damaged is found.

mod needed;
mod schedule;

use std::time::Duration;

use ergon_oci::Blobs;
use ergon_store::{NewEvent, StoreError, now};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

use crate::api::{self, UpkeepEvent};
use crate::distribution::{DistributionError, GRACE, Rule};
use crate::stack::Stack;
pub use schedule::run;

/// What the last collection came to is kept under this name.
const COLLECTION: &str = "collection";
/// What the last check came to is kept under this name.
const CHECK: &str = "check";

/// Why the registry is not tidied up.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    #[error("the registry is being tidied up or checked already")]
    Busy,
    #[error(transparent)]
    Distribution(#[from] DistributionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UpkeepError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Busy => Some("try again when that has ended".to_owned()),
            Self::Distribution(error) => error.remedy(),
            Self::Store(error) => error.remedy(),
        }
    }
}

/// The registry's upkeep.
pub struct Upkeep<'a> {
    stack: &'a Stack,
}

impl<'a> Upkeep<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    /// Begins to collect, and says what would go before it does. Whoever does not listen any more ends nothing.
    pub fn collect(
        &self,
        wanted: &api::CollectGarbage,
    ) -> Result<mpsc::Receiver<UpkeepEvent>, UpkeepError> {
        if self.stack.distribution().tidy().is_none() {
            return Err(UpkeepError::Busy);
        }
        let rule = Rule {
            grace: wanted.grace_seconds.map_or(GRACE, Duration::from_secs),
            dry_run: wanted.dry_run,
        };
        let (sender, receiver) = mpsc::channel(16);
        let stack = self.stack.clone();
        tokio::spawn(async move {
            let work = Upkeep::new(&stack);
            let work = work.collect_now(rule, &sender);
            finish(&stack, &sender, work, false).await;
        });
        Ok(receiver)
    }

    async fn collect_now(
        &self,
        rule: Rule,
        sender: &mpsc::Sender<UpkeepEvent>,
    ) -> Result<(), UpkeepError> {
        let distribution = self.stack.distribution();
        let tidying = distribution.wait_to_tidy().await;
        let needed = self.needed().await?;
        let plan = distribution
            .plan_collection(rule, &needed, &tidying)
            .await?;
        tell(sender, UpkeepEvent::Plan(plan.clone())).await;
        if rule.dry_run {
            tell(sender, UpkeepEvent::Collected(plan)).await;
            return Ok(());
        }
        let written_down = distribution.write_down(&tidying);
        let needed = self.needed().await?;
        let done = distribution
            .collect(rule, &plan, &needed, &written_down)
            .await?;
        self.keep(COLLECTION, "dev.ergon.registry.tidied", &done)
            .await?;
        tracing::info!(
            manifests = done.manifests,
            blobs = done.blobs,
            contents = done.contents,
            bytes = done.bytes,
            "the registry was tidied up"
        );
        tell(sender, UpkeepEvent::Collected(done)).await;
        Ok(())
    }

    /// Begins to read all content. It ends when nobody listens any more.
    pub fn check(&self) -> Result<mpsc::Receiver<UpkeepEvent>, UpkeepError> {
        if self.stack.distribution().tidy().is_none() {
            return Err(UpkeepError::Busy);
        }
        let (sender, receiver) = mpsc::channel(16);
        let stack = self.stack.clone();
        tokio::spawn(async move {
            let work = Upkeep::new(&stack);
            let work = work.check_now(&sender);
            finish(&stack, &sender, work, true).await;
        });
        Ok(receiver)
    }

    async fn check_now(&self, sender: &mpsc::Sender<UpkeepEvent>) -> Result<(), UpkeepError> {
        let distribution = self.stack.distribution();
        let tidying = distribution.wait_to_tidy().await;
        let cache: &Blobs = self.stack.cache().blobs();
        let check = distribution.check(cache, &tidying, sender).await?;
        self.keep(CHECK, "dev.ergon.registry.checked", &check)
            .await?;
        tell(sender, UpkeepEvent::Checked(check)).await;
        Ok(())
    }

    /// Keeps what it came to, and tells of it in short.
    async fn keep(
        &self,
        kind: &str,
        event: &'static str,
        report: &impl Serialize,
    ) -> Result<(), StoreError> {
        let report = serde_json::to_value(report).unwrap_or_default();
        let numbers = report.as_object().into_iter().flatten();
        let numbers: serde_json::Map<_, _> = numbers
            .filter(|(_, value)| value.is_number())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let told = NewEvent::new(event, "registry", json!(numbers));
        let mut change = self.stack.store().change(told).await?;
        change.put_upkeep(kind, now(), &report).await?;
        change.commit().await
    }
}

/// Does the work until it ends or the stack does; where `needs_listener`, until nobody listens.
async fn finish(
    stack: &Stack,
    sender: &mpsc::Sender<UpkeepEvent>,
    work: impl Future<Output = Result<(), UpkeepError>>,
    needs_listener: bool,
) {
    let nobody = async {
        if needs_listener {
            sender.closed().await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        ended = work => ended,
        () = stack.shutdown().cancelled() => return,
        () = nobody => return,
    };
    if let Err(error) = ended {
        tracing::error!(%error, "the registry's upkeep ended early");
        let problem = api::Problem {
            kind: "about:blank".to_owned(),
            title: "Upkeep failed".to_owned(),
            status: 500,
            detail: error.to_string(),
            remedy: error.remedy(),
        };
        tell(sender, UpkeepEvent::Failed(problem)).await;
    }
}

/// Whoever does not listen any more is told nothing.
async fn tell(sender: &mpsc::Sender<UpkeepEvent>, told: UpkeepEvent) {
    let _ = sender.send(told).await;
}
