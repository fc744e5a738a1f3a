//! Being there: heartbeats by themselves, registering again where the stack has forgotten, leaving at the end.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::error::Error;
use crate::registration::Registration;
use crate::stack::Stack;

/// A stack that is away is asked again after so long, and then after twice as long each time.
const AGAIN: Duration = Duration::from_millis(500);

/// Somebody in the directory. Dropped, they leave it.
#[derive(Debug)]
pub struct Presence {
    standing: watch::Receiver<Standing>,
    leave: Option<oneshot::Sender<()>>,
    keeping: Option<JoinHandle<Result<(), Error>>>,
}

/// How one stands with the stack.
#[derive(Clone, Debug)]
pub enum Standing {
    /// In the directory, under this lease.
    There { lease: String },
    /// The stack did not take the last heartbeat; it is tried again.
    Away(Error),
}

struct Keeper {
    stack: Stack,
    registration: Registration,
    lease: String,
    every: Duration,
    standing: watch::Sender<Standing>,
}

impl Presence {
    pub(crate) async fn begin(stack: Stack, registration: Registration) -> Result<Self, Error> {
        let (standing, watched) = watch::channel(Standing::There {
            lease: String::new(),
        });
        let mut keeper = Keeper {
            stack,
            registration,
            lease: String::new(),
            every: Duration::ZERO,
            standing,
        };
        keeper.register().await?;
        let (leave, left) = oneshot::channel();
        Ok(Self {
            standing: watched,
            leave: Some(leave),
            keeping: Some(tokio::spawn(keeper.keep(left))),
        })
    }

    /// How one stands with the stack, as it changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Leaves the directory, and waits until that is so.
    pub async fn leave(mut self) -> Result<(), Error> {
        // Its end is what the keeper waits for.
        drop(self.leave.take());
        match self.keeping.take() {
            Some(keeping) => keeping.await.unwrap_or(Ok(())),
            None => Ok(()),
        }
    }
}

impl Keeper {
    async fn register(&mut self) -> Result<(), Error> {
        let mut registration = self.registration.as_json();
        if !self.lease.is_empty() {
            registration["lease"] = Value::from(self.lease.as_str());
        }
        let path = "/api/registry/register";
        let answer = self
            .stack
            .ask(Method::POST, path, Some(&registration))
            .await?;
        let lease = answer["lease"].as_str().unwrap_or_default();
        lease.clone_into(&mut self.lease);
        let every = answer["heartbeat_every"].as_f64().unwrap_or_default();
        self.every = Duration::try_from_secs_f64(every).unwrap_or_default();
        self.every = self.every.max(Duration::from_millis(100));
        self.standing.send_replace(Standing::There {
            lease: self.lease.clone(),
        });
        Ok(())
    }

    async fn beat(&mut self) -> Result<(), Error> {
        let path = format!("/api/registry/{}/heartbeat", self.registration.name());
        let lease = json!({ "lease": self.lease });
        match self.stack.ask(Method::POST, &path, Some(&lease)).await {
            Ok(_) => {
                self.standing.send_if_modified(|standing| {
                    let was_away = matches!(standing, Standing::Away(_));
                    if was_away {
                        *standing = Standing::There {
                            lease: self.lease.clone(),
                        };
                    }
                    was_away
                });
                Ok(())
            }
            // The record went while the stack or this program could not be heard.
            Err(error) if error.is_not_known() => self.register().await,
            Err(error) => Err(error),
        }
    }

    /// Sends heartbeats until whoever is there leaves.
    async fn keep(mut self, mut left: oneshot::Receiver<()>) -> Result<(), Error> {
        let mut wait = self.every;
        loop {
            tokio::select! {
                () = sleep(wait) => {}
                _ = &mut left => break,
            }
            wait = match self.beat().await {
                Ok(()) => self.every,
                Err(error) => {
                    let was_there = matches!(*self.standing.borrow(), Standing::There { .. });
                    self.standing.send_replace(Standing::Away(error));
                    let again = if was_there { AGAIN } else { wait * 2 };
                    again.min(self.every)
                }
            };
        }
        let path = format!("/api/registry/{}", self.registration.name());
        match self.stack.ask(Method::DELETE, &path, None).await {
            // Nobody has the name: that is what was wanted.
            Err(Error::Refused { status: 404, .. }) => Ok(()),
            left => left.map(drop),
        }
    }
}
