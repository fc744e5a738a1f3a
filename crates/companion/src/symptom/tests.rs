use super::*;

fn told(line: &str) -> String {
    match Symptom::of(line) {
        None => "nothing".to_owned(),
        Some(symptom) => {
            let place = symptom.place().unwrap_or_default();
            let line = symptom
                .line
                .map(|line| format!(" line {line}"))
                .unwrap_or_default();
            format!("{:?} {place}{line}", symptom.trouble)
                .trim()
                .to_owned()
        }
    }
}

#[test]
fn programs_of_many_languages_complain_of_the_same() {
    let mut other = Vec::new();
    for (line, expected) in [
        // Refused.
        (
            "ConnectionRefusedError: [Errno 111] Connection refused",
            "Refused",
        ),
        (
            r#"psycopg2.OperationalError: connection to server at "db" (172.18.0.2), port 5432 failed: Connection refused"#,
            "Refused db:5432",
        ),
        (
            "redis.exceptions.ConnectionError: Error 111 connecting to cache:6379. Connection refused.",
            "Refused cache:6379",
        ),
        (
            "Error: connect ECONNREFUSED 172.18.0.2:5432",
            "Refused 172.18.0.2:5432",
        ),
        (
            "2026/01/02 03:04:05 dial tcp 10.0.0.7:6379: connect: connection refused",
            "Refused 10.0.0.7:6379",
        ),
        ("java.net.ConnectException: Connection refused", "Refused"),
        (
            "org.postgresql.util.PSQLException: Connection to db:5432 refused. Check that the hostname is right",
            "Refused db:5432",
        ),
        ("Error: Connection refused (os error 111)", "Refused"),
        (
            r#"2026/01/02 03:04:05 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 172.17.0.1, server: , request: "GET / HTTP/1.1", upstream: "http://172.18.0.3:8000/", host: "x""#,
            "Refused 172.18.0.3:8000",
        ),
        ("SQLSTATE[HY000] [2002] Connection refused", "Refused"),
        (
            r#"Errno::ECONNREFUSED: Connection refused - connect(2) for "db" port 5432"#,
            "Refused db:5432",
        ),
        (
            "ERROR 2003 (HY000): Can't connect to MySQL server on 'db:3306' (111)",
            "Refused db:3306",
        ),
        (
            "curl: (7) Failed to connect to api port 8080 after 0 ms: Couldn't connect to server",
            "Refused api:8080",
        ),
        (
            "consumer: Cannot connect to amqp://guest:**@rabbit:5672//: [Errno 111] Connection refused.",
            "Refused rabbit:5672",
        ),
        (
            "urllib3.exceptions.MaxRetryError: HTTPConnectionPool(host='api', port=8080): Max retries exceeded with url: / (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f>: Failed to establish a new connection: [Errno 111] Connection refused'))",
            "Refused api:8080",
        ),
        // Names.
        (
            "socket.gaierror: [Errno -2] Name or service not known",
            "Name",
        ),
        ("Error: getaddrinfo ENOTFOUND db", "Name db"),
        (
            "dial tcp: lookup db on 127.0.0.11:53: no such host",
            "Name db",
        ),
        (
            r#"could not translate host name "db" to address: Name or service not known"#,
            "Name db",
        ),
        ("java.net.UnknownHostException: db", "Name db"),
        (
            "curl: (6) Could not resolve host: api.internal",
            "Name api.internal",
        ),
        (
            "redis.exceptions.ConnectionError: Error -2 connecting to cache:6379. Name or service not known.",
            "Name cache:6379",
        ),
        ("wget: bad address 'db'", "Name db"),
        (
            r#"nginx: [emerg] host not found in upstream "app" in /etc/nginx/conf.d/default.conf:3"#,
            "Name app line 3",
        ),
        (
            "gaierror: [Errno -2] Name or service not known while connecting to db:5432",
            "Name db:5432",
        ),
        // Time.
        ("504 Gateway Time-out", "TimedOut"),
        (
            "socket.gaierror: [Errno -3] Temporary failure in name resolution",
            "Name",
        ),
        (
            "TimeoutError: timed out while connecting to db:5432",
            "TimedOut db:5432",
        ),
        (
            "Error: connect ETIMEDOUT 10.0.0.7:5432",
            "TimedOut 10.0.0.7:5432",
        ),
        (
            "dial tcp 10.0.0.7:5432: i/o timeout",
            "TimedOut 10.0.0.7:5432",
        ),
        ("TimeoutError: timed out", "TimedOut"),
        (
            r#"upstream timed out (110: Connection timed out) while reading response header from upstream, upstream: "http://172.18.0.3:8000/""#,
            "TimedOut 172.18.0.3:8000",
        ),
        (
            "connect EHOSTUNREACH 10.0.0.7:80",
            "Unreachable 10.0.0.7:80",
        ),
        ("OSError: [Errno 113] No route to host", "Unreachable"),
        // Disks.
        (
            "OSError: [Errno 28] No space left on device: '/data/queue.db'",
            "DiskFull /data/queue.db",
        ),
        ("Error: ENOSPC: no space left on device, write", "DiskFull"),
        (
            r#"PANIC:  could not write to file "pg_wal/xlogtemp.29": No space left on device"#,
            "DiskFull pg_wal/xlogtemp.29",
        ),
        (
            "ERROR:  could not resize shared memory segment \"/PostgreSQL.12\" to 8388608 bytes: No space left on device",
            "SharedMemory",
        ),
        (
            "OSError: [Errno 28] No space left on device: '/dev/shm/psm_1a2b'",
            "SharedMemory",
        ),
        (
            "OSError: [Errno 30] Read-only file system: '/app/state.json'",
            "ReadOnly /app/state.json",
        ),
        // Rights.
        (
            "PermissionError: [Errno 13] Permission denied: '/data/queue.db'",
            "Permission /data/queue.db",
        ),
        (
            "Error: EACCES: permission denied, open '/data/x'",
            "Permission /data/x",
        ),
        ("open /data/x: permission denied", "Permission /data/x"),
        (
            "nginx: [emerg] mkdir() \"/var/lib/nginx/body\" failed (13: Permission denied)",
            "Permission /var/lib/nginx/body",
        ),
        (
            "sh: 1: cannot create /data/x: Permission denied",
            "Permission /data/x",
        ),
        // Ports.
        ("OSError: [Errno 98] Address already in use", "PortTaken"),
        (
            "Error: listen EADDRINUSE: address already in use :::3000",
            "PortTaken port 3000",
        ),
        (
            "listen tcp :8080: bind: address already in use",
            "PortTaken port 8080",
        ),
        (
            "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
            "PortTaken port 80",
        ),
        ("[ERROR] Connection in use: ('0.0.0.0', 8000)", "nothing"),
        // The environment.
        ("KeyError: 'DATABASE_URL'", "Variable DATABASE_URL"),
        ("KeyError: 'id'", "nothing"),
        (
            "Error: Missing required environment variable: API_KEY",
            "Variable API_KEY",
        ),
        (
            "environment variable SESSION_KEY is not set",
            "Variable SESSION_KEY",
        ),
        ("fatal: DATABASE_URL must be set", "Variable DATABASE_URL"),
        (
            "sh: 1: DATABASE_URL: parameter not set",
            "Variable DATABASE_URL",
        ),
        (
            "/start.sh: line 3: DATABASE_URL: unbound variable",
            "Variable DATABASE_URL",
        ),
        (
            "thread 'main' panicked at src/main.rs:3: DATABASE_URL must be set: NotPresent",
            "Variable DATABASE_URL",
        ),
        // What is missing.
        (
            "ModuleNotFoundError: No module named 'flask'",
            "Module flask",
        ),
        ("Error: Cannot find module 'express'", "Module express"),
        (
            "/app/server: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory",
            "Library libpq.so.5",
        ),
        ("sh: 1: gunicorn: not found", "Program gunicorn"),
        (
            "bash: line 1: gunicorn: command not found",
            "Program gunicorn",
        ),
        ("exec /app/server: exec format error", "Format"),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: '/etc/app/settings.ini'",
            "File /etc/app/settings.ini",
        ),
        // The configuration.
        (
            r#"nginx: [emerg] unknown directive "listn" in /etc/nginx/nginx.conf:12"#,
            "Configuration /etc/nginx/nginx.conf line 12",
        ),
        (
            "AH00526: Syntax error on line 5 of /etc/apache2/apache2.conf:",
            "Configuration /etc/apache2/apache2.conf line 5",
        ),
        (
            "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***",
            "Configuration",
        ),
        (
            r#"FATAL:  configuration file "/etc/postgresql/15/main/postgresql.conf" contains errors"#,
            "Configuration /etc/postgresql/15/main/postgresql.conf",
        ),
        (
            "yaml.scanner.ScannerError: mapping values are not allowed here",
            "Configuration",
        ),
        (
            "failed to parse config /app/config.yaml: line 7: mapping values are not allowed",
            "Configuration /app/config.yaml line 7",
        ),
        // Limits.
        ("OSError: [Errno 24] Too many open files", "Descriptors"),
        ("accept4() failed (24: Too many open files)", "Descriptors"),
        ("RuntimeError: can't start new thread", "Tasks"),
        ("sh: 1: Cannot fork", "Tasks"),
        ("java.lang.OutOfMemoryError: Java heap space", "Memory"),
        (
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            "Memory",
        ),
        (
            "FATAL:  sorry, too many clients already",
            "TooManyConnections",
        ),
        (
            "fatal error: all goroutines are asleep - deadlock!",
            "Deadlock",
        ),
        ("ERROR:  deadlock detected", "Deadlock"),
        // Certificates and credentials.
        (
            "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:992)",
            "CertificateExpired",
        ),
        (
            "x509: certificate has expired or is not yet valid",
            "CertificateExpired",
        ),
        (
            "x509: certificate signed by unknown authority",
            "CertificateUntrusted",
        ),
        (
            r#"FATAL:  password authentication failed for user "web""#,
            "Login web",
        ),
        ("(error) NOAUTH Authentication required.", "Login"),
        (
            r#"ERROR:  relation "visits" does not exist at character 15"#,
            "Schema visits",
        ),
        ("[CRITICAL] WORKER TIMEOUT (pid:9)", "Stalled"),
        // What is no trouble.
        ("INFO: Application startup complete.", "nothing"),
        ("GET /permission 200", "nothing"),
        ("listening on 0.0.0.0:8080", "nothing"),
        ("connected to db:5432 in 3 ms", "nothing"),
        ("", "nothing"),
    ] {
        let told = told(line);
        if told != expected {
            other.push(format!("{told} instead of {expected}: {line}"));
        }
    }
    assert!(other.is_empty(), "{}", other.join("\n"));
}

#[test]
fn every_pattern_can_be_read_and_has_a_word_to_be_known_by() {
    assert!(patterns::WORDS.len() <= Words::BITS as usize);
    for pattern in PATTERNS.iter() {
        assert!(pattern.ready().is_some(), "{}", pattern.text);
        assert!(pattern.words != 0, "{}", pattern.text);
    }
}

proptest::proptest! {
    #[test]
    fn any_line_can_be_looked_at(line in "\\PC{0,400}") {
        let _ = Symptom::of(&line);
    }
}
