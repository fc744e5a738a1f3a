//! What others say on a companion's own socket: recorded like every exchange that goes through the stack.

use ergon_companion::redact::hide_known;
use ergon_companion::{Peer, Reply};

use super::exchanges::{Begun, new_id};
use crate::authorize::Principal;
use crate::stack::Stack;

/// An exchange on a socket. One that is dropped before it was answered is recorded, too.
pub struct Overheard<'a> {
    stack: &'a Stack,
    begun: Option<Begun>,
}

impl<'a> Overheard<'a> {
    /// Begins the record, unless this process speaks itself: then it is recorded where it was sent from.
    pub fn begin(stack: &'a Stack, peer: &Peer, to: &str, content: &str) -> Self {
        let is_own = peer.pid.map(i32::cast_unsigned) == Some(std::process::id());
        let begun = (!is_own).then(|| {
            let content = hide_known(content);
            let mut begun = stack.exchanges().begin(&new_id(stack), &content);
            // What a guest calls itself is for the answer's reader; the kernel says who it is.
            let who = Principal::LocalUser { uid: peer.uid }.name();
            begun.row.sender.clone_from(&who);
            begun.row.principal = who;
            to.clone_into(&mut begun.row.recipient);
            "socket".clone_into(&mut begun.row.way);
            begun
        });
        Self { stack, begun }
    }

    /// Ends it with what was answered.
    pub fn answered(mut self, reply: &Reply) {
        let Some(mut begun) = self.begun.take() else {
            return;
        };
        begun.received(serde_json::to_vec(reply).map_or(0, |line| line.len()));
        "answered".clone_into(&mut begun.row.outcome);
        let content = hide_known(&reply.content);
        self.stack.exchanges().end(begun, Some(&content));
    }
}

impl Drop for Overheard<'_> {
    fn drop(&mut self) {
        if let Some(mut begun) = self.begun.take() {
            "too-slow".clone_into(&mut begun.row.outcome);
            begun.row.reason = Some("no answer came in time".to_owned());
            self.stack.exchanges().end(begun, None);
        }
    }
}
