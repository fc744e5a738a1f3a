//! Asks a container over the network whether it is there.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::observation::{Outcome, Probe, Target};

/// A server that says nothing for this long does not answer.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// A status line and headers are shorter than this.
const LONGEST_HEAD: usize = 8 << 10;

/// Asks once.
pub async fn probe(target: Target, patience: Duration) -> Probe {
    let start = Instant::now();
    let outcome = match tokio::time::timeout(patience, ask(&target)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => outcome_of(&error),
        Err(_) => Outcome::TimedOut,
    };
    Probe {
        target,
        outcome,
        latency: start.elapsed(),
    }
}

async fn ask(target: &Target) -> io::Result<Outcome> {
    let mut stream = TcpStream::connect((target.address.as_str(), target.port)).await?;
    let Some(path) = &target.path else {
        return Ok(Outcome::Connected);
    };
    stream
        .write_all(request(&target.address, target.port, path).as_bytes())
        .await?;
    let mut head = Vec::new();
    // A server may hang up hard after its answer: what came before counts.
    while !head.contains(&b'\n') && head.len() < LONGEST_HEAD {
        match stream.read_buf(&mut head).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(_) if !head.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(understood(&head))
}

fn request(address: &str, port: u16, path: &str) -> String {
    let host = if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    };
    // What may not stand in a request line is escaped, so that no path can add a line of its own.
    let mut clean = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_graphic() {
            clean.push(char::from(byte));
        } else {
            clean.push_str(&format!("%{byte:02X}"));
        }
    }
    let slash = if clean.starts_with('/') { "" } else { "/" };
    format!(
        "GET {slash}{clean} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: ergon-companion\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
}

/// What the first bytes of an answer say.
fn understood(head: &[u8]) -> Outcome {
    if head.is_empty() {
        return Outcome::NotHttp("it hung up".to_owned());
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let status = words
        .next()
        .filter(|version| version.starts_with("HTTP/"))
        .and_then(|_| words.next())
        .and_then(|status| status.parse().ok())
        .filter(|status| (100..600).contains(status));
    if let Some(status) = status {
        return Outcome::Status(status);
    }
    let shown: String = line.chars().filter(|c| !c.is_control()).take(60).collect();
    Outcome::NotHttp(format!("\"{shown}\""))
}

fn outcome_of(error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Outcome::Refused,
        io::ErrorKind::TimedOut => Outcome::TimedOut,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted => Outcome::NotHttp("it hung up".to_owned()),
        _ => Outcome::Unreachable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn target(port: u16, path: Option<&str>) -> Target {
        let path = path.map(str::to_owned);
        Target {
            address: "127.0.0.1".to_owned(),
            port,
            container_port: port,
            path,
            declared: false,
        }
    }

    /// A server that answers one connection with these bytes.
    async fn serve(answer: &'static [u8]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a guest");
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
        });
        port
    }

    #[tokio::test]
    async fn the_first_line_of_the_answer_counts() {
        let asked = async |answer| {
            probe(target(serve(answer).await, Some("/")), PATIENCE)
                .await
                .outcome
        };
        assert_eq!(
            asked(b"HTTP/1.1 204 No Content\r\n\r\n").await,
            Outcome::Status(204)
        );
        assert_eq!(asked(b"HTTP/1.0 503\r\n").await, Outcome::Status(503));
        assert_eq!(
            asked(b"+PONG\r\n").await,
            Outcome::NotHttp("\"+PONG\"".to_owned())
        );
        assert_eq!(
            asked(b"HTTP/1.1 9999\r\n").await,
            Outcome::NotHttp("\"HTTP/1.1 9999\"".to_owned())
        );
        assert_eq!(asked(b"").await, Outcome::NotHttp("it hung up".to_owned()));
    }

    #[tokio::test]
    async fn a_port_that_nobody_listens_on_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        assert_eq!(
            probe(target(port, None), PATIENCE).await.outcome,
            Outcome::Connected
        );
        drop(listener);
        assert_eq!(
            probe(target(port, None), PATIENCE).await.outcome,
            Outcome::Refused
        );
    }

    #[tokio::test]
    async fn silence_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let probe = probe(target(port, Some("/")), Duration::from_millis(50)).await;
        assert_eq!(probe.outcome, Outcome::TimedOut);
        assert!(probe.latency >= Duration::from_millis(50));
    }

    #[test]
    fn no_path_can_add_a_line_to_the_request() {
        let request = request("::1", 80, "x y\r\nHost: evil");
        assert!(
            request.starts_with("GET /x%20y%0D%0AHost:%20evil HTTP/1.1\r\nHost: [::1]:80\r\n"),
            "{request}"
        );
    }
}
