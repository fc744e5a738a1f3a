//! The sandbox's first process: it makes the sandbox around itself and becomes the command.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::ExitCode;

use nix::sched::CloneFlags;
use nix::sys::personality::Persona;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::Mode;
use rustix::mount::MountPropagationFlags;
use rustix::process::Signal;

use super::cgroup;
use super::confine;
use super::directories;
use super::root::Root;
use super::spec::{Orders, Report, SandboxSpec, processors};

/// Why the command does not run.
pub(super) type Refusal = Report;

/// Does as ordered on standard input; comes back only where it cannot, or where there is no command.
pub fn run() -> ExitCode {
    // The command gets an empty standard input; this one is closed when it starts.
    let Ok(channel) = io::stdin().as_fd().try_clone_to_owned() else {
        return ExitCode::FAILURE;
    };
    let channel = File::from(channel);
    match obey(&channel) {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            let _ = writeln!(
                &channel,
                "{}",
                serde_json::to_string(&report).unwrap_or_default()
            );
            ExitCode::FAILURE
        }
    }
}

fn obey(channel: &File) -> Result<(), Refusal> {
    // Nobody would end the command after the one who waits for it is gone.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(failed("be ended with its parent"))?;
    let mut line = String::new();
    BufReader::new(channel)
        .read_line(&mut line)
        .map_err(failed("read its orders"))?;
    let orders: Orders = serde_json::from_str(&line).map_err(failed("read its orders"))?;
    let mut gone = [PollFd::new(channel, PollFlags::empty())];
    let at_once = Timespec::default();
    if rustix::event::poll(&mut gone, Some(&at_once)).map_err(failed("see its parent"))? > 0 {
        return Err(Report::Failed("its parent is gone".to_owned()));
    }
    let spec = &orders.spec;
    if spec.reversed {
        directories::possible().map_err(failed("turn directories round"))?;
    }
    cgroup::join(&orders.groups).map_err(failed("join its control groups"))?;
    limit_processors(spec)?;
    // Whoever started this may have had it take the machine for another, as `setarch` does.
    nix::sys::personality::set(Persona::empty()).map_err(failed("be the usual kind of process"))?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    rustix::process::setsid().map_err(failed("make a session"))?;
    rustix::system::sethostname(spec.hostname.as_bytes()).map_err(failed("set the host name"))?;
    // Not before: a new root is one for every process that shares the mounts.
    nix::sched::unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWCGROUP)
        .map_err(failed("make namespaces"))?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).map_err(failed("keep its mounts to itself"))?;
    let root = Root::prepare(spec)?;
    root.enter(spec)?;
    if spec.command.is_empty() {
        return Ok(());
    }
    become_command(&orders, channel)
}

fn limit_processors(spec: &SandboxSpec) -> Result<(), Refusal> {
    let Some(list) = &spec.processors else {
        return Ok(());
    };
    let mut set = rustix::thread::CpuSet::new();
    for number in processors(list).unwrap_or_default() {
        if number >= rustix::thread::CpuSet::MAX_CPU {
            return Err(Report::Failed(format!("there is no processor {number}")));
        }
        set.set(number);
    }
    rustix::thread::sched_setaffinity(None, &set).map_err(failed("choose its processors"))
}

fn become_command(orders: &Orders, channel: &File) -> Result<(), Refusal> {
    let spec = &orders.spec;
    let workdir = Path::new(&spec.workdir);
    fs::create_dir_all(workdir)
        .and_then(|()| std::env::set_current_dir(workdir))
        .map_err(failed("enter the working directory"))?;
    let text = |text: &str| {
        CString::new(text).map_err(|_| {
            Report::NotStartable("it, or its environment, holds a zero byte".to_owned())
        })
    };
    let arguments = spec
        .command
        .iter()
        .map(|argument| text(argument))
        .collect::<Result<Vec<_>, _>>()?;
    let env = spec
        .env
        .iter()
        .map(|(name, value)| text(&format!("{name}={value}")))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(program) = arguments.first() else {
        return Ok(());
    };
    let empty = File::open("/dev/null").map_err(failed("open /dev/null"))?;
    let group = rustix::process::Gid::ROOT;
    rustix::thread::set_thread_groups(&[group]).map_err(failed("leave its groups"))?;
    // A crash leaves no memory dump in the layer.
    let none = rustix::process::Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    rustix::process::setrlimit(rustix::process::Resource::Core, none)
        .map_err(failed("set its limits"))?;
    let filters = confine::filters(spec.network)
        .map_err(|error| Report::Failed(format!("cannot make the system call filter: {error}")))?;
    for filter in &filters {
        confine::apply(filter).map_err(failed("filter system calls"))?;
    }
    if spec.reversed {
        // From here on this process, too, is told what is in a directory; it asks no more.
        directories::hand_over()
            .and_then(|listener| directories::send(channel, &listener))
            .map_err(failed("turn directories round"))?;
    }
    confine::drop_capabilities(spec.network).map_err(failed("give up its privileges"))?;
    rustix::stdio::dup2_stdin(&empty).map_err(failed("close its input"))?;
    confine::close_files().map_err(failed("close its files"))?;
    match nix::unistd::execve(program, &arguments, &env) {
        Ok(never) => match never {},
        Err(errno) => Err(Report::NotStartable(format!(
            "{}: {}",
            spec.command[0],
            reason(&errno.into())
        ))),
    }
}

/// For `map_err`: `cannot <do>: …`.
pub(super) fn failed<E: Into<io::Error>>(doing: &str) -> impl FnOnce(E) -> Refusal {
    move |error| Report::Failed(format!("cannot {doing}: {}", reason(&error.into())))
}

/// The error without its number, which says nothing to people.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_lowercase(),
        None => text,
    }
}
