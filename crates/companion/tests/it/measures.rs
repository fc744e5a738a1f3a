//! What is said of what was counted.

use ergon_companion::observation::{Connection, ConnectionState, Disk, Signals, Traffic};
use ergon_companion::{Mark, MarkKind, Past, Point};
use insta::assert_snapshot;

use crate::dialogue::{asked, content};
use crate::fixtures::healthy;

#[test]
fn what_is_counted_is_told_now_and_over_time() {
    let mut observation = healthy();
    assert_snapshot!(content("disk?", &observation), @"I cannot see my disks from here.");
    assert_snapshot!(content("network?", &observation), @"I cannot see my network from here. I have no TCP connection now [1].");

    let now = observation.time.as_second();
    let mib = 1 << 20;
    let minutes = (0..60_i64)
        .map(|minute| Point {
            time: now - 3600 + minute * 60,
            memory: (10 + minute.unsigned_abs()) * mib,
            memory_peak: (11 + minute.unsigned_abs()) * mib,
            memory_limit: 100 * mib,
            processor: 250,
            processor_peak: 9900,
            received: 2048,
            written: 4096,
            throttled: 2000,
            ..Point::default()
        })
        .collect();
    let marks = vec![Mark {
        time: (now - 3600) * 1000,
        kind: MarkKind::Started,
    }];
    observation.past = Past::new(Vec::new(), minutes, marks);
    let connection = |port, state| Connection {
        local: ([172, 17, 0, 2].into(), 40_000),
        remote: ([172, 17, 0, 3].into(), port),
        state,
        send_queue: 0,
        receive_queue: 0,
        pid: Some(4242),
    };
    observation.signals = Signals {
        disks: vec![
            Disk {
                mount: "/".to_owned(),
                kind: "overlay".to_owned(),
                size: 100 * mib,
                free: 90 * mib,
                files: 1000,
                files_free: 900,
                read_only: false,
            },
            Disk {
                mount: "/dev/shm".to_owned(),
                kind: "tmpfs".to_owned(),
                size: 64 * mib,
                free: mib,
                files: 1000,
                files_free: 999,
                read_only: false,
            },
        ],
        traffic: Some(Traffic {
            received: 5 * mib,
            sent: 1024,
            dropped: 3,
            ..Traffic::default()
        }),
        connections: vec![
            connection(5432, ConnectionState::Established),
            connection(6379, ConnectionState::SynSent),
        ],
        ..Signals::default()
    };
    assert_snapshot!(asked("how full is your disk?", &observation), @"
    What I write to, the fullest first:
    - /dev/shm (tmpfs): 1 MB free of 64 MB, 98 % used [1]
    - / (overlay): 90 MB free of 100 MB, 10 % used [2]
    In the last 14 min I read 0 bytes/s and wrote 4 KB/s on average [3].
      [1] disk: /dev/shm (tmpfs): 1048576 of 67108864 bytes free, 999 of 1000 files free, 2026-11-20T14:02:11Z
      [2] disk: / (overlay): 94371840 of 104857600 bytes free, 900 of 1000 files free, 2026-11-20T14:02:11Z
      [3] history: 15 readings from 2026-11-20T13:47:11Z to 2026-11-20T14:01:11Z, 2026-11-20T14:01:11Z
      [4] cgroup: memory.current 50331648, 2026-11-20T14:02:11Z
      [5] history: 59 readings from 2026-11-20T13:03:11Z to 2026-11-20T14:01:11Z, 2026-11-20T14:01:11Z
      warning memory.growing [4, 5]
    ");
    assert_snapshot!(asked("network, please", &observation), @"
    I received 5 MB and sent 1 KB since I started; 0 packets were broken and 3 were dropped [1]. I have 2 TCP connections now: 1 established and 1 not answered yet [2]. In the last 14 min I received 2 KB/s and sent 0 bytes/s on average, 2 KB/s and 0 bytes/s at most [3].
      [1] proc: 5242880 bytes received, 1024 sent, 0 errors, 3 dropped, 2026-11-20T14:02:11Z
      [2] proc: 2 TCP connections, 2026-11-20T14:02:11Z
      [3] history: 15 readings from 2026-11-20T13:47:11Z to 2026-11-20T14:01:11Z, 2026-11-20T14:01:11Z
      [4] cgroup: memory.current 50331648, 2026-11-20T14:02:11Z
      [5] history: 59 readings from 2026-11-20T13:03:11Z to 2026-11-20T14:01:11Z, 2026-11-20T14:01:11Z
      warning memory.growing [4, 5]
    ");
    assert_snapshot!(content("memory in the last hour", &observation), @"I use 48 MB of memory, and no limit is set [1]. The kernel killed none of my processes for want of it [2]. In the last 59 min it was between 10 MB and 70 MB, and grew steadily by 1 MB a minute; at this rate it is full in 31 min; I was started once meanwhile [3].");
    assert_snapshot!(content("cpu today", &observation), @"I used 1.2 s of processor time since I started 12 s ago, 10.0 % of one core on average [1]. In the last 59 min I used 2.5 % of one core on average and 99 % at most, and was made to wait in 20 % of the periods; I was started once meanwhile [2].");
    assert_snapshot!(content("memory this month", &observation), @"I use 48 MB of memory, and no limit is set [1]. The kernel killed none of my processes for want of it [2]. In the last 59 min it was between 10 MB and 70 MB, and grew steadily by 1 MB a minute; at this rate it is full in 31 min; I was started once meanwhile; my page in the browser shows a month [3].");
}
