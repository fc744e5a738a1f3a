//! What the system tells of a process: where it listens, what limits it, what its environment holds.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::facts::{Known, Process, Unknown};

/// The state of a listening socket, as the kernel writes it.
const LISTENING: &str = "0A";
/// More is what the kernel says where there is no limit.
const NO_LIMIT: u64 = 1 << 60;

/// What is to be known of a running process.
pub fn look(pid: u32) -> Known<Process> {
    let folder = Path::new("/proc").join(pid.to_string());
    let user = fs::metadata(&folder)
        .map_err(|error| unknown("the process cannot be seen", &error))?
        .uid();
    let groups = fs::read_to_string(folder.join("cgroup"));
    let groups = groups.map_err(|error| unknown("its control group cannot be read", &error));
    let limited = |controller, files: &[&str]| {
        let groups = groups.as_ref().map_err(Clone::clone)?;
        is_limited(groups, controller, files, Path::new("/sys/fs/cgroup"))
    };
    Ok(Process {
        pid,
        user,
        listens: listens(&folder),
        has_memory_limit: limited("memory", &["memory.max", "memory.limit_in_bytes"]),
        has_process_limit: limited("pids", &["pids.max"]),
        secret_variables: fs::read(folder.join("environ"))
            .map(|environment| secrets_of(&environment))
            .map_err(|error| unknown("its environment cannot be read", &error)),
    })
}

fn unknown(what: &str, error: &io::Error) -> Unknown {
    Unknown(format!("{what}: {}", crate::folders::reason(error)))
}

/// Where a process listens: the sockets it holds, as far as they are listening ones.
fn listens(process: &Path) -> Known<Vec<SocketAddr>> {
    let denied = |error: io::Error| unknown("its sockets cannot be seen", &error);
    let mut held = BTreeSet::new();
    for entry in fs::read_dir(process.join("fd")).map_err(denied)? {
        let Ok(entry) = entry else { continue };
        // One may be closed while they are listed.
        let Ok(target) = fs::read_link(entry.path()) else {
            continue;
        };
        let inode = target
            .to_str()
            .and_then(|text| text.strip_prefix("socket:["));
        held.extend(
            inode
                .and_then(|text| text.strip_suffix(']'))
                .map(str::to_owned),
        );
    }
    let mut found = Vec::new();
    for table in ["net/tcp", "net/tcp6"] {
        let table = fs::read_to_string(process.join(table)).unwrap_or_default();
        found.extend(listening(&table, &held));
    }
    Ok(found)
}

/// The addresses of listening sockets with one of these inodes.
fn listening(table: &str, held: &BTreeSet<String>) -> Vec<SocketAddr> {
    let sockets = table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace();
        let local = fields.nth(1)?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?;
        (state == LISTENING && held.contains(inode)).then(|| address(local))?
    });
    sockets.collect()
}

/// `0100007F:1CF3`: words of four bytes as the machine has them.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |word: &str| u32::from_str_radix(word, 16).ok().map(u32::to_ne_bytes);
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(word(ip)?).into(),
        32 => {
            let mut bytes = [0; 16];
            for (index, part) in bytes.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(ip.get(index * 8..index * 8 + 8)?)?);
            }
            Ipv6Addr::from(bytes).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip.to_canonical(), port))
}

/// Whether the control group of a process, or one above it, has a limit.
fn is_limited(groups: &str, controller: &str, files: &[&str], root: &Path) -> Known<bool> {
    let mut is_seen = false;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let base = match controllers {
            "" => root.to_owned(),
            names if names.split(',').any(|name| name == controller) => root.join(names),
            _ => continue,
        };
        let mut folder = base.join(path.trim_start_matches('/'));
        while folder.starts_with(&base) {
            for file in files {
                if let Ok(limit) = fs::read_to_string(folder.join(file)) {
                    is_seen = true;
                    if limit
                        .trim()
                        .parse::<u64>()
                        .is_ok_and(|limit| limit < NO_LIMIT)
                    {
                        return Ok(true);
                    }
                }
            }
            if !folder.pop() {
                break;
            }
        }
    }
    if is_seen || groups.lines().any(|line| line == "0::/") {
        Ok(false)
    } else {
        Err(Unknown(
            "its control group cannot be seen from here".to_owned(),
        ))
    }
}

/// Names of variables that look as if they held secrets, and hold something.
fn secrets_of(environment: &[u8]) -> Vec<String> {
    let mut names = BTreeSet::new();
    for entry in environment.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        if let Some((name, value)) = entry.split_once('=')
            && !value.is_empty()
            && is_secret(name)
        {
            names.insert(name.to_owned());
        }
    }
    names.into_iter().collect()
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words = [
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "APIKEY",
    ];
    let is_place = name.ends_with("_FILE") || name.ends_with("_PATH") || name.ends_with("_DIR");
    // The key of ergon's own TLS is the name of a file.
    !is_place
        && name != "ERGON_TLS_KEY"
        && (words.iter().any(|word| name.contains(word)) || name.ends_with("_KEY"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_the_kernel_writes_it() {
        for (text, expected) in [
            ("0100007F:1CF3", "127.0.0.1:7411"),
            ("00000000:0050", "0.0.0.0:80"),
            ("00000000000000000000000001000000:1CF3", "[::1]:7411"),
            ("0000000000000000FFFF00000100007F:1CF3", "127.0.0.1:7411"),
        ] {
            assert_eq!(address(text), expected.parse().ok(), "{text}");
        }
        for wrong in ["", "0100007F", "0100007F:", "01:1", "zz00007F:1CF3"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_what_a_process_holds_and_listens_on_counts() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1CF3 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1\n\
             1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22 1\n\
             2: 0100007F:1CF3 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 33 1\n";
        let held = ["11", "33"].map(str::to_owned).into();
        assert_eq!(listening(table, &held), ["127.0.0.1:7411".parse().unwrap()]);
    }

    #[test]
    fn a_limit_counts_wherever_above_a_process_it_is() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("system.slice/ergon.service");
        fs::create_dir_all(&folder).unwrap();
        let groups = "0::/system.slice/ergon.service\n";
        let limited = || is_limited(groups, "memory", &["memory.max"], root.path());
        assert!(limited().is_err());
        fs::write(folder.join("memory.max"), "max\n").unwrap();
        assert_eq!(limited(), Ok(false));
        fs::write(root.path().join("system.slice/memory.max"), "2147483648\n").unwrap();
        assert_eq!(limited(), Ok(true));
    }

    #[test]
    fn version_one_has_a_tree_for_each_controller() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("memory/app");
        fs::create_dir_all(&folder).unwrap();
        let groups = "5:memory:/app\n4:pids:/app\n0::/\n";
        let limited = || is_limited(groups, "memory", &["memory.limit_in_bytes"], root.path());
        fs::write(
            folder.join("memory.limit_in_bytes"),
            "9223372036854771712\n",
        )
        .unwrap();
        assert_eq!(limited(), Ok(false));
        fs::write(folder.join("memory.limit_in_bytes"), "1000000\n").unwrap();
        assert_eq!(limited(), Ok(true));
    }

    #[test]
    fn secrets_are_known_by_their_names_and_never_told() {
        let environment = b"PATH=/bin\0GITHUB_TOKEN=x\0ERGON_MODEL_KEY=y\0EMPTY_SECRET=\0ERGON_MODEL_KEY_FILE=/k\0ERGON_TLS_KEY=/k\0broken";
        assert_eq!(secrets_of(environment), ["ERGON_MODEL_KEY", "GITHUB_TOKEN"]);
    }
}
