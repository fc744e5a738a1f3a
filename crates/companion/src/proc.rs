//! The texts of `/proc`, understood. Nothing here opens a file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::observation::ConnectionState;

/// `/proc/<pid>/stat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub pid: u32,
    pub name: String,
    pub state: char,
    pub parent: u32,
}

/// A line of `/proc/<pid>/net/tcp` or `tcp6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Socket {
    pub local: (IpAddr, u16),
    pub remote: (IpAddr, u16),
    /// Absent: it listens.
    pub state: Option<ConnectionState>,
    pub send_queue: u64,
    pub receive_queue: u64,
    /// 0 where no process holds it any more.
    pub inode: u64,
}

/// The engine's own name server listens in every container on a named network.
const ENGINE_RESOLVER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));

impl Stat {
    /// `pid (name) state ppid …`; the name may hold spaces and parentheses of its own.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (pid, rest) = text.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let mut fields = rest.split_ascii_whitespace();
        Some(Self {
            pid: pid.trim().parse().ok()?,
            name: name.to_owned(),
            state: fields.next()?.chars().next()?,
            parent: fields.next()?.parse().ok()?,
        })
    }
}

/// `/proc/<pid>/cmdline`: arguments with a zero byte after each.
///
/// A process that writes its own title (nginx, postgres) leaves one text, with spaces in it.
pub(crate) fn arguments(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let mut arguments: Vec<String> = bytes
        .split(|byte| *byte == 0)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect();
    while arguments.last().is_some_and(String::is_empty) {
        arguments.pop();
    }
    arguments
}

/// Numbers, one on each line: `cgroup.procs`.
pub(crate) fn pids(text: &str) -> Vec<u32> {
    text.lines()
        .filter_map(|line| line.trim().parse().ok())
        .filter(|pid| *pid != 0)
        .collect()
}

/// The sockets in `/proc/<pid>/net/tcp` or `tcp6`, so many at most; those that listen are always among them.
pub(crate) fn sockets(text: &str, most: usize) -> Vec<Socket> {
    let mut connections = 0;
    text.lines()
        .skip(1)
        .filter_map(socket)
        .filter(|socket| {
            connections += usize::from(socket.state.is_some());
            (socket.state.is_some() && connections <= most)
                || (socket.state.is_none() && socket.local.0 != ENGINE_RESOLVER)
        })
        .collect()
}

/// `sl local remote state send:receive timer:when retransmits uid timeout inode …`
fn socket(line: &str) -> Option<Socket> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (local, remote) = (end(fields.next()?)?, end(fields.next()?)?);
    let state = match fields.next()? {
        "01" => Some(ConnectionState::Established),
        "02" => Some(ConnectionState::SynSent),
        // `0C` is how the kernel calls one that is half open and has no socket yet.
        "03" | "0C" => Some(ConnectionState::SynReceived),
        "06" => Some(ConnectionState::TimeWait),
        "08" => Some(ConnectionState::CloseWait),
        "0A" => None,
        _ => Some(ConnectionState::Other),
    };
    let (send, receive) = fields.next()?.split_once(':')?;
    // Asked for again: what was only just asked for may be on its way.
    let is_repeated = fields.nth(1)? != "00000000";
    let state = match state {
        Some(ConnectionState::SynSent) if !is_repeated => Some(ConnectionState::Other),
        state => state,
    };
    Some(Socket {
        local,
        remote,
        state,
        send_queue: u64::from_str_radix(send, 16).ok()?,
        receive_queue: u64::from_str_radix(receive, 16).ok()?,
        inode: fields.nth(2)?.parse().ok()?,
    })
}

/// `0100007F:1F90`.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    Some((ip(address)?, u16::from_str_radix(port, 16).ok()?))
}

/// The kernel prints addresses as 32-bit words in the machine's byte order.
fn ip(hex: &str) -> Option<IpAddr> {
    if !hex.is_ascii() {
        return None;
    }
    let word = |at: usize| {
        Some(
            u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16)
                .ok()?
                .to_ne_bytes(),
        )
    };
    match hex.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let mut bytes = [0; 16];
            for at in 0..4 {
                bytes[at * 4..at * 4 + 4].copy_from_slice(&word(at)?);
            }
            let address = Ipv6Addr::from(bytes);
            Some(
                address
                    .to_ipv4_mapped()
                    .map_or(IpAddr::V6(address), IpAddr::V4),
            )
        }
        _ => None,
    }
}

/// `/proc/<pid>/limits`: how many files a process may have open; absent: as many as it likes.
pub(crate) fn open_files_limit(text: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix("Max open files"))?
        .split_ascii_whitespace()
        .next()?
        .parse()
        .ok()
}

/// `socket:[77974]` → 77974, as the links in `/proc/<pid>/fd` read.
pub(crate) fn socket_inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

/// How many a list of ranges names: `0-3,8` are five.
pub(crate) fn count(list: &str) -> Option<u32> {
    let mut count = 0_u32;
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        count = count.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_of_ranges_is_counted() {
        let counts = ["0", "0-3", "0-3,8", "2,4-5", "", "3-1", "x"].map(count);
        let expected = [Some(1), Some(4), Some(5), Some(3), None, None, None];
        assert_eq!(counts, expected);
    }

    #[test]
    fn a_name_may_hold_parentheses() {
        let stat = Stat::parse("19632 (a) (b) c) S 19613 19632 19632 0 -1").expect("a process");
        let expected = Stat {
            pid: 19632,
            name: "a) (b) c".to_owned(),
            state: 'S',
            parent: 19613,
        };
        assert_eq!(stat, expected);
        for text in ["", "1", "1 (x", "1 (x) ", "x (y) S 1", "1 (x) S z"] {
            assert_eq!(Stat::parse(text), None, "{text}");
        }
    }

    #[test]
    fn arguments_are_split_at_zero_bytes() {
        assert_eq!(arguments(b"httpd\0-p\08000\0"), ["httpd", "-p", "8000"]);
        assert_eq!(
            arguments(b"nginx: master process nginx\0\0\0\0"),
            ["nginx: master process nginx"]
        );
        assert_eq!(arguments(b"sh\0-c\0\0x\0"), ["sh", "-c", "", "x"]);
        assert!(arguments(b"").is_empty());
    }

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 00000000039f67d8 100 0 0 10 0
   1: 0B00007F:9C41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 112 1 0 100 0 0 10 0
   2: 020011AC:1F40 010011AC:D2F0 01 00000010:0000000A 00:00000000 00000000     0        0 113 1 0 100 0 0 10 0
   3: 020011AC:9000 030011AC:1538 02 00000001:00000000 01:00000000 00000001     0        0 114 1 0 100 0 0 10 0
   4: 020011AC:9001 030011AC:1538 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0
   5: 020011AC:9002 030011AC:1538 08 00000000:00000001 03:00000000 00000000     0        0 115 3 0
   6: 00000000:0050 00000000:0000 0A broken
";

    #[test]
    fn sockets_listen_or_are_connections() {
        let found = sockets(TCP, 100);
        let (listening, connections): (Vec<&Socket>, Vec<&Socket>) =
            found.iter().partition(|socket| socket.state.is_none());
        assert_eq!(listening.len(), 1, "the engine's own is none of ours");
        assert_eq!(
            (listening[0].local, listening[0].inode),
            ((Ipv4Addr::LOCALHOST.into(), 8080), 111)
        );
        let first = Socket {
            local: (Ipv4Addr::new(172, 17, 0, 2).into(), 8000),
            remote: (Ipv4Addr::new(172, 17, 0, 1).into(), 54000),
            state: Some(ConnectionState::Established),
            send_queue: 16,
            receive_queue: 10,
            inode: 113,
        };
        assert_eq!(connections[0], &first);
        let states: Vec<ConnectionState> = connections
            .iter()
            .filter_map(|socket| socket.state)
            .collect();
        let expected = [
            ConnectionState::Established,
            ConnectionState::SynSent,
            ConnectionState::TimeWait,
            ConnectionState::CloseWait,
        ];
        assert_eq!(states, expected);
    }

    #[test]
    fn a_flood_of_connections_hides_no_listener() {
        let found = sockets(TCP, 2);
        assert_eq!(found.len(), 3);
        assert_eq!(sockets(TCP, 0).len(), 1);
    }

    #[test]
    fn addresses_of_both_kinds_are_understood() {
        let text = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F40 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77974 1 00000000039f67d8 100 0 0 10 0
   1: 00000000000000000000000001000000:1F41 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77975 1 00000000039f67d8 100 0 0 10 0
";
        let ends: Vec<(IpAddr, u16)> = sockets(text, 9).iter().map(|socket| socket.local).collect();
        let expected: [(IpAddr, u16); 2] = [
            (Ipv6Addr::UNSPECIFIED.into(), 8000),
            (Ipv6Addr::LOCALHOST.into(), 8001),
        ];
        assert_eq!(ends, expected);
    }

    #[test]
    fn a_limit_of_open_files_is_the_soft_one() {
        let text = "Limit                     Soft Limit           Hard Limit           Units\nMax open files            100                  200                  files     \n";
        assert_eq!(open_files_limit(text), Some(100));
        assert_eq!(
            open_files_limit(
                "Max open files            unlimited            unlimited            files\n"
            ),
            None
        );
        assert_eq!(open_files_limit(""), None);
    }

    #[test]
    fn numbers_that_are_none_are_left_out() {
        assert_eq!(pids("1\n\nx\n0\n42\n"), [1, 42]);
        assert_eq!(socket_inode("socket:[77974]"), Some(77974));
        assert_eq!(socket_inode("pipe:[77974]"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|\n){0,300}", line in "[ 0-9A-F:]{0,120}") {
            let _ = (Stat::parse(&text), sockets(&text, 9), pids(&text), socket_inode(&text), open_files_limit(&text));
            let _ = (arguments(text.as_bytes()), socket(&line), ip(&line), ip(&text));
        }
    }
}
