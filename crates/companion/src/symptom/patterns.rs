//! How programs complain. The first pattern that fits a line decides, so that those which name more come first.
//!
//! Groups say what is named: `host`, `port`, `path`, `name`, `line`.

mod inside;
mod words;

use super::Trouble;
pub(super) use words::WORDS;

/// `db`, `10.0.0.7`, `db.internal`; `03` is a part of a time.
macro_rules! host {
    () => {
        r"(?P<host>[A-Za-z0-9_.-]*[A-Za-z_][A-Za-z0-9_.-]*|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9a-fA-F:.]+\]|::[0-9a-fA-F:.]+)"
    };
}

macro_rules! port {
    () => {
        r"(?P<port>[0-9]{1,5})"
    };
}

/// A path within quotes, or up to the next blank.
macro_rules! path {
    () => {
        r#"(?P<path>'[^']+'|"[^"]+"|`[^`]+`|[^\s'"`:;,)]+)"#
    };
}

/// The trouble and the words for it, those that name more before those that name less.
pub(super) fn patterns() -> impl Iterator<Item = &'static (Trouble, &'static str)> {
    BEFORE.iter().chain(inside::PATTERNS).chain(AFTER)
}

/// Surroundings and other sides.
const BEFORE: &[(Trouble, &str)] = &[
    // A memory of its own for processes, before the disk: both say "no space left".
    (
        Trouble::SharedMemory,
        r"(?i)could not resize shared memory segment|(?:no space left on device|bus error|unable to (?:open|allocate|write)).{0,120}(?:/dev/shm|shared memory)|(?:/dev/shm|shared memory|shm_open|posix_fallocate|ftruncate).{0,120}(?:no space left on device|bus error|insufficient)",
    ),
    (
        Trouble::SharedMemory,
        r"(?i)insufficient shared memory|out of shared memory \(shm\)|dataloader worker .* killed by signal: bus error|shared memory \(shm\)",
    ),
    (
        Trouble::DiskFull,
        concat!(
            r#"(?i)(?:write|create|open|mkdir|copy|extend|append)\w*(?: to)?(?: file)? "#,
            path!(),
            r"(?:: | failed: | \().{0,40}no space left on device"
        ),
    ),
    (
        Trouble::DiskFull,
        r#"(?i)no space left on device(?:\)|, \w+)?:? *(?:@ \w+ - )?(?P<path>'[^']+'|"[^"]+"|/[^\s'"`:;,)]+)"#,
    ),
    (
        Trouble::DiskFull,
        r"(?i)no space left on device|\bENOSPC\b|disk (?:is )?full|database or disk is full|disk quota exceeded|not enough (?:free )?(?:disk )?space|there is not enough space on the disk|errno: 28\b|\(os error 28\)|\[errno 28\]",
    ),
    (
        Trouble::ReadOnly,
        concat!(r"(?i)read-only file system(?:\))?:? *", path!()),
    ),
    (
        Trouble::ReadOnly,
        r"(?i)read-only file system|\bEROFS\b|\(os error 30\)",
    ),
    // Who calls whom: the port and host that are named decide.
    (
        Trouble::PortTaken,
        concat!(
            r"(?i)(?:address already in use|eaddrinuse|address in use|only one usage of each socket address|port is already allocated|errno 98\b|os error 98\b).{0,80}?:(?:::)?",
            port!(),
            r"\b"
        ),
    ),
    (
        Trouble::PortTaken,
        concat!(
            r"(?i)(?::|port[ =:]+)",
            port!(),
            r"\b.{0,80}(?:address already in use|eaddrinuse|address in use|already in use|\bis in use\b|is already allocated)"
        ),
    ),
    (
        Trouble::PortTaken,
        concat!(
            r"(?i)(?:could not bind|cannot bind|failed to bind|unable to bind|bind\(\)).{0,80}:",
            port!(),
            r"\b.{0,60}(?:address already in use|98:)"
        ),
    ),
    (
        Trouble::PortTaken,
        r"(?i)address already in use|\bEADDRINUSE\b|another (?:server|process) .{0,40}(?:running|listening) on (?:this|that) port",
    ),
    // Names, before refusals: a lookup can be refused too.
    (
        Trouble::Name,
        concat!(
            r"(?i)host not found in (?:upstream|resolver|proxy_pass)? *",
            r#""?"#,
            host!(),
            r"(?::",
            port!(),
            r#")?"? in (?P<config>[^\s:]+):(?P<line>[0-9]+)"#
        ),
    ),
    (
        Trouble::Name,
        concat!(
            r"(?i)could not (?:translate|resolve) host(?: ?name)?:? *",
            r#""?"#,
            host!()
        ),
    ),
    (
        Trouble::Name,
        concat!(
            r"\bgetaddrinfo (?:ENOTFOUND|EAI_AGAIN) ",
            host!(),
            r"(?::",
            port!(),
            r")?"
        ),
    ),
    (
        Trouble::Name,
        concat!(
            r"\blookup ",
            host!(),
            r"(?: on [^\s:]+(?::[0-9]+)?)?: (?:no such host|server misbehaving|Temporary failure|i/o timeout)"
        ),
    ),
    (Trouble::Name, concat!(r"UnknownHostException: ", host!())),
    (
        Trouble::Name,
        concat!(
            r"(?i)unknown (?:mysql server )?host:? *",
            r"['\x22]?",
            host!()
        ),
    ),
    (
        Trouble::Name,
        concat!(r"(?i)bad address:? *['\x22`]?", host!()),
    ),
    (
        Trouble::Name,
        concat!(
            r"(?i)(?:host|server)(?:name)?[=: ]+['\x22]?",
            host!(),
            r"['\x22]?(?:,? port[=: ]+",
            port!(),
            r")?.{0,240}(?:name or service not known|temporary failure in name resolution|nodename nor servname|name does not resolve|nameresolutionerror|getaddrinfo failed|no address associated)"
        ),
    ),
    (
        Trouble::Name,
        concat!(
            r"(?i)connecting to ",
            host!(),
            r":",
            port!(),
            r"\. (?:name or service not known|temporary failure in name resolution|no address associated)"
        ),
    ),
    (
        Trouble::Name,
        concat!(
            r"(?i)(?:resolve|resolving|lookup) (?:address |host ?name |host )?(?:for |of )?['\x22`]?",
            host!(),
            r"['\x22`]?.{0,80}(?:fail|unknown|not found|not known|no such|temporary|nxdomain|timed? ?out)"
        ),
    ),
    (
        Trouble::Name,
        concat!(
            r"(?i)(?:name or service not known|temporary failure in name resolution|name does not resolve|nodename nor servname provided).{0,80}\b(?:to|for|at|of) ",
            host!(),
            r":",
            port!()
        ),
    ),
    (
        Trouble::Name,
        r"(?i)name or service not known|temporary failure in name resolution|nodename nor servname provided|name does not resolve|could not resolve host|no such host|failed to lookup address information|getaddrinfo failed|\bNXDOMAIN\b|unable to resolve (?:host|name)|\bEAI_AGAIN\b|no address associated with hostname",
    ),
    (
        Trouble::Refused,
        concat!(r"\bECONNREFUSED,? ", host!(), r":", port!()),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)dial (?:tcp|udp)[46]? ",
            host!(),
            r":",
            port!(),
            r": .{0,30}connection refused"
        ),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)connection to server at ",
            r#""?"#,
            host!(),
            r#""?"#,
            r"(?: \([^)]*\))?, port ",
            port!(),
            r" failed: (?:fatal: )?connection refused"
        ),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)connecting to ",
            host!(),
            r":",
            port!(),
            r".{0,40}connection refused"
        ),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)connection refused.{0,400}upstream: ",
            r#""?[a-z]+://"#,
            host!(),
            r":",
            port!()
        ),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)host='",
            host!(),
            r"', port=",
            port!(),
            r".{0,400}connection refused"
        ),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)connection refused - connect\(2\) for ",
            r#""?"#,
            host!(),
            r#""? port "#,
            port!()
        ),
    ),
    (
        Trouble::Refused,
        concat!(r"(?i)connection to ", host!(), r":", port!(), r" refused"),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)failed to connect to ",
            host!(),
            r"(?: \([^)]*\))?,? port:? ",
            port!(),
            r".{0,60}(?:couldn't connect|could not connect|connection refused)"
        ),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)can't connect to (?:mysql |mariadb )?server on ['\x22]?",
            host!(),
            r"(?::",
            port!(),
            r")?['\x22]? \((?:111|115)"
        ),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)can't connect to remote host \(",
            host!(),
            r"\): connection refused"
        ),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)[a-z]+://(?:[^\s@/]*@)?",
            host!(),
            r":",
            port!(),
            r"[^\s]*.{0,120}(?:connection refused|connectionrefused|actively refused)"
        ),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)\b",
            host!(),
            r":",
            port!(),
            r"\b.{0,80}(?:connection refused|connectionrefused|actively refused|couldn't connect)"
        ),
    ),
    (
        Trouble::Refused,
        concat!(
            r"(?i)(?:connection refused|connectionrefused).{0,80}\b",
            host!(),
            r":",
            port!(),
            r"\b"
        ),
    ),
    (
        Trouble::Refused,
        r"(?i)connection refused|\bECONNREFUSED\b|ConnectionRefused(?:Error)?|\(os error 111\)|actively refused it",
    ),
    (
        Trouble::TooManyConnections,
        r"(?i)too many (?:clients already|connections)|remaining connection slots are reserved|max number of clients reached|\bER_CON_COUNT_ERROR\b|connection pool (?:exhausted|is full|timed out)|queuepool limit|no more connections allowed",
    ),
    (
        Trouble::Login,
        concat!(
            r"(?i)(?:password|peer|ident|md5|scram[-\w]*) authentication failed for (?:user |role )?",
            path!()
        ),
    ),
    (
        Trouble::Login,
        concat!(r"(?i)access denied for user ", path!()),
    ),
    (
        Trouble::Login,
        r"(?i)\bWRONGPASS\b|\bNOAUTH\b|\bACCESS_REFUSED\b|login failed for user|no pg_hba\.conf entry",
    ),
    (
        Trouble::CertificateExpired,
        r"(?i)certificate(?: verify failed: certificate)? (?:has|is) (?:expired|no longer valid)|certificate expired|cert(?:ificate)?_has_expired|CERT_HAS_EXPIRED|NotValidAfter|validity check failed|certificateexpired|certificate .{0,40}has expired|x509: certificate has expired|expired certificate",
    ),
    (
        Trouble::CertificateUntrusted,
        r"(?i)self[- ]signed certificate|unable to get (?:local )?issuer certificate|certificate signed by unknown authority|certificate verify failed|unable to verify the first certificate|PKIX path building failed|certificate is not trusted|UnknownIssuer|hostname mismatch|certificate is not valid for|\bERR_TLS_CERT_ALTNAME_INVALID\b",
    ),
    (
        Trouble::Descriptors,
        r"(?i)too many open files|\bEMFILE\b|\bENFILE\b|\(os error 24\)|worker_connections are not enough|accept4?\(\) failed \(24",
    ),
    (
        Trouble::Tasks,
        r"(?i)can(?:no|')t (?:fork|start new thread|create (?:new )?(?:native )?thread)|unable to (?:fork|create (?:new )?native thread)|fork(?:\(\))?(?: failed)?: .{0,20}resource temporarily unavailable|fork: retry|could not fork|pthread_create failed|failed to (?:spawn|create) (?:new )?(?:os )?thread|BlockingIOError: \[Errno 11\]|newosproc",
    ),
    (
        Trouble::Memory,
        r"(?i)java\.lang\.OutOfMemoryError|javascript heap out of memory|\bMemoryError\b|std::bad_alloc|cannot allocate memory|\bENOMEM\b|fatal error: runtime: out of memory|memory allocation of [0-9]+ bytes failed|Allowed memory size of [0-9]+ bytes exhausted|failed to allocate memory|OOM command not allowed|out of memory",
    ),
    (
        Trouble::Deadlock,
        r"(?i)all goroutines are asleep - deadlock|found one java-level deadlock|deadlock (?:detected|found)|\bdeadlock\b.{0,40}(?:detected|waiting|transaction)|possible deadlock",
    ),
    (
        Trouble::Stalled,
        r"(?i)worker timeout \(pid|lock wait timeout exceeded|max_execution_time|maximum execution time of [0-9]+ seconds? exceeded",
    ),
    (
        Trouble::Schema,
        concat!(
            r"(?i)(?:relation|table|database|column|role) ",
            path!(),
            r" (?:does not|doesn't) exist"
        ),
    ),
    (
        Trouble::Schema,
        concat!(
            r"(?i)(?:no such table|no such column|unknown database|unknown column):? ",
            path!()
        ),
    ),
    (
        Trouble::Schema,
        r"(?i)\bER_NO_SUCH_TABLE\b|UndefinedTable|migrations? (?:is|are) (?:pending|not (?:applied|run))|unapplied migration",
    ),
];

/// What is said of much, and names little.
const AFTER: &[(Trouble, &str)] = &[
    // The slow and the far away.
    (
        Trouble::TimedOut,
        concat!(r"\bETIMEDOUT,? ", host!(), r":", port!()),
    ),
    (
        Trouble::TimedOut,
        concat!(
            r"(?i)dial (?:tcp|udp)[46]? ",
            host!(),
            r":",
            port!(),
            r": .{0,30}(?:timeout|timed out)"
        ),
    ),
    (
        Trouble::TimedOut,
        concat!(
            r"(?i)connection to server at ",
            r#""?"#,
            host!(),
            r#""?"#,
            r"(?: \([^)]*\))?, port ",
            port!(),
            r" failed: (?:connection timed out|timeout expired)"
        ),
    ),
    (
        Trouble::TimedOut,
        concat!(
            r"(?i)timed out.{0,400}upstream: ",
            r#""?[a-z]+://"#,
            host!(),
            r":",
            port!()
        ),
    ),
    (
        Trouble::TimedOut,
        concat!(
            r"(?i)host='",
            host!(),
            r"', port=",
            port!(),
            r".{0,400}timed out"
        ),
    ),
    (
        Trouble::TimedOut,
        concat!(
            r"(?i)connecting to ",
            host!(),
            r":",
            port!(),
            r".{0,40}(?:timeout|timed out)"
        ),
    ),
    (
        Trouble::TimedOut,
        concat!(
            r"(?i)[a-z]+://(?:[^\s@/]*@)?",
            host!(),
            r":",
            port!(),
            r"[^\s]*.{0,120}(?:timed out|timeout)"
        ),
    ),
    (
        Trouble::TimedOut,
        concat!(
            r"(?i)\b",
            host!(),
            r":",
            port!(),
            r"\b.{0,60}(?:timed out|timeout|deadline exceeded)"
        ),
    ),
    (
        Trouble::TimedOut,
        concat!(
            r"(?i)(?:timed out|timeout|deadline exceeded).{0,80}\b(?:to|for|at|of) ",
            host!(),
            r":",
            port!()
        ),
    ),
    (
        Trouble::TimedOut,
        r"(?i)connection timed out|\bETIMEDOUT\b|connect(?:ion)? timeout|read timed out|readtimeout|sockettimeoutexception|i/o timeout|context deadline exceeded|operation timed out|upstream timed out|request timed out|timeouterror|\(os error 110\)|socket\.timeout|gateway time-?out",
    ),
    (
        Trouble::Unreachable,
        concat!(r"\bE(?:HOST|NET)UNREACH,? ", host!(), r":", port!()),
    ),
    (
        Trouble::Unreachable,
        concat!(
            r"(?i)\b",
            host!(),
            r":",
            port!(),
            r"\b.{0,60}(?:no route to host|network is unreachable|host is unreachable)"
        ),
    ),
    (
        Trouble::Unreachable,
        r"(?i)no route to host|network is unreachable|host is unreachable|\bEHOSTUNREACH\b|\bENETUNREACH\b",
    ),
];
