//! How far a call has come, told to a caller who wants to know.

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RequestContext, RoleServer};

/// Whom to tell, and how much was told.
pub struct Progress {
    to: Option<(Peer<RoleServer>, ProgressToken)>,
    told: u32,
}

impl Progress {
    pub fn of(context: &RequestContext<RoleServer>) -> Self {
        let token = context.meta.get_progress_token();
        Self {
            to: token.map(|token| (context.peer.clone(), token)),
            told: 0,
        }
    }

    /// Tells. How much there is to come is not known, so it only grows.
    pub async fn tell(&mut self, message: String) {
        let Some((peer, token)) = &self.to else {
            return;
        };
        self.told += 1;
        let progress = ProgressNotificationParam::new(token.clone(), f64::from(self.told))
            .with_message(message);
        if let Err(error) = peer.notify_progress(progress).await {
            tracing::debug!(%error, "nobody hears of progress any more");
            self.to = None;
        }
    }
}
