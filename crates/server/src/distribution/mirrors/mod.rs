//! Mirrors: repositories whose images are fetched from a registry elsewhere when they are asked for, and then held.
//!
//! A repository belongs to a mirror by the first part of its name. What has a digest is asked for once and is then
//! ours; what a tag means is asked again after a while. Where the upstream is away, what is held is served.

mod blobs;
mod coming;
mod manifests;
mod one_at_a_time;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ergon_oci::distribution::upstream::{Upstream, UpstreamError};
use ergon_oci::registry::{Code, Refusal, RepositoryName};
use ergon_store::UpstreamRow;

pub use blobs::{FoundBlob, Wanted};
use coming::Coming;
pub use manifests::Found;
use one_at_a_time::OneAtATime;

/// An upstream that kept us waiting in vain, or that said to come later, is left alone for so long.
const REST: Duration = Duration::from_secs(20);
/// Of so many blobs it is remembered how long the manifests say that they are.
const REMEMBERED: u64 = 64 * 1024;
const DOCKER_HUB: &str = "docker.io";
/// So many blobs are fetched from one upstream at a time.
const AT_ONCE: usize = 16;

/// The mirrors of a registry.
#[derive(Debug)]
pub struct Mirrors {
    known: RwLock<BTreeMap<String, Arc<Mirror>>>,
    /// Who fetches what, so that nothing is fetched twice at once.
    turns: OneAtATime,
    coming: Mutex<HashMap<String, Arc<Coming>>>,
    /// How long blobs are by the manifests that were fetched.
    sizes: moka::sync::Cache<String, u64>,
}

/// One mirror.
#[derive(Debug)]
pub struct Mirror {
    pub row: UpstreamRow,
    pub upstream: Upstream,
    resting: Mutex<Option<(Instant, UpstreamError)>>,
    transfers: tokio::sync::Semaphore,
}

/// A repository of a mirror.
#[derive(Clone, Debug)]
pub struct Mirrored {
    pub mirror: Arc<Mirror>,
    /// The repository's name at the upstream.
    pub there: String,
}

impl Default for Mirrors {
    fn default() -> Self {
        Self {
            known: RwLock::default(),
            turns: OneAtATime::default(),
            coming: Mutex::default(),
            sizes: moka::sync::Cache::new(REMEMBERED),
        }
    }
}

impl Mirrors {
    pub fn add(&self, row: UpstreamRow, upstream: Upstream) {
        let mirror = Arc::new(Mirror {
            upstream,
            resting: Mutex::default(),
            transfers: tokio::sync::Semaphore::new(AT_ONCE),
            row,
        });
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(mirror.row.name.clone(), mirror);
    }

    pub fn remove(&self, name: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.remove(name);
    }

    /// What is known of each, in the order of their names.
    pub fn rows(&self) -> Vec<UpstreamRow> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().map(|mirror| mirror.row.clone()).collect()
    }

    /// Which upstream's a repository is; `None` where it is our own.
    pub fn of(&self, repository: &RepositoryName) -> Option<Mirrored> {
        let (name, there) = repository.as_str().split_once('/')?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mirror = Arc::clone(known.get(name)?);
        // What people call `python` is `library/python` there.
        let is_official = mirror.row.registry == DOCKER_HUB && !there.contains('/');
        let there = if is_official {
            format!("library/{there}")
        } else {
            there.to_owned()
        };
        Some(Mirrored { mirror, there })
    }

    /// The repository here that a repository of a registry elsewhere is, where there is a mirror of that.
    pub fn standing_for(
        &self,
        registry: &str,
        repository: &RepositoryName,
    ) -> Option<Result<RepositoryName, Refusal>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mirror = known
            .values()
            .find(|mirror| mirror.row.registry == registry)?;
        let name = format!("{}/{repository}", mirror.row.name);
        let parsed = name.parse::<RepositoryName>();
        Some(parsed.map_err(|error| Refusal::new(400, Code::NameInvalid, error.to_string())))
    }

    /// Whether a mirror is still the one of its name.
    fn still_has(&self, mirror: &Arc<Mirror>) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let now = known.get(&mirror.row.name);
        now.is_some_and(|now| Arc::ptr_eq(now, mirror))
    }
}

impl Mirror {
    /// Who it is that pushed what the mirror fetched.
    fn by(&self) -> String {
        format!("upstream:{}", self.row.name)
    }

    /// Why the upstream is not asked now.
    fn resting(&self) -> Option<UpstreamError> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, why) = resting.clone()?;
        if until > Instant::now() {
            return Some(match why {
                UpstreamError::Busy { host, .. } => UpstreamError::Busy {
                    host,
                    wait: Some(until.duration_since(Instant::now())),
                },
                why => why,
            });
        }
        *resting = None;
        None
    }

    /// Asks the upstream, unless it is left alone, and leaves it alone where it wants that.
    async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, UpstreamError>>,
    ) -> Result<T, UpstreamError> {
        if let Some(why) = self.resting() {
            return Err(why);
        }
        let answer = question.await;
        if let Err(error) = &answer {
            let rest = match error {
                UpstreamError::Busy { wait, .. } => Some(wait.unwrap_or(REST)),
                UpstreamError::Unreachable {
                    took_long: true, ..
                } => Some(REST),
                _ => None,
            };
            if let Some(rest) = rest {
                let until = Instant::now() + rest;
                let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
                *resting = Some((until, error.clone()));
            }
            tracing::info!(upstream = self.row.name, %error, "the upstream did not give what it was asked for");
        }
        answer
    }

    /// As a client is told why what it asked for is not to be had.
    fn refusal(&self, error: &UpstreamError, unknown: impl FnOnce() -> Refusal) -> Refusal {
        let name = &self.row.name;
        match error {
            UpstreamError::Unknown { .. } => unknown(),
            UpstreamError::Denied { .. } => Refusal::new(
                403,
                Code::Denied,
                format!("the upstream of `{name}` did not let us: {error}"),
            ),
            UpstreamError::Busy { wait, .. } => {
                let mut refusal = Refusal::new(
                    429,
                    Code::TooManyRequests,
                    format!("the upstream of `{name}` wants to be left alone: {error}"),
                );
                refusal.retry_after = wait.map(|wait| wait.as_secs().max(1));
                refusal
            }
            UpstreamError::Unreachable { .. } | UpstreamError::Failed { .. } => Refusal::new(
                502,
                Code::Unknown,
                format!(
                    "the upstream of `{name}` did not give it, and it is not held here: {error}"
                ),
            ),
        }
    }

    /// The upstream sent something else than what was asked for.
    fn wrong(&self, what: &str) -> Refusal {
        let name = &self.row.name;
        tracing::warn!(upstream = name, what, "the upstream sent something wrong");
        Refusal::new(
            502,
            Code::Unknown,
            format!(
                "the upstream of `{name}` sent something wrong, and nothing of it was kept: {what}"
            ),
        )
    }
}

/// Nobody pushes into a mirror.
pub fn not_pushed_to(repository: &RepositoryName, mirrored: &Mirrored) -> Refusal {
    Refusal::new(
        405,
        Code::Unsupported,
        format!(
            "`{repository}` is a mirror of {}, and nobody pushes into a mirror",
            mirrored.mirror.row.url
        ),
    )
}
