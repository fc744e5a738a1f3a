//! The process around a sandbox: it unshares, starts the sandbox's first process, and waits for it.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitCode, Stdio};

use nix::sched::CloneFlags;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags};

use super::cgroup::Groups;
use super::directories::{Directories, Received};
use super::inner::failed;
use super::program::INNER;
use super::spec::{Orders, Report, SandboxEnd, SandboxSpec};

/// Makes the sandbox that standard input describes, and reports there how it ended.
pub fn run() -> ExitCode {
    let Ok(channel) = io::stdin().as_fd().try_clone_to_owned() else {
        return ExitCode::FAILURE;
    };
    let mut channel = Channel(UnixStream::from(channel));
    let report = match sandbox(&channel) {
        Ok(end) => Report::Ended(end),
        Err(report) => report,
    };
    match channel.tell(&report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The way to the process that waits for the sandbox.
pub(super) struct Channel(UnixStream);

impl Channel {
    pub fn tell(&mut self, report: &Report) -> io::Result<()> {
        let mut line = serde_json::to_vec(report)?;
        line.push(b'\n');
        self.0.write_all(&line)
    }

    /// The next line. The other side says nothing more until it is answered.
    pub fn line(&self) -> io::Result<String> {
        let mut line = String::new();
        BufReader::new(&self.0).read_line(&mut line)?;
        Ok(line)
    }
}

fn sandbox(channel: &Channel) -> Result<SandboxEnd, Report> {
    let line = channel.line().map_err(failed("read what is wanted"))?;
    let spec: SandboxSpec = serde_json::from_str(&line).map_err(failed("read what is wanted"))?;
    if !rustix::process::geteuid().is_root() {
        return Err(Report::Failed(
            "it takes root; namespaces of another user know no owners but that user".to_owned(),
        ));
    }
    let mut namespaces =
        CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
    if !spec.network {
        namespaces |= CloneFlags::CLONE_NEWNET;
    }
    nix::sched::unshare(namespaces).map_err(failed("make namespaces"))?;
    let name = spec
        .folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let (groups, unlimited) = Groups::make(&name, spec.memory, spec.processes);
    for what in unlimited {
        // Among what the command prints, where somebody looks who wonders.
        let _ = writeln!(io::stderr(), "note: its {what} cannot be limited here");
    }
    let orders = Orders {
        groups: groups.folders(),
        spec,
    };
    let mut inner = Inner::start(&orders)?;
    let directories = if orders.spec.reversed {
        Directed::Awaited
    } else {
        Directed::ByTheKernel
    };
    let exit_code = inner.wait(channel, directories)?;
    Ok(SandboxEnd {
        exit_code,
        out_of_memory: groups.ran_out_of_memory(),
    })
}

/// The sandbox's first process. With its end, everything in the sandbox has ended.
struct Inner {
    child: Child,
    handle: OwnedFd,
    orders: UnixStream,
}

impl Inner {
    fn start(orders: &Orders) -> Result<Self, Report> {
        let start = || -> io::Result<Self> {
            let (ours, theirs) = UnixStream::pair()?;
            let child = Command::new("/proc/self/exe")
                .arg0("ergon-step")
                .arg(INNER)
                .stdin(Stdio::from(OwnedFd::from(theirs)))
                .spawn()?;
            let pid = i32::try_from(child.id())
                .ok()
                .and_then(Pid::from_raw)
                .ok_or_else(|| io::Error::other("it has no process id"))?;
            let mut inner = Self {
                handle: rustix::process::pidfd_open(pid, PidfdFlags::empty())?,
                child,
                orders: ours,
            };
            let mut line = serde_json::to_vec(orders)?;
            line.push(b'\n');
            inner.orders.write_all(&line)?;
            Ok(inner)
        };
        start().map_err(failed("start the sandbox's first process"))
    }

    /// Waits until it ends, or until nobody wants to know any more.
    fn wait(&mut self, channel: &Channel, mut directories: Directed) -> Result<i64, Report> {
        let mut refusal = Vec::new();
        loop {
            let mut polled = vec![
                PollFd::new(&self.handle, PollFlags::IN),
                PollFd::new(&channel.0, PollFlags::RDHUP),
            ];
            match &directories {
                Directed::ByTheKernel => {}
                Directed::Awaited => polled.push(PollFd::new(&self.orders, PollFlags::IN)),
                Directed::ByUs(ours) => polled.push(PollFd::new(ours, PollFlags::IN)),
            }
            match rustix::event::poll(&mut polled, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(failed("wait for the command")(errno)),
            }
            let asked = polled.get(2).map_or(PollFlags::empty(), PollFd::revents);
            if !polled[1].revents().is_empty() {
                let _ = self.child.kill();
            }
            if let Some(status) = self
                .child
                .try_wait()
                .map_err(failed("wait for the command"))?
            {
                let _ = self.orders.read_to_end(&mut refusal);
                if let Ok(report) = serde_json::from_slice(&refusal) {
                    return Err(report);
                }
                return Ok(status
                    .code()
                    .or_else(|| status.signal().map(|signal| 128 + signal))
                    .unwrap_or(-1)
                    .into());
            }
            if !asked.is_empty() {
                directories = directories
                    .served(&self.orders, asked, &mut refusal)
                    .map_err(failed("turn directories round"))?;
            }
        }
    }
}

/// Who tells the sandbox what is in a directory.
enum Directed {
    ByTheKernel,
    /// This process, as soon as the sandbox is made.
    Awaited,
    ByUs(Directories),
}

impl Directed {
    /// What comes after something was heard of the sandbox; what is no question goes to `said`.
    fn served(self, orders: &UnixStream, asked: PollFlags, said: &mut Vec<u8>) -> io::Result<Self> {
        match self {
            Self::ByUs(mut ours) if asked.contains(PollFlags::IN) => {
                ours.answer()?;
                Ok(Self::ByUs(ours))
            }
            // Nobody is left who could ask.
            Self::ByUs(_) | Self::ByTheKernel => Ok(Self::ByTheKernel),
            Self::Awaited => match Directories::receive(orders)? {
                Received::Directories(ours) => Ok(Self::ByUs(ours)),
                Received::Bytes(bytes) if bytes.is_empty() => Ok(Self::ByTheKernel),
                Received::Bytes(bytes) => {
                    said.extend(bytes);
                    Ok(Self::Awaited)
                }
            },
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
