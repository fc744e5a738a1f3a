//! The way to a tool: a program that is started for a message, reads it on its standard input, and answers on its
//! standard output.
//!
//! It is started without a shell, with a bare environment, as the leader of a process group that is ended with it:
//! nothing of it stays behind, however it ends.

use std::process::Stdio;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr};
use tokio::time::{Instant, timeout};

use super::answer::Collected;
use super::error::SendError;
use super::letter::Letter;
use super::pieces::{Form, Raw, Reader};
use super::text;
use super::way::Way;

/// What of the stack's own environment a tool gets.
const PASSED_ON: [&str; 5] = ["PATH", "HOME", "LANG", "TZ", "TMPDIR"];
/// So much of what a program complains is read, in bytes.
const LONGEST_COMPLAINT: u64 = 4096;
/// Whoever closed their standard output is given so long to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// The way to a tool.
#[derive(Debug)]
pub struct Command {
    arguments: Vec<String>,
}

/// A process group that ends when this is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may be gone already, which is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Command {
    pub fn new(arguments: Vec<String>) -> Self {
        Self { arguments }
    }

    fn program(&self) -> &str {
        self.arguments.first().map_or("", String::as_str)
    }

    fn start(&self, letter: &Letter) -> Result<(Child, Group), SendError> {
        let mut command = tokio::process::Command::new(self.program());
        command
            .args(self.arguments.iter().skip(1))
            .env_clear()
            .envs(
                PASSED_ON
                    .iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .env("ERGON_FROM", &letter.from)
            .env("ERGON_MESSAGE_ID", &letter.id)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn().map_err(|error| SendError::NoProgram {
            program: self.program().to_owned(),
            reason: error.to_string(),
        })?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok((child, Group(group)))
    }

    async fn run(&self, letter: &Letter, answer: &mut Collected) -> Result<(), SendError> {
        let (mut child, group) = self.start(letter)?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(mut stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err(SendError::Broken("it has no pipes".to_owned()));
        };
        // Whoever does not read what it is told may still answer.
        let tell = async {
            let _ = stdin.write_all(letter.content.as_bytes()).await;
            drop(stdin);
        };
        let hear = async {
            let mut reader = Reader::new(Form::Text);
            let mut buffer = vec![0; 16 << 10];
            loop {
                let read = stdout
                    .read(&mut buffer)
                    .await
                    .map_err(|error| SendError::Broken(error.to_string()))?;
                answer.count(read)?;
                let said = match read {
                    0 => break,
                    read => reader.feed(&buffer[..read]),
                };
                push_all(answer, said.unwrap_or_default()).await?;
            }
            push_all(answer, reader.end().unwrap_or_default()).await
        };
        let ((), heard, complaint) =
            tokio::join!(tell, ended_by_error(hear, &group), complaint(stderr));
        heard?;
        let ended = timeout(FAREWELL, child.wait()).await;
        drop(group);
        match ended {
            Ok(Ok(status)) if !status.success() => Err(SendError::ProgramFailed {
                program: self.program().to_owned(),
                reason: Some(complaint)
                    .filter(|complaint| !complaint.is_empty())
                    .or_else(|| Some(status.to_string())),
            }),
            _ => Ok(()),
        }
    }
}

/// Ends the group when what it says is not listened to any more, so that its other pipes close, too.
async fn ended_by_error(
    hear: impl Future<Output = Result<(), SendError>>,
    group: &Group,
) -> Result<(), SendError> {
    let heard = hear.await;
    if heard.is_err()
        && let Some(group) = group.0
    {
        let _ = kill_process_group(group, Signal::KILL);
    }
    heard
}

async fn push_all(answer: &mut Collected, said: Vec<Raw>) -> Result<(), SendError> {
    for said in said {
        if let Raw::Text(piece) = said {
            answer.push(&piece).await?;
        }
    }
    Ok(())
}

/// The beginning of what it complains; the rest is read, too, or it would wait for somebody to do so.
async fn complaint(mut stderr: ChildStderr) -> String {
    let mut beginning = Vec::new();
    let _ = (&mut stderr)
        .take(LONGEST_COMPLAINT)
        .read_to_end(&mut beginning)
        .await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    text::shortened(&String::from_utf8_lossy(&beginning))
}

impl Way for Command {
    fn bring<'a>(
        &'a self,
        letter: &'a Letter,
        _deadline: Instant,
        answer: &'a mut Collected,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        self.run(letter, answer).boxed()
    }
}
