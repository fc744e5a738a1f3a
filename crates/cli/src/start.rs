//! What a process does once before it works with others: commands that only read a folder have no use for it, and
//! are over before it would be done.

use std::io::{self, Write};

use ergon_server::hide_known;
use tracing_subscriber::EnvFilter;

/// Has TLS use ring. Every HTTP client of the process relies on it.
pub(crate) fn give_tls_its_provider() {
    // It can only be there already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// What is traced unless `ERGON_LOG` says otherwise: what a person should look at, said by us.
/// Libraries say it before we do, and less clearly.
const USUAL: &str = "off,ergon=warn";

/// Writes traces to standard error, as much as `ERGON_LOG` asks for.
pub(crate) fn trace() {
    let filter = EnvFilter::try_from_env("ERGON_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL));
    // A second time changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| WithoutSecrets(io::stderr()))
        .try_init();
}

/// Writes on without the secrets that are known. A trace is written in one go.
struct WithoutSecrets<W>(W);

impl<W: Write> Write for WithoutSecrets<W> {
    fn write(&mut self, trace: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(trace);
        self.0.write_all(hide_known(&text).as_bytes())?;
        Ok(trace.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
