//! What the processes of a container are: from their executable, arguments and listening ports.

mod table;

use std::collections::{BTreeMap, BTreeSet};

use crate::FoundService;
use crate::observation::{Listener, Process};
use table::{APPLICATION, INTERPRETERS, Known, TABLE, WORKER, WRAPPERS};

/// The services among a container's processes, in the order of their process numbers.
pub fn services(processes: &[Process], listeners: &[Listener]) -> Vec<FoundService> {
    let by_pid: BTreeMap<u32, &Process> = processes
        .iter()
        .map(|process| (process.pid, process))
        .collect();
    let recognised: BTreeMap<u32, &Known> = processes
        .iter()
        .filter_map(|process| Some((process.pid, recognise(process)?)))
        .collect();
    // Ports nobody could be found for belong to somebody all the same.
    let orphans: Vec<u16> = listeners
        .iter()
        .filter(|listener| listener.pid.is_none())
        .map(|listener| listener.port)
        .collect();

    let mut found: BTreeMap<u32, FoundService> = BTreeMap::new();
    for process in processes {
        let Some((pid, name, role)) = place(process, &by_pid, &recognised, !orphans.is_empty())
        else {
            continue;
        };
        let Some(head) = by_pid.get(&pid) else {
            continue;
        };
        let service = found.entry(pid).or_insert_with(|| FoundService {
            name,
            role: role.to_owned(),
            version: None,
            pid,
            ports: Vec::new(),
            command: head.command.join(" "),
        });
        service.ports.extend(&process.ports);
    }
    let mut services: Vec<FoundService> = found.into_values().collect();
    if let [only] = &mut services[..] {
        only.ports.extend(&orphans);
    }
    for service in &mut services {
        let ports: BTreeSet<u16> = service.ports.drain(..).collect();
        service.ports.extend(ports);
    }
    services
}

/// To which service a process belongs: the number of its first process, the name and the role.
fn place(
    process: &Process,
    by_pid: &BTreeMap<u32, &Process>,
    recognised: &BTreeMap<u32, &Known>,
    orphaned_ports: bool,
) -> Option<(u32, String, &'static str)> {
    if process.state == 'Z' {
        return None;
    }
    // The topmost process of the same known service, or the nearest one above a process that is not known.
    let own = recognised.get(&process.pid).copied();
    let mut service = own.map(|known| (process.pid, known));
    for ancestor in ancestors(process, by_pid) {
        match (service, recognised.get(&ancestor.pid).copied()) {
            (None, Some(known)) => service = Some((ancestor.pid, known)),
            (Some((_, ours)), Some(known)) if ours.name == known.name => {
                service = Some((ancestor.pid, known));
            }
            _ => {}
        }
    }
    if let Some((pid, known)) = service {
        return Some((pid, known.name.to_owned(), known.role));
    }
    let program = program(process);
    let wraps = |name: &str| WRAPPERS.contains(&name.trim_end_matches("-cli.js"));
    if wraps(&program.name) || program.script.as_deref().is_some_and(wraps) {
        return None;
    }
    if let Some((_, name)) = INTERPRETERS
        .iter()
        .find(|(interpreter, _)| *interpreter == program.name)
    {
        let role = if process.ports.is_empty() && !orphaned_ports {
            WORKER
        } else {
            APPLICATION
        };
        return Some((process.pid, (*name).to_owned(), role));
    }
    // Whatever else listens serves something; a program that does not is none of our business.
    (!process.ports.is_empty()).then(|| {
        let name = program.script.unwrap_or(program.name);
        (process.pid, name, APPLICATION)
    })
}

fn ancestors<'a>(
    process: &Process,
    by_pid: &'a BTreeMap<u32, &'a Process>,
) -> impl Iterator<Item = &'a Process> {
    let mut parent = process.parent;
    // A number that was given away again could make a circle.
    let mut steps = 64;
    std::iter::from_fn(move || {
        steps -= 1;
        let process = *by_pid.get(&parent).filter(|_| steps > 0)?;
        parent = process.parent;
        Some(process)
    })
}

fn recognise(process: &Process) -> Option<&'static Known> {
    let program = program(process);
    TABLE.iter().find(|known| {
        let named = known.programs.iter().any(|name| program.is(name));
        let says = |word: &&str| {
            process
                .command
                .iter()
                .any(|argument| argument.to_ascii_lowercase().contains(*word))
        };
        named && (known.words.is_empty() || known.words.iter().any(says))
    })
}

/// What a command line runs.
struct Program {
    name: String,
    /// The script or module, where the program is an interpreter.
    script: Option<String>,
}

impl Program {
    fn is(&self, name: &str) -> bool {
        // `php-fpm8.2`, `gunicorn3`: a version may follow.
        let matches = |own: &str| {
            own.strip_prefix(name)
                .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
        };
        matches(&self.name) || self.script.as_deref().is_some_and(matches)
    }
}

fn program(process: &Process) -> Program {
    let mut arguments = process.command.iter().map(String::as_str);
    let first = arguments.next().unwrap_or(&process.name);
    // A title a process wrote itself: `nginx: master process …`, `postgres: checkpointer`, `redis-server *:6379`.
    let title = first
        .split(' ')
        .next()
        .unwrap_or(first)
        .trim_end_matches(':');
    let mut name = base_name(title).to_owned();
    if name == "busybox" {
        name = arguments
            .next()
            .map_or(name, |applet| base_name(applet).to_owned());
    }
    let interprets =
        is_python(&name) || ["ruby", "perl", "php", "node", "nodejs"].contains(&name.as_str());
    let script = if interprets {
        script(&name, arguments)
    } else {
        None
    };
    Program { name, script }
}

/// The script or module an interpreter is told to run.
fn script<'a>(interpreter: &str, arguments: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument {
            "-m" if is_python(interpreter) => {
                let module = arguments.next()?;
                return Some(
                    if module == "http.server" {
                        module
                    } else {
                        module.split('.').next()?
                    }
                    .to_owned(),
                );
            }
            // What follows is program text, not a name.
            "-c" | "-e" | "--eval" | "-r" => return None,
            "-W" | "-X" | "--require" | "--import" => {
                arguments.next();
            }
            _ if argument.starts_with('-') => {}
            _ => return Some(base_name(argument).to_owned()),
        }
    }
    None
}

fn is_python(name: &str) -> bool {
    name.strip_prefix("python")
        .or_else(|| name.strip_prefix("pypy"))
        .is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

fn base_name(path: &str) -> &str {
    path.rsplit('/')
        .next()
        .unwrap_or(path)
        .trim_start_matches('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, parent: u32, command: &[&str], ports: &[u16]) -> Process {
        Process {
            pid,
            parent,
            state: 'S',
            name: base_name(command[0]).chars().take(15).collect(),
            command: command.iter().map(|part| (*part).to_owned()).collect(),
            ports: ports.to_vec(),
        }
    }

    fn found(processes: &[Process]) -> Vec<String> {
        services(processes, &[])
            .iter()
            .map(|service| {
                format!(
                    "{} ({}) {} {:?}",
                    service.name, service.role, service.pid, service.ports
                )
            })
            .collect()
    }

    fn one(command: &[&str]) -> String {
        found(&[process(1, 0, command, &[])]).join("; ")
    }

    #[test]
    fn programs_are_known_by_what_runs_not_by_what_is_mentioned() {
        let told: Vec<String> = [
            &[
                "/usr/local/bin/python3.11",
                "/usr/local/bin/uvicorn",
                "main:app",
                "--host",
                "0.0.0.0",
            ][..],
            &["python", "-m", "uvicorn", "main:app"],
            &[
                "python3", "-u", "-X", "dev", "-m", "celery", "-A", "work", "worker",
            ],
            &[
                "/usr/bin/python3",
                "/usr/local/bin/celery",
                "-A",
                "work",
                "beat",
            ],
            &["gunicorn: master [app]"],
            &["nginx: master process nginx -g daemon off;"],
            &["/usr/sbin/apache2", "-DFOREGROUND"],
            &["redis-server *:6379"],
            &["postgres: checkpointer "],
            &["/usr/sbin/mariadbd", "--user=mysql"],
            &["mysqld"],
            &[
                "/usr/lib/erlang/erts-13/bin/beam.smp",
                "-W",
                "w",
                "-s",
                "rabbit",
                "boot",
            ],
            &["/usr/bin/memcached", "-m", "64"],
            &["haproxy", "-W", "-f", "/etc/haproxy.cfg"],
            &["php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)"],
            &["php-fpm8.2", "-F"],
            &["puma 6.4.0 (tcp://0.0.0.0:3000) [shop]"],
            &["ruby", "/usr/bin/puma", "-C", "config.rb"],
            &["busybox", "httpd", "-f"],
            &["java", "-Xmx1g", "kafka.Kafka", "server.properties"],
            &["python", "manage.py", "runserver"],
            &["python3", "-m", "http.server", "8000"],
            &["/bin/redis_exporter", "--redis.addr=redis://localhost"],
            &["/fluent-bit/bin/fluent-bit", "-c", "/etc/fluent-bit.conf"],
        ]
        .iter()
        .map(|command| one(command))
        .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        uvicorn (application server) 1 []
        uvicorn (application server) 1 []
        celery (worker) 1 []
        celery beat (scheduler) 1 []
        gunicorn (application server) 1 []
        nginx (web server) 1 []
        apache (web server) 1 []
        redis (cache) 1 []
        postgres (database) 1 []
        mariadb (database) 1 []
        mysql (database) 1 []
        rabbitmq (queue) 1 []
        memcached (cache) 1 []
        haproxy (proxy) 1 []
        php-fpm (application server) 1 []
        php-fpm (application server) 1 []
        puma (application server) 1 []
        puma (application server) 1 []
        httpd (web server) 1 []
        kafka (queue) 1 []
        django (application server) 1 []
        http.server (web server) 1 []
        exporter (sidecar) 1 []
        fluent-bit (sidecar) 1 []
        ");
    }

    #[test]
    fn what_only_mentions_a_service_is_none() {
        for command in [
            &["python", "backup.py", "--of", "postgres"][..],
            &["sh", "-c", "exec nginx"],
            &["vim", "redis-server.conf"],
            &["python", "-c", "import uvicorn"],
            &["sleep", "600"],
            &["mygunicorn"],
            &["npm start"],
            &["node", "/usr/local/bin/npm", "start"],
        ] {
            assert_eq!(one(command), "", "{command:?}");
        }
    }

    #[test]
    fn a_program_of_ones_own_is_known_by_its_port() {
        assert_eq!(
            found(&[process(1, 0, &["/app/server"], &[8080])]),
            ["server (application server) 1 [8080]"]
        );
        assert_eq!(
            found(&[process(1, 0, &["python", "/app/main.py"], &[8000])]),
            ["main.py (application server) 1 [8000]"]
        );
        assert_eq!(
            found(&[process(1, 0, &["node", "server.js"], &[3000])]),
            ["node (application server) 1 [3000]"]
        );
        assert_eq!(
            found(&[process(1, 0, &["java", "-jar", "a.jar"], &[8080])]),
            ["java (application server) 1 [8080]"]
        );
        assert_eq!(
            found(&[process(1, 0, &["node", "queue.js"], &[])]),
            ["node (worker) 1 []"]
        );
    }

    #[test]
    fn a_service_of_many_processes_is_one() {
        let processes = [
            process(10, 1, &["sh", "-c", "uvicorn main:app --workers 2"], &[]),
            process(
                11,
                10,
                &["python", "/usr/bin/uvicorn", "main:app", "--workers", "2"],
                &[8000],
            ),
            process(
                12,
                11,
                &[
                    "python",
                    "-c",
                    "from multiprocessing.spawn import spawn_main",
                ],
                &[8000],
            ),
            process(
                13,
                11,
                &[
                    "python",
                    "-c",
                    "from multiprocessing.resource_tracker import main",
                ],
                &[],
            ),
            process(20, 1, &["nginx: master process nginx"], &[80]),
            process(21, 20, &["nginx: worker process"], &[80]),
        ];
        assert_eq!(
            found(&processes),
            [
                "uvicorn (application server) 11 [8000]",
                "nginx (web server) 20 [80]"
            ]
        );
    }

    #[test]
    fn a_port_of_nobody_goes_to_the_only_service() {
        let listener = Listener {
            port: 8000,
            loopback: false,
            pid: None,
            waiting: 0,
        };
        let node = process(1, 0, &["node", "server.js"], &[]);
        let found = services(&[node], &[listener]);
        assert_eq!(
            (found[0].role.as_str(), &found[0].ports[..]),
            (APPLICATION, &[8000][..])
        );
    }

    #[test]
    fn zombies_and_circles_do_no_harm() {
        let zombie = Process {
            state: 'Z',
            ..process(5, 1, &["nginx"], &[80])
        };
        assert!(found(&[zombie]).is_empty());
        let circle = [
            process(1, 2, &["nginx"], &[]),
            process(2, 1, &["nginx"], &[]),
        ];
        assert!(!found(&circle).is_empty());
    }
}
