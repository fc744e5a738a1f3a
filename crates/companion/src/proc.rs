//! The texts of `/proc`, understood. Nothing here opens a file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `/proc/<pid>/stat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub pid: u32,
    pub name: String,
    pub state: char,
    pub parent: u32,
}

/// A listening line of `/proc/<pid>/net/tcp` or `tcp6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Socket {
    pub address: IpAddr,
    pub port: u16,
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

/// The listening sockets in `/proc/<pid>/net/tcp` or `tcp6`.
pub(crate) fn listening(text: &str) -> Vec<Socket> {
    text.lines()
        .skip(1)
        .filter_map(socket)
        .filter(|socket| socket.address != ENGINE_RESOLVER)
        .collect()
}

fn socket(line: &str) -> Option<Socket> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, local, _, "0A", _, _, _, _, _, inode, ..] = &fields[..] else {
        return None;
    };
    let (address, port) = local.split_once(':')?;
    Some(Socket {
        address: ip(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        inode: inode.parse().ok()?,
    })
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

/// `socket:[77974]` → 77974, as the links in `/proc/<pid>/fd` read.
pub(crate) fn socket_inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    #[test]
    fn only_listening_sockets_count() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 00000000039f67d8 100 0 0 10 0
   1: 0B00007F:9C41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 112 1 0 100 0 0 10 0
   2: 020011AC:1F40 010011AC:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 113 1 0 100 0 0 10 0
   3: 00000000:0050 00000000:0000 0A broken
";
        let socket = Socket {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 8080,
            inode: 111,
        };
        assert_eq!(listening(text), [socket]);
        let text = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F40 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77974 1 00000000039f67d8 100 0 0 10 0
   1: 00000000000000000000000001000000:1F41 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77975 1 00000000039f67d8 100 0 0 10 0
";
        let sockets = [
            Socket {
                address: Ipv6Addr::UNSPECIFIED.into(),
                port: 8000,
                inode: 77974,
            },
            Socket {
                address: Ipv6Addr::LOCALHOST.into(),
                port: 8001,
                inode: 77975,
            },
        ];
        assert_eq!(listening(text), sockets);
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
            let _ = (Stat::parse(&text), listening(&text), pids(&text), socket_inode(&text));
            let _ = (arguments(text.as_bytes()), socket(&line), ip(&line), ip(&text));
        }
    }
}
