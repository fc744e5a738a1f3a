//! Being there: heartbeats by themselves, registering again where the stack has forgotten, leaving at the end.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::certificate::{Certificate, Wanted};
use crate::error::Error;
use crate::registration::Registration;
use crate::stack::{As, Stack};

/// A stack that is away is asked again after so long, and then after twice as long each time.
const AGAIN: Duration = Duration::from_millis(500);

/// Somebody in the directory. Dropped, they leave it.
#[derive(Debug)]
pub struct Presence {
    standing: watch::Receiver<Standing>,
    certificate: watch::Receiver<Option<Certificate>>,
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
    /// What is shown instead of the token, where the stack gave one.
    certificate: watch::Sender<Option<Certificate>>,
}

impl Presence {
    pub(crate) async fn begin(stack: Stack, registration: Registration) -> Result<Self, Error> {
        let (standing, watched) = watch::channel(Standing::There {
            lease: String::new(),
        });
        let (certificate, shown) = watch::channel(None);
        let mut keeper = Keeper {
            certificate,
            stack,
            registration,
            lease: String::new(),
            every: Duration::ZERO,
            standing,
        };
        keeper.register().await?;
        keeper.have_certificate().await;
        let (leave, left) = oneshot::channel();
        Ok(Self {
            standing: watched,
            certificate: shown,
            leave: Some(leave),
            keeping: Some(tokio::spawn(keeper.keep(left))),
        })
    }

    /// How one stands with the stack, as it changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// What one shows instead of the token, as it is renewed; nothing where the stack speaks no TLS. It opens connections of
    /// one's own to the stack, too.
    pub fn certificate(&self) -> watch::Receiver<Option<Certificate>> {
        self.certificate.clone()
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
            .ask(Method::POST, path, Some(&registration), As::Owner)
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

    /// Asks something by the certificate where there is one. One that is not taken any more is let go of.
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let shown = self.certificate.borrow().clone();
        let Some(shown) = shown else {
            return self.stack.ask(method, path, body, As::Owner).await;
        };
        let who = As::Companion(&shown);
        match self.stack.ask(method.clone(), path, body, who).await {
            // It expired while this program slept, was revoked, or the stack has another authority by now; or it is away.
            Err(
                Error::Away { .. }
                | Error::Refused {
                    status: 401 | 403, ..
                },
            ) => {
                self.certificate.send_replace(None);
                self.stack.ask(method, path, body, As::Owner).await
            }
            asked => asked,
        }
    }

    /// Gets a certificate where the stack gives them, and another one in time. Without one the token does as well.
    async fn have_certificate(&mut self) {
        let is_due = |shown: &Option<Certificate>| {
            shown
                .as_ref()
                .is_none_or(|shown| shown.is_due(Instant::now()))
        };
        if !self.stack.is_secure() || !is_due(&self.certificate.borrow()) {
            return;
        }
        let Ok(wanted) = Wanted::new() else { return };
        let body = json!({ "name": self.registration.name(), "request": wanted.request });
        let asked = self
            .ask(Method::POST, "/api/v1/certificates", Some(&body))
            .await;
        if let Ok(answer) = asked
            && let Some(given) = wanted.given(&answer, Instant::now())
        {
            self.certificate.send_replace(Some(given));
        }
    }

    async fn beat(&mut self) -> Result<(), Error> {
        let path = format!("/api/registry/{}/heartbeat", self.registration.name());
        let lease = json!({ "lease": self.lease });
        match self.ask(Method::POST, &path, Some(&lease)).await {
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
                Ok(()) => {
                    self.have_certificate().await;
                    self.every
                }
                Err(error) => {
                    let was_there = matches!(*self.standing.borrow(), Standing::There { .. });
                    self.standing.send_replace(Standing::Away(error));
                    let again = if was_there { AGAIN } else { wait * 2 };
                    again.min(self.every)
                }
            };
        }
        let path = format!("/api/registry/{}", self.registration.name());
        match self.ask(Method::DELETE, &path, None).await {
            // Nobody has the name: that is what was wanted.
            Err(Error::Refused { status: 404, .. }) => Ok(()),
            left => left.map(drop),
        }
    }
}
