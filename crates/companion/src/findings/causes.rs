//! Why: what the program complains about, joined with what is seen of disks, rights, limits and neighbours.

use super::complaints::Complaint;
use super::{Draft, Look, Severity};
use crate::evidence::Fact;
use crate::observation::Probe;
use crate::symptom::{Symptom, Trouble};
use crate::words;

/// A cause: the finding, and the same as a part of a sentence that begins with "because".
pub(super) struct Cause {
    pub id: &'static str,
    /// `nothing takes connections at db:5432`.
    pub clause: String,
    pub facts: Vec<Fact>,
    pub remedy: String,
}

impl Look<'_> {
    /// What explains that it does not run, or does not answer well; the likeliest first.
    pub(super) fn causes(&self) -> Vec<Draft> {
        let complaints = self.complaints();
        let answers = self.observation.probe.as_ref().is_none_or(Probe::is_good);
        let severity = if self.is_down() || !answers {
            Severity::Critical
        } else {
            Severity::Warning
        };
        let mut drafts: Vec<Draft> = Vec::new();
        for complaint in &complaints {
            let Some(cause) = self.cause(complaint) else {
                continue;
            };
            // One trouble is told once, however many lines tell of it.
            if drafts
                .iter()
                .any(|draft| draft.id == cause.id && draft.clause.as_ref() == Some(&cause.clause))
            {
                continue;
            }
            let mut facts = vec![self.facts.log(complaint.record)];
            facts.extend(cause.facts);
            let mut draft = Draft::new(cause.id, severity, sentence(&cause.clause))
                .because(facts)
                .remedy(cause.remedy);
            draft.clause = Some(cause.clause);
            drafts.push(draft);
        }
        drafts.sort_by_key(|draft| depth(draft.id));
        drafts.extend(
            complaints
                .iter()
                .find_map(|complaint| self.storm(complaint)),
        );
        drafts
    }

    /// The same complaint many times a second.
    fn storm(&self, complaint: &Complaint<'_>) -> Option<Draft> {
        let rate = complaint.storm()?;
        let elsewhere = matches!(
            complaint.symptom.trouble,
            Trouble::Refused
                | Trouble::TimedOut
                | Trouble::Unreachable
                | Trouble::Name
                | Trouble::Login
                | Trouble::TooManyConnections
        );
        if !elsewhere {
            return None;
        }
        let place = complaint
            .symptom
            .place()
            .map(|place| format!(" to reach {place}"))
            .unwrap_or_default();
        let text = format!(
            "I try again and again{place}, some {rate:.0} times a second, without a pause between"
        );
        let mut draft = Draft::new("retry.storm", Severity::Warning, text)
            .because([self.facts.log(complaint.record), self.facts.log_rate(complaint.count, complaint.first, complaint.last)])
            .remedy("Let the program wait longer after each failure (a growing pause, with some chance in it), and let it give up at some time.");
        draft.clause = Some("it tries again without a pause".to_owned());
        Some(draft)
    }

    fn cause(&self, complaint: &Complaint<'_>) -> Option<Cause> {
        let symptom = &complaint.symptom;
        let what = symptom.what.as_deref();
        let cause = |id, clause: String, remedy: &str| Cause {
            id,
            clause,
            facts: Vec::new(),
            remedy: remedy.to_owned(),
        };
        Some(match symptom.trouble {
            Trouble::Refused | Trouble::TimedOut | Trouble::Unreachable | Trouble::Name => {
                return Some(self.elsewhere(symptom));
            }
            Trouble::Login => {
                let who = what.map(|who| format!(" of {who}")).unwrap_or_default();
                cause(
                    "login.refused",
                    format!("the credentials{who} are not accepted"),
                    "Compare the user and the password in its environment with those of the other side.",
                )
            }
            Trouble::TooManyConnections => cause(
                "connections.exhausted",
                "the other side takes no further connections".to_owned(),
                "Use fewer connections (a pool with a bound), or raise the other side's limit.",
            ),
            Trouble::CertificateExpired => cause(
                "certificate.expired",
                "a certificate has expired".to_owned(),
                "Renew the certificate; where it has been renewed, see that the clock is right.",
            ),
            Trouble::CertificateUntrusted => cause(
                "certificate.untrusted",
                "a certificate is not trusted".to_owned(),
                "Add the authority that signed it to the container's trusted ones, or use the name it was made for.",
            ),
            Trouble::DiskFull => return Some(self.disk_full(what)),
            Trouble::SharedMemory => return Some(self.shared_memory()),
            Trouble::Permission => return Some(self.permission(what)),
            Trouble::ReadOnly => {
                let path = what.map(|path| format!(" at {path}")).unwrap_or_default();
                cause(
                    "filesystem.read_only",
                    format!("the file system{path} cannot be written to"),
                    "Mount a volume there, or let the program write elsewhere.",
                )
            }
            Trouble::PortTaken => return Some(self.port_taken(symptom)),
            Trouble::Variable => return self.variable(what?),
            Trouble::Module => cause(
                "module.missing",
                format!("the module {} is missing", what?),
                "Add it to the project's dependencies, and build again.",
            ),
            Trouble::Library => cause(
                "library.missing",
                format!("the shared library {} is missing", what?),
                "Add the package that has it to `system_packages` in ergon.json, and build again.",
            ),
            Trouble::Program => cause(
                "program.missing",
                format!("there is no program {}", what?),
                "Correct the command, or add the program to the image.",
            ),
            Trouble::Format => cause(
                "program.foreign",
                "the program was built for another processor".to_owned(),
                "Build it for the platform it runs on.",
            ),
            Trouble::File => cause(
                "file.missing",
                format!("there is no file {}", what?),
                "Add the file to the image or mount it, or correct the path.",
            ),
            Trouble::Configuration => return Some(self.configuration(symptom)),
            Trouble::Descriptors => return Some(self.descriptors()),
            Trouble::Tasks => return Some(self.tasks()),
            Trouble::Memory => return Some(self.memory()),
            Trouble::Deadlock => cause(
                "deadlock",
                "its threads or transactions wait for each other".to_owned(),
                "Restart it to go on; let the program take its locks always in the same order.",
            ),
            Trouble::Stalled => cause(
                "requests.stalled",
                "its workers do not finish what they are asked in the time they have".to_owned(),
                "See what they wait for; give them more time only where the work needs it.",
            ),
            Trouble::Schema => {
                let what = what.map(|what| format!(" ({what})")).unwrap_or_default();
                cause(
                    "schema.missing",
                    format!("the database lacks what the program expects{what}"),
                    "Run the migrations against that database.",
                )
            }
        })
    }

    fn disk_full(&self, path: Option<&str>) -> Cause {
        let disks = &self.observation.signals.disks;
        let disk = path
            .and_then(|path| {
                disks
                    .iter()
                    .filter(|disk| path.starts_with(disk.mount.as_str()))
                    .max_by_key(|disk| disk.mount.len())
            })
            .or_else(|| disks.iter().find(|disk| disk.is_full()));
        let place = match (path, disk) {
            (Some(path), _) => format!(" at {path}"),
            (None, Some(disk)) => format!(" at {}", disk.mount),
            (None, None) => String::new(),
        };
        Cause {
            id: "disk.full",
            clause: format!("the disk{place} is full"),
            facts: disk.map(|disk| self.facts.disk(disk)).into_iter().collect(),
            remedy: "Remove what is not needed there, or give it more room.".to_owned(),
        }
    }

    fn shared_memory(&self) -> Cause {
        let disk = self
            .observation
            .signals
            .disks
            .iter()
            .find(|disk| disk.mount == "/dev/shm");
        let size = disk
            .map(|disk| format!(" ({})", words::bytes(disk.size)))
            .unwrap_or_default();
        Cause {
            id: "shm.full",
            clause: format!("/dev/shm is too small{size}"),
            facts: disk.map(|disk| self.facts.disk(disk)).into_iter().collect(),
            remedy: "Start it with more shared memory, such as `--shm-size 256m`.".to_owned(),
        }
    }

    fn permission(&self, path: Option<&str>) -> Cause {
        let state = self.observation.state();
        let user = state.map_or("", |state| state.user.as_str());
        let user = if user.is_empty() {
            String::new()
        } else {
            format!(" as user {user}")
        };
        let clause = match path {
            Some(path) => format!("it may not use {path}{user}"),
            None => format!("it lacks a permission{user}"),
        };
        Cause {
            id: "permission.denied",
            clause,
            facts: state
                .map(|state| self.facts.user(state))
                .into_iter()
                .collect(),
            remedy: "Give the path to the user the program runs as, or let it write elsewhere."
                .to_owned(),
        }
    }

    fn port_taken(&self, symptom: &Symptom) -> Cause {
        let port = symptom
            .port
            .map(|port| format!("port {port}"))
            .or_else(|| {
                let ports: Vec<String> = self
                    .observation
                    .meant_ports()
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                (ports.len() == 1).then(|| format!("port {}", ports[0]))
            })
            .unwrap_or_else(|| "its port".to_owned());
        Cause {
            id: "port.taken",
            clause: format!("{port} is taken already"),
            facts: self.facts.listeners().into_iter().collect(),
            remedy: "Stop what listens there, or let one of the two listen elsewhere.".to_owned(),
        }
    }

    /// A variable that the program misses, and indeed is not set.
    fn variable(&self, name: &str) -> Option<Cause> {
        let state = self.observation.state()?;
        let is_set = state.env.get(name).is_some_and(|value| !value.is_empty());
        (!is_set).then(|| Cause {
            id: "env.missing",
            clause: format!("{name} is not set"),
            facts: vec![self.facts.unset_variable(name)],
            remedy: format!("Run it with `--env {name}=…`."),
        })
    }

    fn configuration(&self, symptom: &Symptom) -> Cause {
        let place = match (&symptom.what, symptom.line) {
            (Some(path), Some(line)) => format!(" {path}:{line}"),
            (Some(path), None) => format!(" ({path})"),
            _ => String::new(),
        };
        let created = self.observation.state().and_then(|state| state.created_at);
        let is_new = created.filter(|created| {
            self.observation.time.duration_since(*created) < jiff::SignedDuration::from_hours(1)
        });
        let since = is_new
            .map(|created| {
                let ago = words::duration(self.observation.time.duration_since(created));
                format!(", since it was deployed {ago} ago")
            })
            .unwrap_or_default();
        Cause {
            id: "config.invalid",
            clause: format!("its configuration{place} cannot be understood{since}"),
            facts: self
                .observation
                .state()
                .filter(|_| is_new.is_some())
                .map(|state| self.facts.created(state))
                .into_iter()
                .collect(),
            remedy: "Correct the configuration, or go back to what ran before.".to_owned(),
        }
    }

    fn descriptors(&self) -> Cause {
        let fullest = self.observation.signals.descriptors.first();
        let figures = fullest
            .and_then(|one| Some((one, one.limit?)))
            .map(|(one, limit)| format!(" ({} of {limit} in {})", one.open, one.name))
            .unwrap_or_default();
        Cause {
            id: "descriptors.exhausted",
            clause: format!("it has too many files and connections open{figures}"),
            facts: fullest
                .map(|one| self.facts.descriptors(one))
                .into_iter()
                .collect(),
            remedy: "Close what is not used any more; or raise the limit with `--ulimit nofile=…`."
                .to_owned(),
        }
    }

    fn tasks(&self) -> Cause {
        let tasks = self.observation.signals.tasks;
        let figures = tasks
            .and_then(|tasks| Some((tasks.now, tasks.limit?)))
            .map(|(now, limit)| format!(" ({now} of {limit})"))
            .unwrap_or_default();
        Cause {
            id: "tasks.exhausted",
            clause: format!("no further process or thread can be started{figures}"),
            facts: tasks
                .map(|tasks| self.facts.tasks(tasks))
                .into_iter()
                .collect(),
            remedy: "Let it start fewer, or raise the limit with `--pids-limit`.".to_owned(),
        }
    }

    fn memory(&self) -> Cause {
        let limit = self
            .observation
            .state()
            .and_then(|state| state.memory_limit)
            .map(|limit| format!(" of {}", words::bytes(limit)))
            .unwrap_or_default();
        Cause {
            id: "memory.exhausted",
            clause: format!("the program got no more memory{limit}"),
            facts: self.facts.memory().into_iter().collect(),
            remedy: "Raise the limit (the container's, or the language's own heap), or find what uses the memory."
                .to_owned(),
        }
    }
}

/// How near a cause is to the beginning of it all: what is wrong with its surroundings explains what the program then lacks.
fn depth(id: &str) -> u8 {
    match id {
        "disk.full" | "shm.full" | "filesystem.read_only" | "dependency.down" | "dns.failed" => 0,
        "file.missing" | "permission.denied" => 2,
        "dependency.slow" | "retry.storm" => 3,
        _ => 1,
    }
}

/// `DATABASE_URL is not set` stays as it is, `the disk is full` becomes a sentence in the first person.
pub(super) fn sentence(clause: &str) -> String {
    for (before, after) in [("it ", "I "), ("its ", "My ")] {
        if let Some(rest) = clause.strip_prefix(before) {
            let rest = rest.replace(" has ", " have ").replacen("has ", "have ", 1);
            let rest = rest
                .replacen("lacks ", "lack ", 1)
                .replacen("tries ", "try ", 1);
            return format!("{after}{rest}");
        }
    }
    let is_name = clause.split(' ').next().is_some_and(|word| {
        word.contains(['/', '_', ':', '.']) || word.chars().any(|c| c.is_ascii_uppercase())
    });
    let mut letters = clause.chars();
    match letters.next() {
        Some(first) if !is_name => first.to_uppercase().chain(letters).collect(),
        _ => clause.to_owned(),
    }
}
