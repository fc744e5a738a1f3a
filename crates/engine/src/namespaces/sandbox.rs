//! A sandbox as the one who waits for it sees it.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use bollard::container::LogOutput;
use futures_util::StreamExt as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio_util::io::ReaderStream;

use super::program::{OUTER, takes_part};
use super::spec::{Report, SandboxEnd, SandboxSpec};
use crate::EngineError;
use crate::output::{LogStream, lines};

/// As much as a pipe holds.
const PIPE: usize = 64 << 10;

/// A command that runs in a sandbox. Dropped, it is ended.
pub struct Sandbox {
    child: Child,
    reports: Lines<BufReader<OwnedReadHalf>>,
    /// Closed, it says that nobody wants the command any more.
    wanted: OwnedWriteHalf,
    /// What it prints, until it ends.
    pub lines: LogStream,
}

impl Sandbox {
    /// Starts the command. `program` is one that calls [`super::take_part`]; absent: this one.
    pub async fn start(spec: &SandboxSpec, program: Option<&Path>) -> Result<Self, EngineError> {
        let program = match program {
            Some(program) => program.to_owned(),
            None if takes_part() => PathBuf::from("/proc/self/exe"),
            None => {
                return Err(EngineError::NoNamespaces {
                    reason: "this program does not know how".to_owned(),
                });
            }
        };
        let start = async {
            let (ours, theirs) = BlockingStream::pair()?;
            ours.set_nonblocking(true)?;
            let mut child = Command::new(program)
                .arg(OUTER)
                .stdin(Stdio::from(OwnedFd::from(theirs)))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                // Ctrl-C is for whoever waits, and who then ends the command.
                .process_group(0)
                .spawn()?;
            let stdout = child.stdout.take();
            let stdout = stdout.map(|pipe| ReaderStream::with_capacity(pipe, PIPE));
            let stderr = child.stderr.take();
            let stderr = stderr.map(|pipe| ReaderStream::with_capacity(pipe, PIPE));
            let (reports, mut wanted) = UnixStream::from_std(ours)?.into_split();
            let mut line = serde_json::to_vec(spec)?;
            line.push(b'\n');
            wanted.write_all(&line).await?;
            let stdout = futures_util::stream::iter(stdout).flatten();
            let stderr = futures_util::stream::iter(stderr).flatten();
            let frames = futures_util::stream::select(
                stdout.map(|read| read.map(|message| LogOutput::StdOut { message })),
                stderr.map(|read| read.map(|message| LogOutput::StdErr { message })),
            );
            let frames = frames.map(|frame| {
                frame.map_err(|error| broken(&format!("its output cannot be read: {error}")))
            });
            Ok(Self {
                child,
                reports: BufReader::new(reports).lines(),
                wanted,
                lines: lines(frames, false),
            })
        };
        start
            .await
            .map_err(|error: std::io::Error| broken(&error.to_string()))
    }

    /// Waits until the command has ended, and everything it started with it.
    pub async fn ended(mut self) -> Result<SandboxEnd, EngineError> {
        let line = self.reports.next_line().await;
        let line = line.map_err(|error| broken(&error.to_string()))?;
        let end = match line.as_deref().map(serde_json::from_str) {
            Some(Ok(Report::Ended(end))) => Ok(end),
            Some(Ok(Report::Failed(reason))) => Err(EngineError::NoNamespaces { reason }),
            Some(Ok(Report::NotStartable(reason))) => Err(EngineError::CommandNotStartable(reason)),
            Some(Err(error)) => Err(broken(&error.to_string())),
            None => Err(broken("it ended without a word")),
        };
        let _ = self.child.wait().await;
        end
    }

    /// Ends the command and everything it started, and waits until they are gone.
    pub async fn end(self) {
        let Self {
            mut child,
            reports,
            wanted,
            lines,
        } = self;
        drop((reports, wanted, lines));
        let _ = child.wait().await;
    }
}

/// Whether sandboxes can be made here, over layers in a disk's folder `folder`, and their directories
/// turned round where that is wanted; why not, where not.
pub async fn available(
    folder: &Path,
    program: Option<&Path>,
    reversed: bool,
) -> Result<(), EngineError> {
    let spec = SandboxSpec {
        folder: folder.to_owned(),
        hostname: "probe".to_owned(),
        processes: 16,
        reversed,
        ..SandboxSpec::default()
    };
    let probe = Sandbox::start(&spec, program).await?;
    probe.ended().await.map(drop)
}

fn broken(reason: &str) -> EngineError {
    EngineError::Other(format!("the sandbox broke: {reason}"))
}
