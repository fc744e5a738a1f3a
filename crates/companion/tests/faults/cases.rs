//! The faults, and their healthy twins.

use crate::lab::Lab;
use crate::{Expected, finds, is_quiet};

/// A server in Python that answers every page by what a function named `page` says.
macro_rules! server {
    ($port:expr, $page:expr) => {
        concat!(
            "exec python3 -u -c '
import os, socket, sys, time, threading, json, urllib.request, urllib.error
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
",
            $page,
            "
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            text = page()
            self.send_response(200)
        except Exception as error:
            print(type(error).__name__ + \": \" + str(error), file=sys.stderr, flush=True)
            text = \"failed\"
            self.send_response(500)
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *arguments): pass
ThreadingHTTPServer((\"0.0.0.0\", ",
            $port,
            "), Handler).serve_forever()
'"
        )
    };
}

/// A web server that speaks TLS, with a certificate that is valid until the beginning of that year.
macro_rules! secure {
    ($until:expr) => {
        concat!(
            "mkdir -p /var/log/nginx && cd /tmp && touch index.txt && echo 01 > serial
printf '[ca]\ndefault_ca=a\n[a]\nserial=serial\ndatabase=index.txt\nnew_certs_dir=.\npolicy=b\n[b]\ncommonName=supplied\n' > ca.cnf
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=shop.example -keyout key.pem -out request.pem
openssl ca -batch -selfsign -config ca.cnf -in request.pem -keyfile key.pem -out certificate.pem -md sha256 -startdate 20200101000000Z -enddate ",
            $until,
            "0101000000Z
echo 'events {} http { server { listen 8443 ssl; ssl_certificate /tmp/certificate.pem; ssl_certificate_key /tmp/key.pem; return 204; } }' > /etc/nginx/nginx.conf
exec nginx -g 'daemon off;'"
        )
    };
}

/// A server that is well.
const WELL: &str = server!("8000", "def page(): return \"hello\"");
/// One that asks another one, `db:5432`, for each page.
const ASKS: &str = server!(
    "8000",
    "
def page():
    try:
        with socket.create_connection((\"db\", 5432), timeout=1) as db:
            db.settimeout(2)
            return db.recv(10).decode()
    except OSError as error:
        raise type(error)(str(error) + \" while connecting to db:5432\") from error
"
);
/// What it asks: a server that says `ready` to whoever comes.
const ANSWERS: &str = "exec python3 -u -c '
import socket
listener = socket.create_server((\"0.0.0.0\", 5432))
while True:
    guest, _ = listener.accept()
    guest.sendall(b\"ready\")
    guest.close()
'";

/// A fault and its twin. Both get a lab; `ci` are those that run with `make test`.
macro_rules! cases {
    ($($(#[$attribute:meta])* $name:ident: $fault:expr => $finding:literal, $says:literal, $evidence:literal; twin $twin:expr;)*) => {
        mod fault {
            use super::*;
            $(
                $(#[$attribute])*
                #[tokio::test]
                async fn $name() {
                    let mut lab = Lab::new("fault").await;
                    let arrange: fn(&mut Lab) = $fault;
                    arrange(&mut lab);
                    finds(&lab, &Expected { finding: $finding, says: $says, evidence: $evidence }).await;
                }
            )*
        }
        mod healthy {
            use super::*;
            $(
                $(#[$attribute])*
                #[tokio::test]
                async fn $name() {
                    let mut lab = Lab::new("healthy").await;
                    let arrange: fn(&mut Lab) = $twin;
                    arrange(&mut lab);
                    is_quiet(&lab).await;
                }
            )*
        }
    };
}

cases! {
    a_child_is_killed_for_want_of_memory:
        |lab| lab.subject(&["--memory", "64m", "--memory-swap", "64m"],
            "while :; do python3 -c 'x = bytearray(200 << 20)'; sleep 1; done")
        => "memory.out", "because memory ran out", "oom_kill";
        twin |lab| lab.subject(&["--memory", "64m", "--memory-swap", "64m"],
            "while :; do python3 -c 'x = bytearray(10 << 20)'; sleep 1; done");

    #[ignore = "one of many: `make test-all`"]
    it_is_killed_for_want_of_memory_itself:
        |lab| lab.subject(&["--memory", "64m", "--memory-swap", "64m"],
            "exec python3 -c 'x = bytearray(200 << 20)'")
        => "exited.out_of_memory", "memory ran out", "oom";
        twin |lab| lab.subject(&["--memory", "64m", "--memory-swap", "64m"],
            "exec python3 -c 'import time; x = bytearray(30 << 20); time.sleep(600)'");

    #[ignore = "one of many: `make test-all`"]
    its_memory_grows_and_grows:
        |lab| lab.subject(&["--memory", "400m", "--memory-swap", "400m"], "exec python3 -c '
import time
kept = []
while True: kept.append(bytearray(1 << 20)); time.sleep(0.2)
'")
        => "memory.growing", "the limit is reached in", "readings";
        twin |lab| lab.subject(&["--memory", "400m", "--memory-swap", "400m"], "exec python3 -c '
import time
while True: kept = bytearray(50 << 20); time.sleep(0.2)
'");

    #[ignore = "one of many: `make test-all`"]
    it_listens_on_another_port_than_it_was_meant_to:
        |lab| { lab.as_built(); lab.subject(&[], &WELL.replace("8000", "8001")); lab.meant(8000, None); }
        => "port.closed", "Nothing listens on port 8000", "LISTEN *:8001";
        twin |lab| { lab.as_built(); lab.subject(&[], WELL); lab.meant(8000, None); };

    #[ignore = "one of many: `make test-all`"]
    it_listens_for_itself_only:
        |lab| { lab.as_built(); lab.subject(&[], &WELL.replace("0.0.0.0", "127.0.0.1")); lab.meant(8000, None); }
        => "port.loopback", "127.0.0.1:8000 only", "LISTEN 127.0.0.1:8000";
        twin |lab| { lab.as_built(); lab.subject(&["-e", "HOST=0.0.0.0"], WELL); lab.meant(8000, None); };

    a_variable_is_missing:
        |lab| { lab.as_built(); lab.subject(&["--restart", "always"], "exec python3 -c 'import os; os.environ[\"DATABASE_URL\"]'");
            lab.meant(8000, Some("DATABASE_URL")); }
        => "restart.loop", "because DATABASE_URL is not set", "KeyError: 'DATABASE_URL'";
        twin |lab| { lab.as_built(); lab.subject(&["-e", "DATABASE_URL=sqlite://"], WELL); lab.meant(8000, Some("DATABASE_URL")); };

    #[ignore = "one of many: `make test-all`"]
    a_variable_is_missing_of_which_no_manifest_knows:
        |lab| lab.subject(&[], ": \"${SESSION_KEY:?must be set}\"; sleep 600")
        => "env.missing", "SESSION_KEY is not set", "SESSION_KEY";
        twin |lab| lab.subject(&["-e", "SESSION_KEY=1"], ": \"${SESSION_KEY:?must be set}\"; sleep 600");

    what_it_needs_does_not_run:
        |lab| { lab.as_built();
            lab.start("db", &[], ANSWERS);
            lab.subject(&[], ASKS);
            lab.meant(8000, None);
            lab.docker(&["stop", "-t", "0", "NAME-db"]);
        }
        => "dependency.down", "does not run", "not running";
        twin |lab| { lab.as_built(); lab.start("db", &[], ANSWERS); lab.subject(&[], ASKS); lab.meant(8000, None); };

    #[ignore = "one of many: `make test-all`"]
    what_it_needs_listens_elsewhere:
        |lab| { lab.as_built(); lab.start("db", &[], &ANSWERS.replace("5432", "5433")); lab.subject(&[], ASKS); lab.meant(8000, None); }
        => "dependency.refused", "othing takes connections at db:5432", "Connection refused";
        twin |lab| { lab.start("db", &[], ANSWERS); lab.subject(&[], ASKS); };

    #[ignore = "one of many: `make test-all`"]
    what_it_needs_does_not_answer:
        |lab| { lab.as_built();
            lab.start("db", &[], "exec python3 -c '
import socket, time
listener = socket.create_server((\"0.0.0.0\", 5432))
guests = []
while True: guests.append(listener.accept())
'");
            lab.subject(&[], ASKS);
            lab.meant(8000, None);
        }
        => "dependency.slow", "db:5432 does not answer in time", "timed out";
        twin |lab| { lab.start("db", &[], &ANSWERS.replace("guest.sendall", "import time; time.sleep(0.2); guest.sendall")); lab.subject(&[], ASKS); };

    #[ignore = "one of many: `make test-all`"]
    a_name_cannot_be_resolved:
        |lab| { lab.as_built(); lab.subject(&[], &ASKS.replace("\"db\"", "\"database.invalid\"").replace("db:5432", "database.invalid:5432")); lab.meant(8000, None); }
        => "dns.failed", "cannot be resolved", "ame";
        twin |lab| { lab.start("db", &[], ANSWERS); lab.subject(&["--dns-search", "example.invalid"], ASKS); };

    #[ignore = "one of many: `make test-all`"]
    the_default_network_knows_no_names:
        |lab| { lab.as_built(); let id = lab.start_on("bridge", "web", &[], ASKS); lab.speak_for(id); lab.meant(8000, None); }
        => "dns.failed", "default network knows no names", "network mode";
        twin |lab| { lab.as_built(); let id = lab.start_on("bridge", "web", &[], WELL); lab.speak_for(id); lab.meant(8000, None); };

    what_it_writes_to_is_full:
        |lab| lab.subject(&["--tmpfs", "/data:size=4m"], server!("8000", "
def page():
    with open(\"/data/queue\", \"ab\") as queue:
        queue.write(bytes(8 << 20))
    return \"kept\"
"))
        => "disk.full", "/data", "No space left on device";
        twin |lab| lab.subject(&["--tmpfs", "/data:size=4m"], server!("8000", "
def page():
    with open(\"/data/queue\", \"wb\") as queue:
        queue.write(bytes(1 << 20))
    return \"kept\"
"));

    #[ignore = "one of many: `make test-all`"]
    shared_memory_is_too_small:
        |lab| lab.subject(&["--shm-size", "1m"], server!("8000", "
def page():
    with open(\"/dev/shm/segment\", \"wb\") as segment:
        segment.write(bytes(4 << 20))
    return \"kept\"
").replace("text = page()", "text = page()").replace("str(error)", "str(error) + \": /dev/shm/segment\"").as_str())
        => "shm.full", "/dev/shm is too small", "/dev/shm";
        twin |lab| lab.subject(&["--shm-size", "16m"], server!("8000", "
def page():
    with open(\"/dev/shm/segment\", \"wb\") as segment:
        segment.write(bytes(4 << 20))
    return \"kept\"
"));

    #[ignore = "one of many: `make test-all`"]
    it_gets_too_little_processor_time:
        |lab| lab.subject(&["--cpus", "0.1"], "while :; do :; done")
        => "processor.throttled", "0.10 processors", "nr_throttled";
        twin |lab| lab.subject(&["--cpus", "0.5"], "while :; do sleep 0.2; done");

    #[ignore = "one of many: `make test-all`"]
    it_ends_again_and_again:
        |lab| lab.subject(&["--restart", "always"], "echo starting; sleep 0.2; exit 3")
        => "restart.loop", "exit code 3", "exitCode=3";
        twin |lab| lab.subject(&["--restart", "always"], "echo starting; exec sleep 600");

    #[ignore = "one of many: `make test-all`"]
    it_ends_again_and_again_with_other_codes:
        |lab| lab.subject(&["--restart", "always"], "code=$(($(cat /code 2>/dev/null || echo 3) + 1)); echo $code > /code; exit $code")
        => "restart.loop", "4, 5", "exitCode=4";
        twin |lab| lab.subject(&["--restart", "on-failure"], "if [ -e /begun ]; then exec sleep 600; fi; touch /begun; exec sleep 600");

    it_hangs:
        |lab| { lab.as_built(); lab.subject(&[], server!("8000", "
one = threading.Lock()
one.acquire()
def page():
    with one:
        return \"never\"
")); lab.meant(8000, None); }
        => "stuck", "My program hangs", "no answer in";
        twin |lab| { lab.as_built(); lab.subject(&[], server!("8000", "
one = threading.Lock()
def page():
    with one:
        return \"at last\"
")); lab.meant(8000, None); };

    #[ignore = "one of many: `make test-all`"]
    its_program_is_not_there:
        |lab| lab.subject(&[], "exec gunicron main:app")
        => "exited", "there is no program gunicron", "gunicron: not found";
        twin |lab| lab.subject(&[], "exec sleep 600");

    #[ignore = "one of many: `make test-all`"]
    it_may_not_write:
        |lab| lab.subject(&["--user", "65532:65532", "-v", "/data"], "echo 1 > /data/queue")
        => "permission.denied", "/data/queue", "Permission denied";
        twin |lab| lab.subject(&["--user", "65532:65532", "--tmpfs", "/data:mode=1777"], "echo 1 > /data/queue; exec sleep 600");

    #[ignore = "one of many: `make test-all`"]
    nothing_can_be_written:
        |lab| lab.subject(&["--read-only"], "exec python3 -c 'open(\"/state.json\", \"w\")'")
        => "filesystem.read_only", "/state.json", "Read-only file system";
        twin |lab| lab.subject(&["--read-only", "--tmpfs", "/data"], "exec python3 -c 'open(\"/data/state.json\", \"w\"); import time; time.sleep(600)'");

    #[ignore = "one of many: `make test-all`"]
    it_tries_again_without_a_pause:
        |lab| lab.subject(&[], "exec python3 -u -c '
import socket, time
while True:
    try: socket.create_connection((\"127.0.0.1\", 5432))
    except OSError as error: print(type(error).__name__ + \": \" + str(error))
    time.sleep(0.02)
'")
        => "retry.storm", "times a second", "Connection refused";
        twin |lab| { lab.start("db", &[], ANSWERS); lab.subject(&[], "exec python3 -u -c '
import socket, time
while True:
    try: socket.create_connection((\"db\", 5432)).close(); print(\"connected\")
    except OSError as error: print(type(error).__name__ + \": \" + str(error))
    time.sleep(0.2)
'"); };

    #[ignore = "one of many: `make test-all`"]
    its_configuration_is_wrong:
        |lab| lab.subject(&[], "mkdir -p /var/log/nginx; echo 'events {} http { server { listn 80; } }' > /etc/nginx/nginx.conf; exec nginx -g 'daemon off;'")
        => "config.invalid", "/etc/nginx/nginx.conf:1", "unknown directive";
        twin |lab| lab.subject(&[], "mkdir -p /var/log/nginx; echo 'events {} http { server { listen 80; return 204; } }' > /etc/nginx/nginx.conf; exec nginx -g 'daemon off;'");

    #[ignore = "one of many: `make test-all`"]
    too_many_files_are_open:
        |lab| lab.subject(&["--ulimit", "nofile=64:64"], server!("8000", "
files = []
def page():
    while True: files.append(open(\"/etc/passwd\"))
"))
        => "descriptors.exhausted", "of 64", "Too many open files";
        twin |lab| lab.subject(&["--ulimit", "nofile=64:64"], server!("8000", "
def page():
    with open(\"/etc/passwd\") as file: return file.read()
"));

    #[ignore = "one of many: `make test-all`"]
    no_further_thread_can_be_started:
        |lab| lab.subject(&["--pids-limit", "12"], server!("8000", "
def page():
    for _ in range(20): threading.Thread(target=time.sleep, args=(600,)).start()
    return \"started\"
"))
        => "tasks.exhausted", "12", "processes and threads";
        twin |lab| lab.subject(&["--pids-limit", "12"], server!("8000", "def page(): return \"hello\""));

    #[ignore = "one of many: `make test-all`"]
    nobody_collects_its_children:
        |lab| lab.subject(&[], "exec python3 -c '
import os, time
for _ in range(10):
    if os.fork() == 0: os._exit(0)
time.sleep(600)
'")
        => "processes.zombies", "nobody collects them", "state Z";
        twin |lab| lab.subject(&["--init"], "exec python3 -c '
import os, time
for _ in range(10):
    if os.fork() == 0: os._exit(0)
    os.wait()
time.sleep(600)
'");

    #[ignore = "one of many: `make test-all`"]
    its_port_is_taken:
        |lab| lab.subject(&[], "python3 -m http.server 8000 & sleep 1; exec python3 -u -c '
import socket
try: socket.create_server((\"0.0.0.0\", 8000))
except OSError as error: raise SystemExit(\"bind 0.0.0.0:8000: \" + str(error))
'")
        => "port.taken", "8000 is taken already", "Address already in use";
        twin |lab| lab.subject(&[], "exec python3 -m http.server 8000");

    #[ignore = "one of many: `make test-all`"]
    it_touches_memory_that_is_not_its_own:
        |lab| lab.subject(&[], "exec python3 -c 'import ctypes; ctypes.string_at(0)'")
        => "exited", "segmentation fault", "exit code 139";
        twin |lab| lab.subject(&[], "exec python3 -c 'import ctypes, time; ctypes.string_at(b\"x\"); time.sleep(600)'");

    #[ignore = "one of many: `make test-all`"]
    a_module_is_missing:
        |lab| lab.subject(&["--restart", "on-failure:2"], "exec python3 -c 'import flask_of_nobody'")
        => "module.missing", "flask_of_nobody", "No module named";
        twin |lab| lab.subject(&[], "exec python3 -c 'import json, time; time.sleep(600)'");

    #[ignore = "one of many: `make test-all`"]
    its_page_fails:
        |lab| { lab.as_built(); lab.subject(&[], server!("8000", "def page(): raise ValueError(\"no such thing\")")); lab.meant(8000, None); }
        => "probe.failed", "answers 500", "500 in";
        twin |lab| { lab.as_built(); lab.subject(&[], server!("8000", "def page(): return \"there is one\"")); lab.meant(8000, None); };

    #[ignore = "one of many: `make test-all`"]
    somebody_paused_it:
        |lab| { lab.subject(&[], WELL); lab.docker(&["pause", "NAME-web"]); }
        => "paused", "stand still", "state paused";
        twin |lab| { lab.subject(&[], WELL); lab.docker(&["pause", "NAME-web"]); lab.docker(&["unpause", "NAME-web"]); };

    #[ignore = "one of many: `make test-all`"]
    somebody_killed_it:
        |lab| { lab.subject(&[], WELL); lab.docker(&["kill", "NAME-web"]); }
        => "exited.killed", "by `docker kill`", "kill signal=9";
        twin |lab| { lab.subject(&[], WELL); lab.docker(&["restart", "-t", "0", "NAME-web"]); };

    #[ignore = "one of many: `make test-all`"]
    its_own_check_fails:
        |lab| lab.subject(&["--health-cmd", "echo queue is stuck; exit 1", "--health-interval", "1s", "--health-retries", "2"], WELL)
        => "health.unhealthy", "queue is stuck", "unhealthy";
        twin |lab| lab.subject(&["--health-cmd", "true", "--health-interval", "1s"], WELL);

    #[ignore = "one of many: `make test-all`"]
    it_is_not_let_in:
        |lab| { lab.start("db", &[], "exec redis-server --requirepass right --protected-mode no --port 5432");
            lab.subject(&[], "while :; do redis-cli -h db -p 5432 ping; sleep 0.5; done"); }
        => "login.refused", "credentials", "NOAUTH";
        twin |lab| { lab.start("db", &[], "exec redis-server --requirepass right --protected-mode no --port 5432");
            lab.subject(&["-e", "REDISCLI_AUTH=right"], "sleep 1; while :; do redis-cli -h db -p 5432 ping; sleep 0.5; done"); };

    #[ignore = "one of many: `make test-all`"]
    its_certificate_has_expired:
        |lab| lab.subject(&[], secure!("2025"))
        => "certificate.expired", "shop.example on port 8443 expired", "port 8443 shows shop.example";
        twin |lab| lab.subject(&[], secure!("2090"));
}
