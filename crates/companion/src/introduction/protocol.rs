//! How each kind of server is asked who it is: without credentials, without leaving anything behind.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::FoundService;

/// No answer is read further than this.
const LONGEST: usize = 8 << 10;

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Redis,
    Postgres,
    MySql,
    Amqp,
    Memcached,
    FastCgi,
}

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It speaks the protocol, and told its version or not.
    Understood(Option<String>),
    /// It speaks the protocol, and waits for TLS to begin.
    Secures,
    /// It said something else, or hung up.
    Strange,
}

impl Protocol {
    /// What a service speaks; nothing where that is not known.
    pub(super) fn of(service: &FoundService) -> Option<Self> {
        let by_role = || {
            let role = service.role.as_str();
            matches!(role, "web server" | "application server" | "proxy").then_some(Self::Http)
        };
        match service.name.as_str() {
            "redis" | "valkey" => Some(Self::Redis),
            "postgres" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MySql),
            "rabbitmq" => Some(Self::Amqp),
            "memcached" => Some(Self::Memcached),
            "php-fpm" => Some(Self::FastCgi),
            "uwsgi" => None,
            "minio" | "prometheus" | "grafana" | "elasticsearch" | "etcd" | "varnish" => {
                Some(Self::Http)
            }
            _ => by_role(),
        }
    }

    /// On which of its ports it speaks that.
    pub(super) fn ports(self, ports: &[u16]) -> Vec<u16> {
        let usual = match self {
            Self::Http => return ports.to_vec(),
            Self::Redis => 6379,
            Self::Postgres => 5432,
            Self::MySql => 3306,
            Self::Amqp => 5672,
            Self::Memcached => 11211,
            Self::FastCgi => 9000,
        };
        // Other ports of the same server speak something else: its cluster's language, or that of its web pages.
        let plain = ports.iter().find(|port| **port == usual);
        let secure = ports.iter().find(|port| self.is_secure(**port));
        let none = plain.is_none() && secure.is_none();
        let any = ports.first().filter(|_| none);
        [plain, secure, any]
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    /// Whether that is a port on which it begins with TLS, by custom.
    pub(super) const fn is_secure(self, port: u16) -> bool {
        match self {
            Self::Http => port % 1000 == 443,
            Self::Redis => port == 6380,
            Self::Amqp => port == 5671,
            Self::Postgres | Self::MySql | Self::Memcached | Self::FastCgi => false,
        }
    }

    /// Whether it may begin with TLS on any port; the others begin in the open, if at all.
    pub(super) const fn may_be_secure(self) -> bool {
        matches!(
            self,
            Self::Http | Self::Redis | Self::Amqp | Self::Memcached
        )
    }

    /// Asks over a connection that was just made.
    pub(super) async fn ask<S>(self, stream: &mut S, name: &str) -> io::Result<Answer>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match self {
            Self::Http => {
                stream
                    .write_all(
                        b"HEAD / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ergon-companion\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                    )
                    .await?;
                let head = read_until(stream, |head| contains(head, b"\r\n\r\n")).await?;
                Ok(http(&head, name))
            }
            Self::Redis => {
                stream.write_all(b"*1\r\n$4\r\nPING\r\n").await?;
                let pong = read_until(stream, |answer| answer.ends_with(b"\r\n")).await?;
                if !pong.starts_with(b"+PONG") {
                    // It wants to know who asks first, or is still loading: it is what it is all the same.
                    return Ok(if pong.starts_with(b"-") {
                        Answer::Understood(None)
                    } else {
                        Answer::Strange
                    });
                }
                stream
                    .write_all(b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n")
                    .await?;
                let info = read_until(stream, |info| {
                    info.starts_with(b"-") && info.ends_with(b"\r\n") || whole_bulk(info)
                })
                .await?;
                Ok(Answer::Understood(redis(&info)))
            }
            Self::Postgres => {
                // Whether it would speak TLS. A server expects that somebody goes away after the answer.
                stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).await?;
                let answer = read_until(stream, |answer| !answer.is_empty()).await?;
                Ok(match answer.first() {
                    Some(b'S') => Answer::Secures,
                    Some(b'N' | b'E') => Answer::Understood(None),
                    _ => Answer::Strange,
                })
            }
            Self::MySql => {
                let greeting = read_until(stream, whole_packet).await?;
                Ok(mysql(&greeting))
            }
            Self::Amqp => {
                stream.write_all(b"AMQP\0\0\x09\x01").await?;
                let start = read_until(stream, whole_frame).await?;
                Ok(amqp(&start))
            }
            Self::Memcached => {
                stream.write_all(b"version\r\n").await?;
                let answer = read_until(stream, |answer| answer.ends_with(b"\r\n")).await?;
                // Whoever hung up already did what was asked.
                let _ = stream.write_all(b"quit\r\n").await;
                let told = text(&answer);
                Ok(match told.strip_prefix("VERSION ") {
                    Some(told) => Answer::Understood(version(told)),
                    None if told.starts_with("ERROR") => Answer::Understood(None),
                    None => Answer::Strange,
                })
            }
            Self::FastCgi => {
                // How many it serves at once: the one question that no script of the application's has to answer.
                stream
                    .write_all(b"\x01\x09\0\0\0\x10\0\0\x0e\0FCGI_MAX_CONNS")
                    .await?;
                let answer = read_until(stream, |answer| answer.len() >= 8).await?;
                Ok(if answer.starts_with(&[1, 10]) {
                    Answer::Understood(None)
                } else {
                    Answer::Strange
                })
            }
        }
    }
}

/// Reads until it is enough, or the other side hangs up, or it becomes too much.
async fn read_until<S>(stream: &mut S, enough: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>>
where
    S: AsyncRead + Unpin,
{
    let mut answer = Vec::new();
    while !enough(&answer) && answer.len() < LONGEST {
        let mut rest = (&mut *stream).take((LONGEST - answer.len()) as u64);
        match rest.read_buf(&mut answer).await {
            Ok(0) => break,
            Ok(_) => {}
            // A server may hang up hard after its answer: what came before counts.
            Err(_) if !answer.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

fn http(head: &[u8], name: &str) -> Answer {
    let head = text(head);
    let mut lines = head.lines();
    let mut status = lines.next().unwrap_or_default().split_ascii_whitespace();
    if !status.next().is_some_and(|word| word.starts_with("HTTP/")) {
        return Answer::Strange;
    }
    // What servers say to those who should have begun with TLS.
    if status.next() == Some("400") {
        return Answer::Strange;
    }
    let server = lines.find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case("server").then_some(value.trim())
    });
    Answer::Understood(server.and_then(|server| product(server, name)))
}

/// The version of the service of this name, out of `Apache/2.4.57 (Debian)`; a proxy shows the header of somebody else.
fn product(server: &str, name: &str) -> Option<String> {
    let wanted = match name {
        // Its own number is that of a module that never changes.
        "http.server" if server.starts_with("SimpleHTTP/") => "python",
        "httpd" => "apache",
        other => other,
    };
    server.split_ascii_whitespace().find_map(|word| {
        let (product, told) = word.split_once('/')?;
        let is_it = product.eq_ignore_ascii_case(wanted);
        is_it.then(|| version(told)).flatten()
    })
}

fn redis(info: &[u8]) -> Option<String> {
    let info = text(info);
    // Valkey tells the version of Redis that it stands in for, too.
    let told = |key: &str| info.lines().find_map(|line| line.strip_prefix(key));
    version(told("valkey_version:").or_else(|| told("redis_version:"))?)
}

/// The server speaks first: length, number, 10, its version.
fn mysql(greeting: &[u8]) -> Answer {
    match greeting.get(4) {
        Some(10) => {
            let told = greeting.get(5..).unwrap_or_default();
            let told = text(told.split(|byte| *byte == 0).next().unwrap_or_default());
            // MariaDB says it is 5.5.5 first, for those who would not talk to a 10.
            let told = told.strip_prefix("5.5.5-").unwrap_or(&told);
            let told = told.split("-MariaDB").next().unwrap_or_default();
            Answer::Understood(version(told))
        }
        // It is full, or does not talk to us.
        Some(255) => Answer::Understood(None),
        _ => Answer::Strange,
    }
}

/// `Connection.Start` with the server's properties.
fn amqp(start: &[u8]) -> Answer {
    if start.starts_with(b"AMQP") {
        // Another version of the protocol than this.
        return Answer::Understood(None);
    }
    if start.first() != Some(&1) || start.get(7..11) != Some(&[0, 10, 0, 10]) {
        return Answer::Strange;
    }
    // A short text as key, `S`, four bytes of length, the value.
    let key = b"\x07versionS";
    let told = find(start, key).and_then(|at| {
        let rest = start.get(at + key.len()..)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)
    });
    Answer::Understood(told.and_then(|told| version(&text(told))))
}

fn whole_packet(bytes: &[u8]) -> bool {
    let Some([one, two, three]) = bytes.first_chunk() else {
        return false;
    };
    bytes.len() >= 4 + u32::from_le_bytes([*one, *two, *three, 0]) as usize
}

fn whole_frame(bytes: &[u8]) -> bool {
    let length = bytes.get(3..7).and_then(|length| length.first_chunk());
    bytes.starts_with(b"AMQP") && bytes.len() >= 8
        || length
            .is_some_and(|length| bytes.len() as u64 >= 8 + u64::from(u32::from_be_bytes(*length)))
}

/// `$LENGTH` and so many bytes.
fn whole_bulk(bytes: &[u8]) -> bool {
    let Some(end) = find(bytes, b"\r\n") else {
        return false;
    };
    let length = bytes
        .get(1..end)
        .and_then(|length| text(length).parse().ok());
    length.is_none_or(|length: usize| bytes.len() - end - 4.min(bytes.len() - end) >= length)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    find(bytes, part).is_some()
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What looks like a version at the beginning of a text; whatever else a server says is nobody's business.
pub(super) fn version(text: &str) -> Option<String> {
    let told: String = text
        .trim_start()
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '~' | '-'))
        .take(40)
        .collect();
    told.starts_with(|c: char| c.is_ascii_digit())
        .then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of asking a server that says these things, each after something was heard.
    async fn asked(protocol: Protocol, name: &str, says: &[&[u8]]) -> Answer {
        let (mut ours, mut theirs) = tokio::io::duplex(64 << 10);
        let says: Vec<Vec<u8>> = says.iter().map(|said| said.to_vec()).collect();
        let speaks_first = protocol == Protocol::MySql;
        tokio::spawn(async move {
            let mut heard = [0; 1024];
            for said in says {
                if !speaks_first {
                    let _ = theirs.read(&mut heard).await;
                }
                let _ = theirs.write_all(&said).await;
            }
        });
        let answer = protocol.ask(&mut ours, name).await;
        answer.unwrap_or(Answer::Strange)
    }

    fn told(version: &str) -> Answer {
        Answer::Understood(Some(version.to_owned()))
    }

    #[tokio::test]
    async fn servers_tell_their_versions_each_in_its_own_way() {
        let http = async |name, head: &str| {
            let head = format!("HTTP/1.1 {head}\r\n\r\n");
            asked(Protocol::Http, name, &[head.as_bytes()]).await
        };
        assert_eq!(
            http("nginx", "404 Not Found\r\nServer: nginx/1.22.1").await,
            told("1.22.1")
        );
        assert_eq!(
            http("apache", "200 OK\r\nserver: Apache/2.4.57 (Debian)").await,
            told("2.4.57")
        );
        assert_eq!(
            http(
                "http.server",
                "200 OK\r\nServer: SimpleHTTP/0.6 Python/3.11.2"
            )
            .await,
            told("3.11.2")
        );
        // Of whom stands behind a proxy it says nothing, and who says nothing has none.
        for head in [
            "200 OK\r\nServer: nginx/1.22.1",
            "200 OK\r\nServer: haproxy",
            "200 OK",
        ] {
            assert_eq!(
                http("haproxy", head).await,
                Answer::Understood(None),
                "{head}"
            );
        }
        assert_eq!(http("nginx", "400 Bad Request").await, Answer::Strange);
        let info: &[u8] = b"$41\r\n# Server\r\nredis_version:7.0.15\r\nos:Linux\r\n\r\n";
        assert_eq!(
            asked(Protocol::Redis, "redis", &[b"+PONG\r\n", info]).await,
            told("7.0.15")
        );
        assert_eq!(
            asked(
                Protocol::Redis,
                "redis",
                &[b"-NOAUTH Authentication required.\r\n"]
            )
            .await,
            Answer::Understood(None)
        );
        assert_eq!(
            asked(Protocol::Postgres, "postgres", &[b"N"]).await,
            Answer::Understood(None)
        );
        assert_eq!(
            asked(Protocol::Postgres, "postgres", &[b"S"]).await,
            Answer::Secures
        );
        let greeting = b"\x22\0\0\0\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\0\x01\0";
        assert_eq!(
            asked(Protocol::MySql, "mariadb", &[greeting]).await,
            told("10.11.6")
        );
        assert_eq!(
            asked(Protocol::MySql, "mysql", &[b"\x0a\0\0\0\x0a8.0.36\0\x01\0"]).await,
            told("8.0.36")
        );
        let full = b"\x17\0\0\0\xff\x10\x04Too many connections";
        assert_eq!(
            asked(Protocol::MySql, "mysql", &[full]).await,
            Answer::Understood(None)
        );
        assert_eq!(
            asked(Protocol::Memcached, "memcached", &[b"VERSION 1.6.18\r\n"]).await,
            told("1.6.18")
        );
        let properties = b"\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x063.10.8";
        let mut start = vec![1, 0, 0, 0, 0, 0, 0, 0, 10, 0, 10, 0, 9];
        start.extend((properties.len() as u32).to_be_bytes());
        start.extend(properties);
        start[6] = (start.len() - 7) as u8;
        start.push(206);
        assert_eq!(
            asked(Protocol::Amqp, "rabbitmq", &[&start]).await,
            told("3.10.8")
        );
        assert_eq!(
            asked(Protocol::FastCgi, "php-fpm", &[&[1, 10, 0, 0, 0, 0, 0, 0]]).await,
            Answer::Understood(None)
        );
    }

    #[tokio::test]
    async fn whoever_speaks_something_else_or_nothing_or_without_end_is_strange() {
        let all = [
            Protocol::Http,
            Protocol::Redis,
            Protocol::Postgres,
            Protocol::MySql,
            Protocol::Amqp,
            Protocol::Memcached,
            Protocol::FastCgi,
        ];
        let endless = vec![b'x'; 32 << 10];
        for protocol in all {
            for said in [
                &b"ready\r\n"[..],
                b"",
                b"\xff\xff\xff\xff\xff\xff\r\n",
                &endless,
            ] {
                let answer = asked(protocol, "it", &[said]).await;
                assert!(
                    matches!(answer, Answer::Strange | Answer::Understood(None)),
                    "{protocol:?} {answer:?}"
                );
            }
        }
    }

    #[test]
    fn a_version_is_short_plain_and_begins_with_a_digit() {
        assert_eq!(
            version("1.2.3-4+deb12u1 (x)").as_deref(),
            Some("1.2.3-4+deb12u1")
        );
        assert_eq!(version("v1"), None);
        assert_eq!(version(""), None);
        assert_eq!(version("1\u{1b}[31m").as_deref(), Some("1"));
        assert_eq!(version(&"1".repeat(99)).map(|told| told.len()), Some(40));
    }

    #[test]
    fn a_server_is_asked_on_the_port_where_it_speaks_that() {
        assert_eq!(Protocol::Amqp.ports(&[4369, 5672, 15672]), [5672]);
        assert_eq!(Protocol::Amqp.ports(&[4369, 5671, 15672]), [5671]);
        assert_eq!(Protocol::Amqp.ports(&[5671, 5672]), [5672, 5671]);
        assert_eq!(Protocol::Redis.ports(&[7000, 17000]), [7000]);
        assert_eq!(Protocol::Redis.ports(&[6379, 6380]), [6379, 6380]);
        assert_eq!(Protocol::MySql.ports(&[3307, 33060]), [3307]);
        assert_eq!(Protocol::Http.ports(&[80, 443]), [80, 443]);
        assert!(Protocol::Redis.ports(&[]).is_empty());
    }
}
