//! Tells a sandbox's programs what is in a directory, in another order than its file system has.
//!
//! A filter hands every `getdents64` of the sandbox to the process around it, which reads the same
//! open directory, turns round what it read and writes that where the program wants it. So the order
//! differs for every program, however it was made and whatever the file system is; and nothing else
//! differs, as it would over a file system of its own.

use std::fs::{self, File};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;

use rustix::fs::{RawDir, SeekFrom};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags};
use seccompiler::{BpfProgram, sock_filter};

use super::listing::{Entry, Listing};

/// So many directories that somebody has begun to read are remembered.
const MOST_LISTINGS: usize = 512;
/// A directory with more entries is told in its own order: they are held in memory.
const MOST_ENTRIES: usize = 1 << 20;
/// No answer is longer.
const LONGEST_ANSWER: usize = 1 << 20;

/// The other side waits for an answer even when it gets a signal: asked twice, it would miss entries.
/// The header of Linux 5.19; the libc crate does not have it.
const WAIT_KILLABLE_RECV: libc::c_ulong = 1 << 5;

/// Why directories cannot be turned round here; nothing where they can.
pub fn possible() -> io::Result<()> {
    // Without a program the kernel says whether it knows the flags, and does nothing.
    let known = match filter(std::ptr::null()) {
        Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::ErrorKind::Unsupported.into()),
    };
    let here = File::open("/")?;
    if known.is_ok() && same_file(here.as_fd(), here.as_fd()) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "the kernel is older than 5.19, or was made without kcmp",
    ))
}

/// Hands the directories that this process and its children read to whoever holds the result.
pub fn hand_over() -> io::Result<OwnedFd> {
    let program = program();
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(io::Error::other)?,
        filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut(),
    };
    filter(&raw const program)
}

/// Sends it to the other end of a socket.
pub fn send(socket: impl AsFd, listener: &OwnedFd) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = [listener.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&files));
    rustix::net::sendmsg(
        socket,
        &[IoSlice::new(b"\n")],
        &mut control,
        SendFlags::empty(),
    )?;
    Ok(())
}

/// The filter: the call that reads directories, of this machine's own kind, is handed over.
fn program() -> BpfProgram {
    let (load, equal, end) = (
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
        libc::BPF_RET | libc::BPF_K,
    );
    // The offsets of the architecture and of the call's number in `struct seccomp_data`.
    [
        (load, 4, 0, 0),
        (equal, ARCHITECTURE, 0, 3),
        (load, 0, 0, 0),
        (equal, GETDENTS64, 0, 1),
        (end, libc::SECCOMP_RET_USER_NOTIF, 0, 0),
        (end, libc::SECCOMP_RET_ALLOW, 0, 0),
    ]
    .into_iter()
    .map(|(code, k, jt, jf)| sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    })
    .collect()
}

/// `AUDIT_ARCH_…` of the header `linux/audit.h`, and the number of `getdents64`.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "x86_64")]
const GETDENTS64: u32 = 217;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const ARCHITECTURE: u32 = 0xc000_00f3;
#[cfg(not(target_arch = "x86_64"))]
const GETDENTS64: u32 = 61;

#[expect(unsafe_code, reason = "no crate wraps the call with a listener")]
fn filter(program: *const libc::sock_fprog) -> io::Result<OwnedFd> {
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE_RECV;
    // SAFETY: the kernel reads the instructions behind `program`, which the caller holds until the
    // call is over, or finds none there. What it returns is a new file of this process's own.
    unsafe {
        let result = libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            program,
        );
        match i32::try_from(result) {
            Ok(file) if file >= 0 => Ok(OwnedFd::from_raw_fd(file)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// The directories of a sandbox, as the process around it tells them.
pub struct Directories {
    listener: OwnedFd,
    /// Those that somebody has been told a part of, with the open file it belongs to.
    begun: Vec<(OwnedFd, Listing)>,
}

impl AsFd for Directories {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// What the other end of a socket has sent.
pub enum Received {
    Directories(Directories),
    /// Something else, or nothing: its end.
    Bytes(Vec<u8>),
}

impl Directories {
    pub fn receive(socket: impl AsFd) -> io::Result<Received> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut bytes = [0; 1024];
        let received = rustix::net::recvmsg(
            socket,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )?;
        let listener = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut files) => files.next(),
            _ => None,
        });
        Ok(match listener {
            Some(listener) => Received::Directories(Self {
                listener,
                begun: Vec::new(),
            }),
            None => Received::Bytes(bytes[..received.bytes].to_vec()),
        })
    }

    /// Answers whoever asks next. To be called when the listener can be read.
    pub fn answer(&mut self) -> io::Result<()> {
        let Some(asked) = self.asked()? else {
            return Ok(());
        };
        let mut reply = libc::seccomp_notif_resp {
            id: asked.id,
            val: 0,
            error: 0,
            flags: 0,
        };
        match self.tell(&asked) {
            Ok(Answer::Bytes(length)) => reply.val = length,
            Ok(Answer::Errno(errno)) => reply.error = -errno.raw_os_error(),
            // What went wrong here is the kernel's to say, to the one who asked.
            Ok(Answer::AsItIs) | Err(_) => {
                reply.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
            }
        }
        self.reply(&reply)
    }

    fn tell(&mut self, asked: &libc::seccomp_notif) -> io::Result<Answer> {
        let [number, address, room, ..] = asked.data.args;
        let process = handle(asked.pid)?;
        let memory = File::options()
            .write(true)
            .open(format!("/proc/{}/mem", asked.pid))?;
        if !self.still_asks(asked.id) {
            // Another process may have its number by now.
            return Ok(Answer::AsItIs);
        }
        // The kernel takes the lower half of both.
        let (number, room) = (number as i32, room as u32 as usize);
        let file = rustix::process::pidfd_getfd(&process, number, PidfdGetfdFlags::empty())?;
        let position = rustix::fs::tell(&file)?;
        let known = self
            .begun
            .iter()
            .position(|(begun, _)| same_file(begun.as_fd(), file.as_fd()));
        let known = known.map(|index| self.begun.remove(index));
        let listing = match known {
            Some((_, listing)) if position != 0 => listing,
            _ if position != 0 => return Ok(Answer::AsItIs),
            _ => match read(&file)? {
                Some(listing) => listing,
                None => return Ok(Answer::AsItIs),
            },
        };
        let Some(from) = listing.next_at(position) else {
            return Ok(Answer::AsItIs);
        };
        let (answer, next) = match listing.told(from, room.min(LONGEST_ANSWER)) {
            None => (Answer::Errno(Errno::INVAL), from),
            Some((bytes, next)) => match memory.write_all_at(&bytes, address) {
                Ok(()) => (Answer::Bytes(bytes.len().cast_signed() as i64), next),
                Err(_) => (Answer::Errno(Errno::FAULT), from),
            },
        };
        rustix::fs::seek(&file, SeekFrom::Start(listing.position_before(next)))?;
        if !listing.is_whole(next) {
            if self.begun.len() == MOST_LISTINGS {
                self.begun.remove(0);
            }
            self.begun.push((file, listing));
        }
        Ok(answer)
    }

    /// Who asks; nobody where the one who did has ended meanwhile.
    #[expect(unsafe_code, reason = "no crate wraps the call")]
    fn asked(&self) -> io::Result<Option<libc::seccomp_notif>> {
        // SAFETY: all of it are numbers, for which zero is a value; the kernel wants it so.
        let mut asked: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes one `seccomp_notif` where there is one.
        let result = unsafe {
            libc::ioctl(
                self.listener.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_RECV,
                &raw mut asked,
            )
        };
        if result == 0 {
            return Ok(Some(asked));
        }
        match io::Error::last_os_error() {
            error if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => Ok(None),
            error => Err(error),
        }
    }

    #[expect(unsafe_code, reason = "no crate wraps the call")]
    fn still_asks(&self, id: u64) -> bool {
        // SAFETY: the kernel reads one number where there is one.
        let result = unsafe {
            libc::ioctl(
                self.listener.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_ID_VALID,
                &raw const id,
            )
        };
        result == 0
    }

    #[expect(unsafe_code, reason = "no crate wraps the call")]
    fn reply(&self, reply: &libc::seccomp_notif_resp) -> io::Result<()> {
        // SAFETY: the kernel reads one `seccomp_notif_resp` where there is one.
        let result = unsafe {
            libc::ioctl(
                self.listener.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_SEND,
                std::ptr::from_ref(reply),
            )
        };
        if result == 0 {
            return Ok(());
        }
        match io::Error::last_os_error() {
            // The one who asked was ended.
            error if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            error => Err(error),
        }
    }
}

enum Answer {
    /// So many were written where they were wanted.
    Bytes(i64),
    Errno(Errno),
    /// What the kernel says.
    AsItIs,
}

/// The process to which a thread belongs.
fn handle(thread: u32) -> io::Result<OwnedFd> {
    let open = |number: u32| {
        let pid = i32::try_from(number).ok().and_then(Pid::from_raw);
        rustix::process::pidfd_open(pid.ok_or(Errno::SRCH)?, PidfdFlags::empty())
    };
    // A thread that is not its process's first has no handle of its own.
    if let Ok(handle) = open(thread) {
        return Ok(handle);
    }
    let status = fs::read_to_string(format!("/proc/{thread}/status"))?;
    let process = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
    let process = process.and_then(|number| number.trim().parse().ok());
    Ok(open(process.ok_or(Errno::SRCH)?)?)
}

/// All of a directory from its beginning, turned round; none where that is too much to hold.
fn read(file: &OwnedFd) -> io::Result<Option<Listing>> {
    let mut space = vec![MaybeUninit::uninit(); 64 << 10];
    let mut directory = RawDir::new(file, &mut space);
    let mut entries = Vec::new();
    while let Some(entry) = directory.next() {
        let entry = entry?;
        let kind = entry.file_type().as_raw_mode() >> 12;
        entries.push(Entry {
            inode: entry.ino(),
            // What is no type of a file is one that is not known.
            kind: if kind < 15 {
                kind as u8
            } else {
                libc::DT_UNKNOWN
            },
            name: entry.file_name().to_bytes().to_vec(),
            position: entry.next_entry_cookie(),
        });
        if entries.len() > MOST_ENTRIES {
            rustix::fs::seek(file, SeekFrom::Start(0))?;
            return Ok(None);
        }
    }
    Ok(Some(Listing::turned(entries)))
}

/// Whether two descriptors are of one open file, with one position.
#[expect(unsafe_code, reason = "no crate we have wraps the call")]
fn same_file(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    const KCMP_FILE: libc::c_int = 0;
    let process = rustix::process::getpid().as_raw_nonzero();
    // SAFETY: the call takes numbers only.
    let result = unsafe {
        libc::syscall(
            libc::SYS_kcmp,
            process,
            process,
            KCMP_FILE,
            libc::c_ulong::from(one.as_raw_fd().cast_unsigned()),
            libc::c_ulong::from(other.as_raw_fd().cast_unsigned()),
        )
    };
    result == 0
}
