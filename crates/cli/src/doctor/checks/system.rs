//! Questions about the machine: files, network, engine, limits.

use super::super::facts::{Facts, Unknown};
use super::super::{Answer, Finding, Level};
use super::finding;

/// Less free than this share of the disk is little.
const LITTLE: u64 = 10;
/// So much is enough, however large the disk is.
const ENOUGH: u64 = 20 << 30;
/// Engines whose makers mend no holes any more are older than this.
const OLDEST_DOCKER: u32 = 25;
const OLDEST_PODMAN: u32 = 4;
/// Clocks are this far apart without harm, in seconds.
const APART: i64 = 60;

/// Whether what is for its owner alone is.
pub fn files(facts: &Facts) -> Answer {
    let Some(folder) = facts.files.first() else {
        return Err(Unknown("the data folder cannot be seen".to_owned()));
    };
    let mut found = Vec::new();
    for file in &facts.files {
        let path = file.path.display();
        let is_folder = file == folder;
        if file.mode & 0o077 != 0 {
            // Inside a folder that nobody else may enter, it is only one door of two.
            let is_open = is_folder || folder.mode & 0o077 != 0;
            let level = if is_open {
                Level::Unsafe
            } else {
                Level::Unwise
            };
            let mode = if file.is_key { "600" } else { "700" };
            found.push(finding(
                level,
                format!("{path} may be used by others (mode {:o})", file.mode),
                "whoever reads the token, a key or the database is the owner of this stack",
                format!("chmod {mode} {path}"),
            ));
        }
        if file.owner != folder.owner {
            found.push(finding(
                Level::Unsafe,
                format!("{path} belongs to another user ({})", file.owner),
                "whoever owns a file can change it, and who may read it",
                format!("chown --reference={} {path}", facts.data.display()),
            ));
        }
    }
    Ok(found)
}

/// Whether anybody on the way can read along.
pub fn listening(facts: &Facts) -> Answer {
    let endpoint = facts.endpoint.clone()?;
    let process = facts.process.clone()?;
    let listens = process.listens?;
    if endpoint.starts_with("https://") {
        return Ok(Vec::new());
    }
    let beyond = listens.iter().filter(|address| !address.ip().is_loopback());
    Ok(beyond
        .map(|address| {
            finding(
                Level::Unsafe,
                format!("the stack can be reached at {address}, and speaks plain HTTP"),
                "whoever is on the way reads the token with the first request, and is the owner from then on",
                "ergon up --tls, or --tls-certificate and --tls-key; or listen on loopback behind something that ends TLS",
            )
        })
        .collect())
}

/// Who else can use the container engine.
pub fn engine_socket(facts: &Facts) -> Answer {
    let socket = facts.engine_socket.clone()?;
    let path = socket.path.display();
    let why = "whoever can talk to the container engine is root on this machine";
    if socket.mode & 0o006 != 0 {
        return Ok(vec![finding(
            Level::Unsafe,
            format!("everybody on this machine can use {path}"),
            why,
            format!("chmod o-rw {path}"),
        )]);
    }
    if socket.mode & 0o060 == 0 || socket.members.is_empty() {
        return Ok(Vec::new());
    }
    let (group, members) = (&socket.group, socket.members.join(", "));
    Ok(vec![finding(
        Level::Unwise,
        format!("{path} can be used by group {group}: {members}"),
        why,
        format!("take out whoever need not be root: gpasswd --delete NAME {group}"),
    )])
}

/// Whether the engine's makers still mend holes in it.
pub fn engine_version(facts: &Facts) -> Answer {
    let session = facts.session.clone()?;
    let mut words = session.engine.split_whitespace();
    let (Some(kind), Some(version)) = (words.next(), words.next()) else {
        return Err(Unknown("no engine was reached".to_owned()));
    };
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    let oldest = match kind {
        "Docker" => OLDEST_DOCKER,
        "Podman" => OLDEST_PODMAN,
        _ => return Err(Unknown("no engine was reached".to_owned())),
    };
    let Some(major) = major else {
        return Err(Unknown(format!(
            "`{version}` is no version that is understood"
        )));
    };
    Ok(Vec::from_iter((major < oldest).then(|| {
        finding(
            Level::Unwise,
            format!("the container engine is {kind} {version}"),
            "its makers mend no holes in it any more, and containers are kept in by it alone",
            format!("install {kind} {oldest} or newer"),
        )
    })))
}

/// Whether the stack is root without need.
pub fn user(facts: &Facts) -> Answer {
    let process = facts.process.clone()?;
    Ok(Vec::from_iter((process.user == 0).then(|| {
        finding(
            Level::Unwise,
            "the stack runs as root",
            "a hole in it is a hole in the machine; only sandboxes of Linux namespaces need root",
            "run it as a user of its own that may use the engine: packaging/ergon.service shows how",
        )
    })))
}

/// Whether the stack can take all of the machine.
pub fn limits(facts: &Facts) -> Answer {
    let process = facts.process.clone()?;
    let mut found = Vec::new();
    for (what, has_limit, setting) in [
        ("memory", process.has_memory_limit, "MemoryMax=2G"),
        ("processes", process.has_process_limit, "TasksMax=4096"),
    ] {
        if !has_limit? {
            found.push(finding(
                Level::Unwise,
                format!("nothing limits the {what} that the stack takes"),
                "what goes wrong in it, or is done to it, takes the rest of the machine along",
                format!("{setting} in its unit: packaging/ergon.service has both"),
            ));
        }
    }
    Ok(found)
}

/// Whether there is room for what is to be written.
pub fn disk(facts: &Facts) -> Answer {
    let disk = facts.disk.clone()?;
    let is_little = disk.free < ENOUGH && disk.free < disk.size / LITTLE;
    Ok(Vec::from_iter(is_little.then(|| {
        finding(
            Level::Unwise,
            format!(
                "the disk of {} has {} left",
                facts.data.display(),
                crate::words::size(disk.free)
            ),
            "what cannot be written down in the audit log is not done: a full disk stops every change",
            "ergon registry gc and ergon cache prune remove what nobody needs",
        )
    })))
}

/// Whether times can be relied on.
pub fn clock(facts: &Facts) -> Answer {
    let mut found = Vec::new();
    if facts.newest > facts.now + APART {
        found.push(finding(
            Level::Unsafe,
            "the clock was set back: something in the data folder is of the future",
            "tokens, certificates and leases last longer than they were meant to, and the audit log has wrong times",
            "set the clock: timedatectl set-ntp true",
        ));
    }
    if !facts.clock_is_kept.clone()? {
        found.push(finding(
            Level::Unwise,
            "nobody keeps the clock right",
            "certificates last an hour: a clock that drifts refuses good ones and takes bad ones",
            "timedatectl set-ntp true, or chrony",
        ));
    }
    Ok(found)
}

/// Whether secrets stand where everything that is started inherits them.
pub fn environment(facts: &Facts) -> Answer {
    let process = facts.process.clone()?;
    let names = process.secret_variables?;
    let secret = |name: &String| -> Finding {
        finding(
            Level::Unwise,
            format!("the stack's environment holds {name}"),
            "whatever runs as the same user can read it in /proc, and what is started there may have it, too",
            if name == "ERGON_MODEL_KEY" {
                "put it into a file of mode 600, and name that: ERGON_MODEL_KEY_FILE".to_owned()
            } else {
                format!("start the stack without it: env --unset={name} ergon up")
            },
        )
    };
    Ok(names.iter().map(secret).collect())
}
