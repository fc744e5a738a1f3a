//! How programs complain. The first pattern that fits a line decides, so that those which name more come first.
//!
//! Groups say what is named: `host`, `port`, `path`, `name`, `line`.

use super::Trouble;

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

/// The trouble and the words for it.
pub(super) const PATTERNS: &[(Trouble, &str)] = &[
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
        r"(?i)authentication fail(?:ed|ure)|\bWRONGPASS\b|\bNOAUTH\b|invalid (?:username or password|password|credentials|api key)|\bACCESS_REFUSED\b|login failed for user|no pg_hba\.conf entry|bad credentials",
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
        r"(?i)all goroutines are asleep - deadlock|found one java-level deadlock|deadlock (?:detected|found)|lock wait timeout exceeded|\bdeadlock\b.{0,40}(?:detected|waiting|transaction)|worker timeout \(pid|possible deadlock",
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
    // The environment.
    (
        Trouble::Variable,
        r#"\bKeyError: ['"](?P<name>[A-Z][A-Z0-9_]{2,})['"]"#,
    ),
    (
        Trouble::Variable,
        r#"(?:key not found|KeyError): :?"?(?P<name>[A-Z][A-Z0-9_]{2,})"?"#,
    ),
    (
        Trouble::Variable,
        r#"(?i)(?:environment|env|variable|setting|config(?:uration)?)(?: variables?| keys?| vars?)?:? *\(?['"`$]*(?-i:(?P<name>[A-Z][A-Z0-9_]{2,}))['"`)]* *(?:is |was |has )?(?:not (?:set|found|defined|present|provided|configured|specified|been set)|missing|required|unset|undefined|empty|must be|is mandatory)"#,
    ),
    (
        Trouble::Variable,
        r#"(?i)(?:missing|required|undefined|unset|must set|please set|need(?:s)? to set|expected|set the|not set|no)(?: the)?(?: required| mandatory)?(?: environment| env)?(?: variables?| vars?| settings?)?:? *['"`$]*(?-i:(?P<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+))\b"#,
    ),
    (
        Trouble::Variable,
        r#"(?-i:\$?(?P<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+))['"`:]* *(?i:(?:environment |env )?(?:variable )?(?:is |was |has |parameter )?(?:not (?:set|found|defined|provided|configured|specified|been set)|missing|required|unset|undefined|null or not set|must be (?:set|provided|defined|specified)|cannot be (?:empty|blank)|is mandatory|field required))"#,
    ),
    (
        Trouble::Variable,
        r"(?:line [0-9]+: |sh: [0-9]+: )(?P<name>[A-Z][A-Z0-9_]{2,}): (?:parameter not set|unbound variable|parameter null or not set)",
    ),
    (
        Trouble::Variable,
        r#"environment variable not found: ?['"`]?(?P<name>[A-Z][A-Z0-9_]{2,})"#,
    ),
    // What is not there.
    (
        Trouble::Module,
        r#"(?:ModuleNotFoundError: No module named|ImportError: No module named) ['"]?(?P<name>[\w.]+)"#,
    ),
    (
        Trouble::Module,
        r#"(?:Error: )?Cannot find (?:module|package) ['"](?P<name>[^'"]+)['"]"#,
    ),
    (
        Trouble::Module,
        r"(?:ClassNotFoundException|NoClassDefFoundError|Could not find or load main class)[: ]+(?P<name>[\w.$/]+)",
    ),
    (
        Trouble::Module,
        r#"(?:cannot load such file -- |Could not find gem '?|ImportError: cannot import name '|Error loading ASGI app\. (?:Could not import module|Attribute) ")(?P<name>[\w./-]+)"#,
    ),
    (
        Trouble::Module,
        r#"(?:Class|Interface) "(?P<name>[\w\\]+)" not found|Can't locate (?P<path>[\w/]+\.pm) in @INC|Failed opening required '(?P<host>[^']+)'"#,
    ),
    (
        Trouble::Library,
        r"error while loading shared libraries: (?P<name>[^\s:]+)|(?:ImportError|OSError): (?P<path>lib[\w.+-]+): cannot open shared object",
    ),
    (
        Trouble::Format,
        r"(?i)exec format error|cannot execute binary file",
    ),
    (
        Trouble::Program,
        r#"(?:exec:? *|starting container process caused: exec: )['"](?P<path>[^'"]+)['"]: (?:executable file not found|stat \S+: no such file)"#,
    ),
    (
        Trouble::Program,
        r"(?m)(?:^|sh: [0-9]+: |bash: (?:line [0-9]+: )?|line [0-9]+: |sh: )(?:exec: )?(?P<path>[\w./@-]+): (?:command )?not found\b",
    ),
    // The configuration, with file and line.
    (
        Trouble::Configuration,
        r#"\[emerg\].{0,400}? in (?P<path>[^\s:"]+):(?P<line>[0-9]+)"#,
    ),
    (
        Trouble::Configuration,
        r"(?:AH00526: )?Syntax error on line (?P<line>[0-9]+) of (?P<path>[^\s:]+)",
    ),
    (
        Trouble::Configuration,
        r"\[ALERT\].{0,60}(?:parsing \[(?P<path>[^\]:]+):(?P<line>[0-9]+)\]|config)",
    ),
    (
        Trouble::Configuration,
        r#"(?:FATAL CONFIG FILE ERROR|Bad directive or wrong number of arguments|>>> '(?P<name>[^']+)')"#,
    ),
    (
        Trouble::Configuration,
        r#"(?:unrecognized|invalid) (?:configuration )?(?:parameter|value)(?: for parameter)? "(?P<name>[^"]+)"(?: in file "(?P<path>[^"]+)" line (?P<line>[0-9]+))?"#,
    ),
    (
        Trouble::Configuration,
        r#"syntax error in file "(?P<path>[^"]+)" line (?P<line>[0-9]+)|configuration file "(?P<name>[^"]+)" contains errors"#,
    ),
    (
        Trouble::Configuration,
        r"\[ERROR\].{0,60}unknown (?:variable|option) '(?P<name>[^']+)'",
    ),
    (
        Trouble::Configuration,
        r#"(?i)(?:error|invalid|cannot|could not|failed|unable|bad)\b.{0,60}?\b(?:read|load|pars|config|settings)\w*.{0,80}?(?P<path>[\w./-]+\.(?:ya?ml|toml|json|ini|conf|cfg|properties|xml|env))(?:["':, ]+(?:line )?(?P<line>[0-9]+))?"#,
    ),
    (
        Trouble::Configuration,
        r#"(?P<path>[\w./-]+\.(?:ya?ml|toml|json|ini|conf|cfg|properties|xml))['"]?(?:, line |:)(?P<line>[0-9]+).{0,80}(?i:error|invalid|unexpected|unknown|expected)"#,
    ),
    (
        Trouble::Configuration,
        r"(?i)(?:yaml\.(?:scanner|parser)\.\w+error|tomllib\.TOMLDecodeError|toml\.decoder\.\w+|configparser\.\w*error|ConfigurationError|InvalidConfiguration|improperlyconfigured|invalid configuration|error in configuration|configuration (?:file )?(?:is )?(?:error|invalid)|config(?:uration)? (?:error|parse error|syntax error))",
    ),
    // Rights, after those that name more.
    (
        Trouble::Permission,
        concat!(
            r#"(?i)(?:permission denied|\bEACCES\b|operation not permitted|\bEPERM\b|access is denied)(?:\)|,)?:? *(?:@ \w+ - |open |mkdir |unlink |rename |scandir )?"#,
            r#"(?P<path>'[^']+'|"[^"]+"|/[^\s'"`:;,)]+)"#
        ),
    ),
    (
        Trouble::Permission,
        r#"(?i)(?P<path>/[^\s'"`:;,()]+|'[^']+'|"/[^"]+")['"]?\)?:? .{0,40}?(?:\(13: )?permission denied"#,
    ),
    (
        Trouble::Permission,
        r"(?i)permission denied|\bEACCES\b|AccessDeniedException|operation not permitted|\(os error 13\)",
    ),
    (
        Trouble::File,
        r#"(?i)(?:no such file or directory|\bENOENT\b|FileNotFoundException)(?:\)|,)?:? *(?:@ \w+ - |open |stat |scandir )?(?P<path>'[^']+'|"[^"]+"|/[^\s'"`:;,)]+)"#,
    ),
    (
        Trouble::File,
        r#"(?i)(?P<path>/[^\s'"`:;,()]+|'[^']+'|"/[^"]+")['"]?\)?:? .{0,40}?(?:\(2: )?no such file or directory"#,
    ),
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
