//! Bytes and packets of a container's own network. Pure.

use crate::observation::Traffic;

/// `/proc/<pid>/net/dev` and `/proc/<pid>/net/snmp`.
pub(crate) fn traffic(dev: &str, snmp: &str) -> Traffic {
    Traffic {
        retransmitted: retransmitted(snmp).unwrap_or(0),
        ..interfaces(dev)
    }
}

/// `/proc/<pid>/net/dev`: all interfaces but the loopback together.
pub(crate) fn interfaces(dev: &str) -> Traffic {
    let mut traffic = Traffic::default();
    // Two lines of headings.
    for line in dev.lines().skip(2) {
        let Some((name, counters)) = line.split_once(':') else {
            continue;
        };
        if name.trim() == "lo" {
            continue;
        }
        // `bytes packets errs drop fifo frame compressed multicast`, and the same sent.
        let mut counters = counters
            .split_ascii_whitespace()
            .map(|counter| counter.parse::<u64>().unwrap_or(0));
        let mut counted = [0; 12];
        counted.fill_with(|| counters.next().unwrap_or(0));
        let add = |to: &mut u64, what: u64| *to = to.saturating_add(what);
        add(&mut traffic.received, counted[0]);
        add(&mut traffic.sent, counted[8]);
        add(&mut traffic.errors, counted[2].saturating_add(counted[10]));
        add(&mut traffic.dropped, counted[3].saturating_add(counted[11]));
    }
    traffic
}

/// The second of the `Tcp:` lines has the values to the names of the first.
fn retransmitted(snmp: &str) -> Option<u64> {
    let mut lines = snmp.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = (lines.next()?, lines.next()?);
    let at = names.split(' ').position(|name| name == "RetransSegs")?;
    values.split(' ').nth(at)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    9999      10    0    0    0     0          0         0     9999      10    0    0    0     0       0          0
  eth0:     486       5    1    2    0     0          0         0      70       2    3    4    0     0       0          0
  eth1:1000000       5    0    0    0     0          0         0      30       2    0    0    0     0       0          0
";
    const SNMP: &str = "\
Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors
Tcp: 1 200 120000 -1 0 0 0 0 0 11 12 13 14 15 16
";

    #[test]
    fn all_interfaces_but_the_loopback_count() {
        let expected = Traffic {
            received: 1_000_486,
            sent: 100,
            errors: 4,
            dropped: 6,
            retransmitted: 13,
        };
        assert_eq!(traffic(DEV, SNMP), expected);
        assert_eq!(traffic("", ""), Traffic::default());
        assert_eq!(traffic("a\nb\nc: x\nd", "Tcp: a\n"), Traffic::default());
    }
}
