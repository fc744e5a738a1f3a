//! The asking itself: all questions at once, from inside the container's network.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ergon_engine::{ContainerState, Engine};
use futures_util::future::join_all;
use rustix::fs::{Mode, OFlags};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::protocol::{Answer, Protocol, version};
use super::tls;
use crate::local::LocalContainer;
use crate::observation::Certificate;
use crate::observe::addresses;

/// What is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(super) pid: u32,
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) protocol: Protocol,
    /// The rest is known.
    pub(super) only_certificate: bool,
    /// Whoever takes longer does not answer.
    pub(super) patience: Duration,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Said {
        version: Option<String>,
        certificate: Option<Certificate>,
    },
    /// Nothing that could be understood, in time.
    Nothing,
}

/// Asks all questions at once.
pub(crate) async fn ask(
    engine: &Engine,
    state: &ContainerState,
    questions: Vec<Question>,
) -> Vec<(Question, Heard)> {
    if questions.is_empty() {
        return Vec::new();
    }
    let is_local = engine.is_local();
    let network = state
        .pid
        .filter(|_| is_local)
        .filter(|pid| LocalContainer::find(*pid, &state.id).is_some())
        .and_then(|pid| File::open(format!("/proc/{pid}/ns/net")).ok());
    let asked: Vec<_> = questions
        .into_iter()
        .map(|question| (addresses(is_local, state, question.port), question))
        .collect();
    let asking = from_inside(network, move |entered| async move {
        let questions = asked.into_iter().map(|(addresses, question)| async move {
            let (own, addresses) = if entered {
                let own = ["127.0.0.1", "::1"].map(|own| (own.to_owned(), question.port));
                (Vec::from(own), addresses)
            } else {
                (Vec::new(), addresses)
            };
            let addresses: Vec<_> = own.into_iter().chain(addresses).collect();
            let mut heard = match timeout(question.patience, hear(&question, &addresses)).await {
                Ok(Ok(heard)) => heard,
                Ok(Err(_)) | Err(_) => Heard::Nothing,
            };
            if let Heard::Said { version, .. } = &mut heard
                && version.is_none()
                && is_local
            {
                *version = installed(Path::new("/proc"), &question);
            }
            (question, heard)
        });
        join_all(questions).await
    });
    asking.await.unwrap_or_default()
}

/// Does the work on a thread of its own, in that network if it may be entered: a thread that has entered one never
/// comes back.
async fn from_inside<T, W, F>(network: Option<File>, work: W) -> Option<T>
where
    T: Send + 'static,
    W: FnOnce(bool) -> F + Send + 'static,
    F: Future<Output = T>,
{
    let (done, result) = oneshot::channel();
    let begun = std::thread::Builder::new()
        .name("ergon-ask".to_owned())
        .spawn(move || {
            // Only root may; everybody else asks from outside.
            let entered = network.is_some_and(|network| {
                let kind = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(network.as_fd(), kind).is_ok()
            });
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .enable_time()
                .build();
            if let Ok(runtime) = runtime {
                // Nobody waits any more: then nobody wants to know.
                let _ = done.send(runtime.block_on(work(entered)));
            }
        });
    if let Err(error) = begun {
        tracing::debug!(%error, "no service can be asked who it is");
        return None;
    }
    result.await.ok()
}

async fn hear(question: &Question, addresses: &[(String, u16)]) -> io::Result<Heard> {
    let protocol = question.protocol;
    let secure_first = question.only_certificate && protocol != Protocol::Postgres
        || protocol.is_secure(question.port);
    if secure_first && let Ok(heard) = over_tls(question, addresses).await {
        return Ok(heard);
    }
    let mut stream = connect(addresses).await?;
    let may_be_secure = protocol.may_be_secure() && !secure_first;
    let answer = match protocol.ask(&mut stream, &question.name).await {
        Ok(answer) => answer,
        // Who wanted to hear TLS hangs up on everything else.
        Err(_) if may_be_secure => Answer::Strange,
        Err(error) => return Err(error),
    };
    match answer {
        Answer::Understood(version) => Ok(Heard::Said {
            version,
            certificate: None,
        }),
        Answer::Secures => {
            let stream = tls::secured(stream).await?;
            Ok(Heard::Said {
                version: None,
                certificate: tls::certificate(&stream, question.port),
            })
        }
        Answer::Strange if may_be_secure => {
            drop(stream);
            over_tls(question, addresses).await
        }
        Answer::Strange => Ok(Heard::Nothing),
    }
}

async fn over_tls(question: &Question, addresses: &[(String, u16)]) -> io::Result<Heard> {
    let mut stream = tls::secured(connect(addresses).await?).await?;
    let certificate = tls::certificate(&stream, question.port);
    let version = if question.only_certificate {
        None
    } else {
        match question.protocol.ask(&mut stream, &question.name).await {
            Ok(Answer::Understood(version)) => version,
            Ok(Answer::Secures | Answer::Strange) | Err(_) => None,
        }
    };
    // So that it does not take us for somebody who was cut off.
    let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
    Ok(Heard::Said {
        version,
        certificate,
    })
}

/// The first address that takes the connection.
async fn connect(addresses: &[(String, u16)]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (address, port) in addresses {
        match TcpStream::connect((address.as_str(), *port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The version that the files of a program tell, for those who do not tell it to strangers.
fn installed(proc: &Path, question: &Question) -> Option<String> {
    let process = proc.join(question.pid.to_string());
    let of_program = std::fs::read_link(process.join("exe"))
        .ok()
        .and_then(|path| of_path(&path, &question.name));
    of_program.or_else(|| {
        // The server works in the folder of its data.
        let is_postgres = question.protocol == Protocol::Postgres;
        is_postgres.then(|| first_line(process.join("cwd/PG_VERSION")))?
    })
}

/// `/usr/lib/postgresql/15/bin/postgres`, `/usr/sbin/php-fpm8.2`, `/usr/lib/jvm/java-17-openjdk-amd64/bin/java`.
fn of_path(path: &Path, name: &str) -> Option<String> {
    let told = path.file_name()?.to_str()?.strip_prefix(name)?;
    if !told.is_empty() {
        return version(told);
    }
    let mut above = path.parent()?.ancestors();
    let folder = above
        .next()
        .filter(|folder| folder.ends_with("bin"))
        .and_then(|_| above.next()?.file_name()?.to_str())?;
    let numbers = folder.trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '-');
    let end = numbers
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(numbers.len());
    version(&numbers[..end])
}

/// The container decides what lies there: no link is followed, and nothing is believed that is no version.
fn first_line(path: PathBuf) -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    let mut start = [0; 32];
    let length = rustix::io::read(&file, &mut start).ok()?;
    version(std::str::from_utf8(&start[..length]).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_program_tells_its_version_if_it_is_its_own() {
        let told = |path: &str, name: &str| of_path(Path::new(path), name);
        for (path, name, version) in [
            ("/usr/lib/postgresql/15/bin/postgres", "postgres", "15"),
            ("/usr/sbin/php-fpm8.2", "php-fpm", "8.2"),
            ("/usr/lib/jvm/java-17-openjdk-amd64/bin/java", "java", "17"),
            (
                "/root/.nvm/versions/node/v18.19.0/bin/node",
                "node",
                "18.19.0",
            ),
        ] {
            assert_eq!(told(path, name).as_deref(), Some(version), "{path}");
        }
        for (path, name) in [
            ("/usr/bin/postgres", "postgres"),
            ("/usr/lib/erlang/13/bin/beam.smp", "rabbitmq"),
            ("/usr/lib/jvm/java-17/bin/java", "kafka"),
            ("/app/2024/server", "server"),
        ] {
            assert_eq!(told(path, name), None, "{path}");
        }
    }

    #[tokio::test]
    async fn whoever_never_answers_is_not_waited_for() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let question = Question {
            pid: 1,
            name: "redis".to_owned(),
            port,
            protocol: Protocol::Redis,
            only_certificate: false,
            patience: Duration::from_millis(50),
        };
        let addresses = [("127.0.0.1".to_owned(), port)];
        let asked = timeout(question.patience, hear(&question, &addresses)).await;
        assert!(asked.is_err());
    }
}
