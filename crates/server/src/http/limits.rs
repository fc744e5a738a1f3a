//! What a connection may cost, and for how long.

use std::time::Duration;

/// What connections may cost. What is more is refused, with the status that says so where there is one.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Connections at a time; more wait at the door.
    pub connections: usize,
    /// Connections at a time of one address, so that no single one takes all; more are answered 503.
    pub per_address: usize,
    /// The TLS handshake is over within this.
    pub handshake: Duration,
    /// A request's first line and headers are there within this; else 408.
    pub headers: Duration,
    /// A connection on which nothing is asked is closed after this.
    pub idle: Duration,
    /// So many headers; more are answered 431.
    pub header_count: usize,
    /// So many bytes of first line and headers; more are answered 431.
    pub header_bytes: usize,
    /// A JSON body is there within this; else 408.
    pub body: Duration,
    /// No body pauses for longer; else 408.
    pub body_idle: Duration,
    /// Requests at a time on one connection (HTTP/2); more are refused as the protocol has it.
    pub streams: u32,
    /// Answers under way may take so long once the stack ends.
    pub drain: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 512,
            per_address: 256,
            handshake: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            header_count: 100,
            header_bytes: 64 << 10,
            body: Duration::from_secs(30),
            body_idle: Duration::from_secs(30),
            streams: 64,
            drain: Duration::from_secs(10),
        }
    }
}
