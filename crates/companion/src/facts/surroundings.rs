//! Evidence of what surrounds the program: disks, limits, networks and neighbours.

use ergon_engine::ContainerState;
use jiff::Timestamp;

use super::Facts;
use crate::evidence::Fact;
use crate::observation::{
    Certificate, ConnectionState, Descriptors, Disk, Drift, Neighbour, Tasks,
};
use crate::words;

impl Facts<'_> {
    /// How often a line came in which time.
    pub(crate) fn log_rate(
        &self,
        count: usize,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
    ) -> Fact {
        let span = first
            .zip(last)
            .map(|(first, last)| format!(" in {:.1} s", last.duration_since(first).as_secs_f64()))
            .unwrap_or_default();
        self.fact(
            "log",
            format!("{count} such lines{span}"),
            Some(format!(
                "docker logs --timestamps --tail 200 {}",
                self.name()
            )),
        )
    }

    pub(crate) fn disk(&self, disk: &Disk) -> Fact {
        let text = format!(
            "{} ({}): {} of {} bytes free, {} of {} files free{}",
            disk.mount,
            disk.kind,
            disk.free,
            disk.size,
            disk.files_free,
            disk.files,
            if disk.read_only { ", read-only" } else { "" }
        );
        self.fact(
            "disk",
            text,
            Some(format!("docker exec {} df -h {}", self.name(), disk.mount)),
        )
    }

    pub(crate) fn user(&self, state: &ContainerState) -> Fact {
        let user = if state.user.is_empty() {
            "none, so root"
        } else {
            &state.user
        };
        self.inspect(format!("user {user}"), "{{.Config.User}}")
    }

    pub(crate) fn created(&self, state: &ContainerState) -> Fact {
        let created = state
            .created_at
            .map_or("unknown".to_owned(), |time| time.to_string());
        self.inspect(format!("created {created}"), "{{.Created}}")
    }

    pub(crate) fn network(&self, state: &ContainerState) -> Fact {
        let networks: Vec<&str> = state.networks.keys().map(String::as_str).collect();
        let text = format!(
            "network mode {}, networks: {}",
            state.network_mode,
            if networks.is_empty() {
                "none".to_owned()
            } else {
                networks.join(", ")
            }
        );
        self.inspect(text, "{{json .NetworkSettings.Networks}}")
    }

    pub(crate) fn unset_variable(&self, name: &str) -> Fact {
        self.fact(
            "engine",
            format!("container env has no {name}"),
            Some(self.variable_names()),
        )
    }

    pub(crate) fn descriptors(&self, one: &Descriptors) -> Fact {
        let limit = one
            .limit
            .map_or("no limit".to_owned(), |limit| format!("limit {limit}"));
        self.fact(
            "process",
            format!(
                "process {} ({}) has {} open files, {limit}",
                one.pid, one.name, one.open
            ),
            Some(format!(
                "sudo ls /proc/{0}/fd | wc -l; grep 'open files' /proc/{0}/limits",
                one.pid
            )),
        )
    }

    pub(crate) fn tasks(&self, tasks: Tasks) -> Fact {
        let limit = tasks
            .limit
            .map_or("no limit".to_owned(), |limit| format!("limit {limit}"));
        self.fact(
            "cgroup",
            format!("{} processes and threads, {limit}", tasks.now),
            Some(format!("docker stats --no-stream {}", self.name())),
        )
    }

    pub(crate) fn processor_use(&self) -> Option<Fact> {
        let used = self.observation.signals.processor.as_ref()?;
        let mut text = format!(
            "nr_periods {}, nr_throttled {}, throttled {} ns",
            used.periods, used.throttled_periods, used.throttled
        );
        if let Some(share) = used.share {
            text.push_str(&format!("; {} of a processor", words::percent(share)));
        }
        if let Some(share) = used.throttled_share {
            text.push_str(&format!(
                "; throttled in {} of periods",
                words::percent(share)
            ));
        }
        Some(self.fact(
            "cgroup",
            text,
            Some(format!("cat {}/cpu.stat", used.folder)),
        ))
    }

    pub(crate) fn certificate(&self, certificate: &Certificate) -> Fact {
        self.fact(
            "probe",
            format!(
                "port {} shows {}, valid from {} to {}",
                certificate.port,
                certificate.subject,
                certificate.not_before,
                certificate.not_after
            ),
            Some(format!(
                "docker exec {} sh -c 'openssl s_client -connect localhost:{} </dev/null | openssl x509 -noout -subject -dates'",
                self.name(),
                certificate.port
            )),
        )
    }

    /// Connections that were made and that the program has not taken.
    pub(crate) fn waiting(&self) -> Option<Fact> {
        let listeners = self.observation.listeners.as_ref()?;
        let waiting = listeners.iter().find(|one| one.waiting > 0)?;
        let pid = self.observation.state()?.pid?;
        Some(self.fact(
            "process",
            format!(
                "LISTEN *:{} with {} connections that nobody has taken",
                waiting.port, waiting.waiting
            ),
            Some(format!("sudo nsenter -t {pid} -n ss -ltn")),
        ))
    }

    pub(crate) fn neighbour(&self, neighbour: &Neighbour) -> Fact {
        let mut text = format!(
            "container {} is {}",
            neighbour.name,
            if neighbour.running {
                "running"
            } else {
                "not running"
            }
        );
        if let Some(code) = neighbour.exit_code.filter(|_| !neighbour.running) {
            text.push_str(&format!(", exit code {code}"));
        }
        if let Some(stopped) = neighbour.stopped_at.filter(|_| !neighbour.running) {
            text.push_str(&format!(", finished {stopped}"));
        }
        if neighbour.running {
            let ports: Vec<String> = neighbour.ports.iter().map(ToString::to_string).collect();
            text.push_str(&format!(", LISTEN [{}]", ports.join(", ")));
        }
        self.fact(
            "engine",
            text,
            Some(format!(
                "docker inspect -f '{{{{json .State}}}}' {}",
                neighbour.name
            )),
        )
    }

    /// Connections that were asked for and not answered, to that port where one is known.
    pub(crate) fn attempts(&self, port: Option<u16>) -> Option<Fact> {
        let attempts: Vec<String> = self
            .observation
            .signals
            .connections
            .iter()
            .filter(|one| one.state == ConnectionState::SynSent)
            .filter(|one| port.is_none_or(|port| one.remote.1 == port))
            .map(|one| format!("{}:{}", one.remote.0, one.remote.1))
            .collect();
        let first = attempts.first()?;
        let pid = self.observation.state()?.pid?;
        Some(self.fact(
            "process",
            format!("SYN-SENT {first}, {} in all", attempts.len()),
            Some(format!("sudo nsenter -t {pid} -n ss -tn state syn-sent")),
        ))
    }

    pub(crate) fn drift(&self, drift: &Drift) -> Fact {
        let more = if drift.is_cut { " at least" } else { "" };
        self.fact(
            "engine",
            format!("{}{more} files in its own layer differ", drift.files.len()),
            Some(format!("docker diff {}", self.name())),
        )
    }

    pub(crate) fn built_user(&self, user: &str) -> Fact {
        self.fact(
            "manifest",
            format!("what Ergon builds runs as {user}"),
            Some(format!(
                "docker inspect -f '{{{{.Config.User}}}}' {}",
                self.name()
            )),
        )
    }
}
