//! What a server tells unasked. It hears that this stack can do nothing for it: it is asked, and asks nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::ClientHandler;
use rmcp::model::{
    ClientCapabilities, ClientConfig, Implementation, ProgressNotificationParam, ProgressToken,
};
use rmcp::service::{NotificationContext, RoleClient};
use tokio::sync::mpsc;

/// Longer messages of progress are cut.
const LONGEST: usize = 500;

/// Who wants to hear how far a call has come.
#[derive(Clone, Debug, Default)]
pub struct Listener(Arc<Mutex<HashMap<ProgressToken, mpsc::Sender<String>>>>);

impl Listener {
    /// What is told of a call, as far as it is taken up in time.
    pub fn follow(&self, token: ProgressToken) -> mpsc::Receiver<String> {
        let (told, hears) = mpsc::channel(16);
        let mut followed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        followed.retain(|_, told| !told.is_closed());
        followed.insert(token, told);
        hears
    }
}

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        let ergon = Implementation::new("ergon", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), ergon)
    }

    async fn on_progress(
        &self,
        told: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let followed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(follower) = followed.get(&told.progress_token) {
            let message = told.message.unwrap_or_else(|| told.progress.to_string());
            // Whoever is told more than they take up misses some of it.
            drop(follower.try_send(message.chars().take(LONGEST).collect()));
        }
    }
}
