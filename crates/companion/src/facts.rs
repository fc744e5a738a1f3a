//! The evidence in an observation, each piece with a command to see it oneself.

mod measured;
mod surroundings;
mod waste;

use ergon_engine::ContainerState;
use jiff::{SignedDuration, Timestamp};

use crate::Observation;
use crate::evidence::Fact;
use crate::history::{Happening, Moment};
use crate::observation::{LogDigest, LogRecord, LogTemplate, MemorySource, Outcome, ProcessSource};
use crate::words;

/// Makes the facts of one observation.
pub(crate) struct Facts<'a> {
    observation: &'a Observation,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(observation: &'a Observation) -> Self {
        Self { observation }
    }

    fn name(&self) -> &str {
        &self.observation.subject.container
    }

    fn fact(&self, source: &'static str, text: String, command: Option<String>) -> Fact {
        Fact {
            text,
            source,
            time: self.observation.time,
            command,
        }
    }

    fn inspect(&self, text: String, format: &str) -> Fact {
        self.fact(
            "engine",
            text,
            Some(format!("docker inspect -f '{format}' {}", self.name())),
        )
    }

    pub(crate) fn gone(&self) -> Fact {
        let id = self
            .observation
            .subject
            .container_id
            .get(..12)
            .unwrap_or("")
            .to_owned();
        self.fact(
            "engine",
            format!("no such container: {id}"),
            Some(format!("docker inspect {id}")),
        )
    }

    pub(crate) fn blind(&self, reason: &str) -> Fact {
        self.fact(
            "engine",
            reason.to_owned(),
            Some("docker version".to_owned()),
        )
    }

    /// Nothing bad was told since then.
    pub(crate) fn quiet(&self, since: Timestamp) -> Fact {
        let command = format!(
            "docker events --since {} --until 0s --filter container={}",
            since.as_second(),
            self.name()
        );
        self.fact(
            "event",
            format!("no die, oom or kill event since {since}"),
            Some(command),
        )
    }

    pub(crate) fn log_length(&self) -> Fact {
        let lines = words::count(self.observation.log.len() as u64, "line", "lines");
        let command = format!(
            "docker logs --tail {} {}",
            self.observation.log.len(),
            self.name()
        );
        self.fact("log", format!("{lines} of log read"), Some(command))
    }

    pub(crate) fn memory(&self) -> Option<Fact> {
        let memory = self.observation.memory.as_ref()?;
        Some(match &memory.source {
            MemorySource::Cgroup(folder) => {
                let file = memory
                    .raw
                    .split_whitespace()
                    .next()
                    .unwrap_or("memory.current");
                self.fact(
                    "cgroup",
                    memory.raw.clone(),
                    Some(format!("cat {folder}/{file}")),
                )
            }
            MemorySource::Engine => self.fact(
                "engine",
                memory.raw.clone(),
                Some(format!("docker stats --no-stream {}", self.name())),
            ),
        })
    }

    pub(crate) fn oom_kills(&self) -> Option<Fact> {
        let memory = self.observation.memory.as_ref()?;
        let kills = memory.oom_kills?;
        let MemorySource::Cgroup(folder) = &memory.source else {
            return None;
        };
        Some(self.fact(
            "cgroup",
            format!("oom_kill {kills}"),
            Some(format!("grep oom_kill {folder}/memory.*")),
        ))
    }

    /// The last reading before the container ended.
    pub(crate) fn last_sample(&self) -> Option<Fact> {
        let sample = self.observation.history.last_sample?;
        let kills = sample
            .oom_kills
            .map(|kills| format!(", oom_kill {kills}"))
            .unwrap_or_default();
        Some(Fact {
            text: format!(
                "last reading before the end: {} bytes of memory{kills}",
                sample.memory
            ),
            source: "cgroup",
            time: sample.time,
            command: None,
        })
    }

    pub(crate) fn processor(&self) -> Option<Fact> {
        let nanoseconds = self.observation.processor?;
        let text = format!("{nanoseconds} ns of processor time since the start");
        Some(self.fact(
            "cgroup",
            text,
            Some(format!("docker stats --no-stream {}", self.name())),
        ))
    }

    pub(crate) fn probe(&self) -> Option<Fact> {
        let probe = self.observation.probe.as_ref()?;
        let asked = probe.target.asked();
        let latency = words::latency(probe.latency);
        let outcome = match &probe.outcome {
            Outcome::Connected => format!("connected in {latency}"),
            Outcome::Status(status) => format!("{status} in {latency}"),
            Outcome::Refused => "connection refused".to_owned(),
            Outcome::TimedOut => format!("no answer in {latency}"),
            Outcome::NotHttp(got) => format!("no HTTP answer: {got}"),
            Outcome::Unreachable(reason) => reason.clone(),
        };
        let command = match asked.strip_prefix("GET ") {
            Some(url) => format!("curl -i {url}"),
            None => format!("nc -vz {} {}", probe.target.address, probe.target.port),
        };
        Some(self.fact("probe", format!("{asked} → {outcome}"), Some(command)))
    }

    pub(crate) fn started(&self, state: &ContainerState) -> Fact {
        let started = state
            .started_at
            .map_or("never".to_owned(), |time| time.to_string());
        let text = format!("started {started}, restart count {}", state.restart_count);
        self.inspect(text, "{{.State.StartedAt}} {{.RestartCount}}")
    }

    pub(crate) fn exit(&self, state: &ContainerState) -> Fact {
        let mut text = format!("state {}", state.status);
        if let Some(code) = state.exit_code {
            text.push_str(&format!(", exit code {code}"));
        }
        text.push_str(&format!(", OOMKilled {}", state.oom_killed));
        if let Some(finished) = state.finished_at {
            text.push_str(&format!(", finished {finished}"));
        }
        if let Some(error) = &state.error {
            text.push_str(&format!(", error: {}", words::cut(error, 300)));
        }
        self.inspect(text, "{{json .State}}")
    }

    pub(crate) fn restart_policy(&self, state: &ContainerState) -> Fact {
        self.inspect(
            format!("restart policy {}", state.restart_policy),
            "{{json .HostConfig.RestartPolicy}}",
        )
    }

    pub(crate) fn own_health(&self, state: &ContainerState) -> Option<Fact> {
        let health = state.health.as_ref()?;
        let output = health
            .last_output
            .as_ref()
            .map(|text| format!(": {}", words::cut(text, 200)))
            .unwrap_or_default();
        let text = format!(
            "health check {}, {} failures in a row{output}",
            health.status, health.failing_streak
        );
        Some(self.inspect(text, "{{json .State.Health}}"))
    }

    pub(crate) fn moment(&self, moment: &Moment) -> Fact {
        let text = match &moment.what {
            Happening::Started => "start".to_owned(),
            Happening::Died { exit_code } => format!("die exitCode={exit_code}"),
            Happening::Killed { signal } => format!("kill signal={signal}"),
            Happening::Stopped => "stop".to_owned(),
            Happening::OutOfMemory => "oom".to_owned(),
            Happening::Paused => "pause".to_owned(),
            Happening::Unpaused => "unpause".to_owned(),
            Happening::Health(status) => format!("health_status: {status}"),
        };
        let second = SignedDuration::from_secs(1);
        let command = format!(
            "docker events --since {} --until {} --filter container={}",
            (moment.time - second).as_second(),
            (moment.time + second + second).as_second(),
            self.name()
        );
        Fact {
            text: format!("event {text}"),
            source: "event",
            time: moment.time,
            command: Some(command),
        }
    }

    pub(crate) fn deaths(&self, deaths: &[(Timestamp, i64)]) -> Fact {
        let told: Vec<String> = deaths
            .iter()
            .map(|(time, code)| format!("{} exitCode={code}", time.strftime("%H:%M:%S")))
            .collect();
        let since = deaths.first().map_or(0, |(time, _)| time.as_second());
        self.fact(
            "event",
            format!("events die {}", told.join(", ")),
            Some(format!(
                "docker events --since {since} --until 0s --filter container={} --filter event=die",
                self.name()
            )),
        )
    }

    pub(crate) fn listeners(&self) -> Option<Fact> {
        let listeners = self.observation.listeners.as_ref()?;
        let mut told: Vec<String> = listeners
            .iter()
            .map(|one| {
                format!(
                    "{}{}",
                    if one.loopback { "127.0.0.1:" } else { "*:" },
                    one.port
                )
            })
            .collect();
        told.dedup();
        let text = if told.is_empty() {
            "no TCP port in state LISTEN".to_owned()
        } else {
            format!("LISTEN {}", told.join(" "))
        };
        let pid = self.observation.state()?.pid?;
        Some(self.fact(
            "process",
            text,
            Some(format!("sudo nsenter -t {pid} -n ss -ltn")),
        ))
    }

    pub(crate) fn processes(&self) -> Option<Fact> {
        let processes = &self.observation.processes;
        if processes.is_empty() {
            return None;
        }
        let told: Vec<String> = processes
            .iter()
            .take(8)
            .map(|process| format!("{} {}", process.pid, process.name))
            .collect();
        let more = if processes.len() > 8 { ", …" } else { "" };
        let count = words::count(processes.len() as u64, "process", "processes");
        let source = match self.observation.processes_from {
            ProcessSource::Engine => "engine",
            _ => "process",
        };
        Some(self.fact(
            source,
            format!("{count}: {}{more}", told.join(", ")),
            Some(format!("docker top {}", self.name())),
        ))
    }

    pub(crate) fn zombies(&self) -> Fact {
        let zombies: Vec<String> = self
            .observation
            .processes
            .iter()
            .filter(|process| process.state == 'Z')
            .take(8)
            .map(|process| format!("{} {}", process.pid, process.name))
            .collect();
        let command = format!("docker top {} -eo pid,ppid,stat,args", self.name());
        self.fact(
            "process",
            format!("state Z: {}", zombies.join(", ")),
            Some(command),
        )
    }

    pub(crate) fn missing_variable(&self, name: &str, from: Option<&str>) -> Fact {
        let from = from.map(|from| format!(" ({from})")).unwrap_or_default();
        self.fact(
            "manifest",
            format!("container env has no {name}; manifest says required{from}"),
            Some(self.variable_names()),
        )
    }

    pub(crate) fn variables(&self, state: &ContainerState) -> Fact {
        let text = words::count(state.env.len() as u64, "variable", "variables");
        self.fact(
            "engine",
            format!("container env has {text}"),
            Some(self.variable_names()),
        )
    }

    /// Names only: values are nobody's business on a terminal.
    fn variable_names(&self) -> String {
        format!(
            "docker inspect -f '{{{{range .Config.Env}}}}{{{{println .}}}}{{{{end}}}}' {} | cut -d= -f1",
            self.name()
        )
    }

    pub(crate) fn meant_ports(&self) -> Option<Fact> {
        let meant = self.observation.subject.meant.as_ref()?;
        let ports: Vec<String> = meant.ports().iter().map(ToString::to_string).collect();
        let text = format!(
            "manifest: container {} has ports [{}]",
            meant.container,
            ports.join(", ")
        );
        Some(self.fact("manifest", text, Some(self.registry()?)))
    }

    pub(crate) fn meant(&self) -> Option<Fact> {
        let meant = self.observation.subject.meant.as_ref()?;
        let text = format!("build {}, image {}", meant.build_hash, meant.image_digest);
        Some(self.fact("manifest", text, Some(self.registry()?)))
    }

    fn registry(&self) -> Option<String> {
        let hash = &self.observation.subject.meant.as_ref()?.build_hash;
        let digits = hash.strip_prefix("sha256:").unwrap_or(hash);
        Some(format!(
            "ergon registry show {}",
            digits.get(..12).unwrap_or(digits)
        ))
    }

    pub(crate) fn image(&self, state: &ContainerState) -> Fact {
        self.inspect(
            format!("image {} ({})", state.image_id, state.image),
            "{{.Image}} {{.Config.Image}}",
        )
    }

    pub(crate) fn published(&self, state: &ContainerState) -> Fact {
        let told: Vec<String> = state
            .ports
            .iter()
            .map(|port| format!("{}:{} → {}", port.address, port.host, port.container))
            .collect();
        let told = if told.is_empty() {
            "nothing".to_owned()
        } else {
            told.join(", ")
        };
        self.fact(
            "engine",
            format!("published: {told}"),
            Some(format!("docker port {}", self.name())),
        )
    }

    /// How much of the log was read, and what was counted in it.
    pub(crate) fn log_digest(&self, digest: &LogDigest) -> Fact {
        let lines = words::count(digest.lines, "line", "lines");
        let text = format!(
            "{lines} of log read, {}, {}",
            words::count(digest.errors, "error", "errors"),
            words::count(digest.warnings, "warning", "warnings")
        );
        let since = digest
            .since
            .map(|since| format!("--since {} ", since.as_second()))
            .unwrap_or_default();
        self.fact(
            "log",
            text,
            Some(format!("docker logs {since}{}", self.name())),
        )
    }

    /// The last line of a kind, as it was written.
    pub(crate) fn template(&self, template: &LogTemplate) -> Fact {
        let command = format!(
            "docker logs --timestamps --since {} --until {} {}",
            template.last.as_second(),
            template.last.as_second() + 1,
            self.name()
        );
        Fact {
            text: words::cut(&template.sample, 300),
            source: "log",
            time: template.last,
            command: Some(command),
        }
    }

    pub(crate) fn log(&self, record: &LogRecord) -> Fact {
        Fact {
            text: words::cut(record.text.trim(), 300),
            source: "log",
            time: record.time.unwrap_or(self.observation.time),
            command: Some(format!("docker logs --tail 20 {}", self.name())),
        }
    }
}
