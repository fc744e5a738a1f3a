//! Robots: programs that use the registry, and with a role the rest of the API, under a name and a secret of their own.
//!
//! They are few and asked for with every request, so all are kept in memory; only this process writes them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use ergon_store::{NewEvent, RobotRow, Store, StoreError, now};
use serde_json::json;

use super::account;
use super::allowance::Allowance;
use super::scope::Verb;
use crate::authorize::{ParseRoleError, Role};
use crate::entropy::Entropy;
use crate::sessions::Secret;

/// The longest text that says what a robot is for.
const LONGEST_ABOUT: usize = 500;
const MOST_ALLOWANCES: usize = 100;
/// Names that mean somebody else where a name is asked for.
const TAKEN: [&str; 4] = ["ergon", "owner", "nobody", "token"];

/// A robot, as far as anybody may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Robot {
    pub name: String,
    /// What it is for, in its owner's words.
    pub about: String,
    pub allowances: Vec<Allowance>,
    /// When its secret was made. Milliseconds since 1970, as the other times.
    pub secret_at: i64,
    pub created_at: i64,
    /// Absent: it does not end by itself.
    pub expires_at: Option<i64>,
    /// What it is beside, for the rest of the API.
    pub roles: Vec<Role>,
    pub last_used_at: Option<i64>,
}

impl Robot {
    pub fn may(&self, repository: &str, verb: Verb) -> bool {
        let mut allowances = self.allowances.iter();
        allowances.any(|allowance| allowance.allows(repository, verb))
    }

    pub fn may_see_the_catalog(&self) -> bool {
        self.allowances.iter().any(Allowance::allows_catalog)
    }

    pub fn has_ended(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Why something is not done to a robot.
#[derive(Debug, thiserror::Error)]
pub enum RobotError {
    #[error("there is no robot `{name}`")]
    NotFound { name: String },
    #[error("`{name}` cannot be the name of a robot: {why}")]
    Name { name: String, why: &'static str },
    #[error(transparent)]
    Role(#[from] ParseRoleError),
    #[error("a robot that may do nothing needs no secret")]
    NoAllowances,
    #[error("{what} is too much: at most {most}")]
    TooMuch { what: &'static str, most: usize },
    #[error(transparent)]
    Allowance(#[from] super::ParseAllowanceError),
    #[error("there is a robot `{name}` already")]
    Exists { name: String },
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for RobotError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists { name, .. } => Self::Exists { name },
            error => Self::Store(error),
        }
    }
}

impl RobotError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NotFound { .. } => "ergon registry robot list says which there are",
            Self::Exists { name } => {
                return Some(format!(
                    "choose another name, or give it another secret: ergon registry robot rotate {name}"
                ));
            }
            Self::NoAllowances => {
                "say what it may do: --allow 'team/*:pull,push', or --role developer"
            }
            Self::Name { .. } => "choose another name, as `ci` or `cluster-eu`",
            Self::TooMuch { .. } | Self::Allowance(_) | Self::Role(_) => return None,
            Self::Store(error) => return error.remedy(),
        };
        Some(text.to_owned())
    }
}

/// What a new robot is to be.
#[derive(Clone, Debug, Default)]
pub struct NewRobot {
    pub name: String,
    pub about: String,
    /// `team/*:pull,push`, …
    pub allowances: Vec<String>,
    /// Absent: it does not end by itself.
    pub days: Option<u32>,
    /// What it is beside, for the rest of the API.
    pub roles: Vec<String>,
}

/// All robots of the stack. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Robots {
    store: Store,
    entropy: Entropy,
    known: Arc<RwLock<BTreeMap<String, Known>>>,
}

#[derive(Clone, Debug)]
struct Known {
    robot: Arc<Robot>,
    secret_hash: String,
}

impl Robots {
    /// Reads those there are.
    pub async fn open(store: Store, entropy: Entropy) -> Result<Self, StoreError> {
        let rows = store.robots().await?;
        let known = rows.into_iter().map(known).collect::<Result<_, _>>()?;
        Ok(Self {
            store,
            entropy,
            known: Arc::new(RwLock::new(known)),
        })
    }

    /// The robot of that name, unless it has ended.
    pub fn find(&self, name: &str) -> Option<Arc<Robot>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let robot = &known.get(name)?.robot;
        (!robot.has_ended(now())).then(|| Arc::clone(robot))
    }

    /// The robot of that name with that secret, unless it has ended.
    pub fn with_secret(&self, name: &str, secret: &str) -> Option<Arc<Robot>> {
        let hash = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.get(name)?.secret_hash.clone()
        };
        Secret::received(secret)
            .has_hash(&hash)
            .then(|| self.find(name))?
    }

    /// The robot whose secret this is, unless it has ended or is nothing but a client of the image registry.
    pub fn with_token(&self, secret: &Secret) -> Option<Arc<Robot>> {
        let hash = secret.hash();
        let name = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            let mut known = known.iter();
            known
                .find(|(_, known)| known.secret_hash == hash && !known.robot.roles.is_empty())
                .map(|(name, _)| name.clone())?
        };
        self.find(&name)
    }

    /// Keeps that a robot came, to the minute. It is nothing that anybody waits for.
    pub fn used(&self, robot: &Robot) {
        let now = now();
        if !account::is_used_anew(robot.last_used_at, now) {
            return;
        }
        {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = known.get_mut(&robot.name) {
                let last_used_at = Some(now);
                known.robot = Arc::new(Robot {
                    last_used_at,
                    ..Robot::clone(&known.robot)
                });
            }
        }
        let (store, name) = (self.store.clone(), robot.name.clone());
        tokio::spawn(async move {
            let kept = async {
                let mut change = store.unobserved().await?;
                change.touch_robot(&name, now).await?;
                change.commit().await
            };
            if let Err(error) = kept.await {
                tracing::warn!(%error, "when a robot came last is not kept");
            }
        });
    }

    /// All of them, those that have ended as well, in the order of their names.
    pub fn list(&self) -> Vec<Arc<Robot>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known
            .values()
            .map(|known| Arc::clone(&known.robot))
            .collect()
    }

    pub fn get(&self, name: &str) -> Result<Arc<Robot>, RobotError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(name).map(|known| Arc::clone(&known.robot));
        found.ok_or_else(|| not_found(name))
    }

    /// Adds one; its secret is never to be had again.
    pub async fn add(&self, wanted: &NewRobot) -> Result<(Arc<Robot>, Secret), RobotError> {
        let now = now();
        let robot = checked(wanted, now)?;
        let secret = Secret::new(&self.entropy);
        let row = row(&robot, secret.hash());
        let data = json!({ "name": robot.name, "allowances": robot.allowances });
        let told = NewEvent::new("dev.ergon.robot.added", subject(&robot.name), data);
        let mut change = self.store.change(told).await?;
        change.add_robot(&row).await?;
        change.commit().await?;
        Ok((self.remember(row)?, secret))
    }

    /// Gives a robot another secret; what it was given for the old one is worth nothing from now on.
    pub async fn rotate(&self, name: &str) -> Result<(Arc<Robot>, Secret), RobotError> {
        let old = self.get(name)?;
        let secret = Secret::new(&self.entropy);
        // Later than the one before, whatever the clock says.
        let secret_at = now().max(old.secret_at + 1);
        let told = NewEvent::new(
            "dev.ergon.robot.rotated",
            subject(name),
            json!({ "name": name }),
        );
        let mut change = self.store.change(told).await?;
        let hash = secret.hash();
        if !change.replace_robot_secret(name, &hash, secret_at).await? {
            return Err(not_found(name));
        }
        change.commit().await?;
        let robot = Robot {
            secret_at,
            ..Robot::clone(&old)
        };
        Ok((self.remember(row(&robot, hash))?, secret))
    }

    /// Forgets a robot; what it was given is worth nothing from now on.
    pub async fn remove(&self, name: &str) -> Result<(), RobotError> {
        let told = NewEvent::new(
            "dev.ergon.robot.removed",
            subject(name),
            json!({ "name": name }),
        );
        let mut change = self.store.change(told).await?;
        if !change.remove_robot(name).await? {
            return Err(not_found(name));
        }
        change.commit().await?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.remove(name);
        Ok(())
    }

    fn remember(&self, row: RobotRow) -> Result<Arc<Robot>, StoreError> {
        let (name, new) = known(row)?;
        let robot = Arc::clone(&new.robot);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(name, new);
        Ok(robot)
    }
}

fn not_found(name: &str) -> RobotError {
    RobotError::NotFound {
        name: name.to_owned(),
    }
}

fn subject(name: &str) -> String {
    format!("robot/{name}")
}

/// The robot that is wanted, where it can be one. Pure.
fn checked(wanted: &NewRobot, now: i64) -> Result<Robot, RobotError> {
    let name = &wanted.name;
    account::check_name(name, &TAKEN).map_err(|why| RobotError::Name {
        name: name.clone(),
        why,
    })?;
    if wanted.about.chars().count() > LONGEST_ABOUT {
        return Err(RobotError::TooMuch {
            what: "what it is for",
            most: LONGEST_ABOUT,
        });
    }
    if wanted.allowances.is_empty() && wanted.roles.is_empty() {
        return Err(RobotError::NoAllowances);
    }
    if wanted.allowances.len() > MOST_ALLOWANCES {
        return Err(RobotError::TooMuch {
            what: "the number of allowances",
            most: MOST_ALLOWANCES,
        });
    }
    if !account::can_last(wanted.days) {
        return Err(RobotError::TooMuch {
            what: "the number of days (one or more)",
            most: account::MOST_DAYS as usize,
        });
    }
    let allowances = wanted.allowances.iter().map(|text| text.parse());
    let roles = wanted.roles.iter().map(|role| role.parse());
    Ok(Robot {
        name: name.clone(),
        about: wanted.about.clone(),
        allowances: allowances.collect::<Result<_, _>>()?,
        secret_at: now,
        created_at: now,
        expires_at: account::end_after(wanted.days, now),
        roles: roles.collect::<Result<_, ParseRoleError>>()?,
        last_used_at: None,
    })
}

fn row(robot: &Robot, secret_hash: String) -> RobotRow {
    RobotRow {
        name: robot.name.clone(),
        about: robot.about.clone(),
        secret_hash,
        secret_at: robot.secret_at,
        allowances: json!(robot.allowances),
        created_at: robot.created_at,
        expires_at: robot.expires_at,
        roles: robot.roles.iter().map(ToString::to_string).collect(),
        last_used_at: robot.last_used_at,
    }
}

fn known(row: RobotRow) -> Result<(String, Known), StoreError> {
    let allowances = serde_json::from_value(row.allowances);
    let roles = row.roles.iter().map(|role| role.parse());
    let roles = roles.collect::<Result<_, ParseRoleError>>();
    let robot = Robot {
        roles: roles.map_err(|error| StoreError::Malformed {
            entity: "robot",
            reason: error.to_string(),
        })?,
        last_used_at: row.last_used_at,
        name: row.name.clone(),
        about: row.about,
        allowances: allowances.map_err(|error| StoreError::Malformed {
            entity: "robot",
            reason: error.to_string(),
        })?,
        secret_at: row.secret_at,
        created_at: row.created_at,
        expires_at: row.expires_at,
    };
    let known = Known {
        robot: Arc::new(robot),
        secret_hash: row.secret_hash,
    };
    Ok((row.name, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str) -> NewRobot {
        NewRobot {
            name: name.to_owned(),
            allowances: vec!["team/*:pull".to_owned()],
            ..NewRobot::default()
        }
    }

    #[test]
    fn a_robots_name_is_nobody_elses_and_can_be_typed() {
        for name in ["ci", "cluster-eu", "a.b_c", "1"] {
            assert!(checked(&wanted(name), 0).is_ok(), "{name}");
        }
        for name in [
            "",
            "CI",
            "-ci",
            ".ci",
            "a b",
            "a:b",
            "ü",
            "ergon",
            "owner",
            &"a".repeat(64),
        ] {
            assert!(
                matches!(checked(&wanted(name), 0), Err(RobotError::Name { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn a_robot_says_what_it_may_do_and_for_how_long() {
        let nothing = NewRobot {
            allowances: Vec::new(),
            ..wanted("ci")
        };
        assert!(matches!(
            checked(&nothing, 0),
            Err(RobotError::NoAllowances)
        ));
        for days in [0, account::MOST_DAYS + 1] {
            let never = NewRobot {
                days: Some(days),
                ..wanted("ci")
            };
            assert!(
                matches!(checked(&never, 0), Err(RobotError::TooMuch { .. })),
                "{days}"
            );
        }
        let robot = checked(
            &NewRobot {
                days: Some(1),
                ..wanted("ci")
            },
            5,
        )
        .unwrap();
        assert!(!robot.has_ended(5 + account::DAY - 1) && robot.has_ended(5 + account::DAY));
        assert!(robot.may("team/app", Verb::Pull) && !robot.may("team/app", Verb::Push));
        assert!(!robot.may_see_the_catalog());
    }

    async fn robots(folder: &tempfile::TempDir) -> Robots {
        let store = Store::open(&folder.path().join("ergon.db")).await.unwrap();
        Robots::open(store, Entropy::system()).await.unwrap()
    }

    #[tokio::test]
    async fn a_secret_works_until_it_is_replaced_and_is_kept_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let robots = robots(&folder).await;
        let (_, first) = robots.add(&wanted("ci")).await.unwrap();
        assert!(robots.with_secret("ci", first.reveal()).is_some());
        assert!(robots.with_secret("ci", "guess").is_none());
        assert!(robots.with_secret("cj", first.reveal()).is_none());
        let (robot, second) = robots.rotate("ci").await.unwrap();
        assert!(robots.with_secret("ci", first.reveal()).is_none());
        assert_eq!(robots.with_secret("ci", second.reveal()), Some(robot));
        robots.store.close().await;
        let bytes = std::fs::read(folder.path().join("ergon.db")).unwrap();
        for secret in [first.reveal().as_bytes(), second.reveal().as_bytes()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }

    #[tokio::test]
    async fn robots_are_there_again_after_a_restart_and_gone_when_removed() {
        let folder = tempfile::tempdir().unwrap();
        let before = robots(&folder).await;
        let (robot, secret) = before.add(&wanted("ci")).await.unwrap();
        assert!(matches!(
            before.add(&wanted("ci")).await,
            Err(RobotError::Exists { .. })
        ));
        before.store.close().await;
        let after = robots(&folder).await;
        assert_eq!(after.with_secret("ci", secret.reveal()), Some(robot));
        after.remove("ci").await.unwrap();
        assert!(after.with_secret("ci", secret.reveal()).is_none());
        assert!(matches!(
            after.remove("ci").await,
            Err(RobotError::NotFound { .. })
        ));
        assert!(matches!(
            after.rotate("ci").await,
            Err(RobotError::NotFound { .. })
        ));
        assert!(after.list().is_empty());
    }
}
