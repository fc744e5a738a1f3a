//! One answer for each thing a person may want to know in detail.

use ergon_engine::ContainerState;
use jiff::SignedDuration;

use super::measures::Measure;
use super::state::clock;
use super::{Speaker, standing};
use crate::evidence::Book;
use crate::observation::ProcessSource;
use crate::{FoundService, Meant, words};

impl Speaker<'_> {
    pub(super) fn services(&self, state: &ContainerState, book: &mut Book) -> String {
        if !state.is_running() {
            return format!(
                "No process of mine runs: I am {}{}.",
                standing(state),
                book.cite([&self.facts.exit(state)])
            );
        }
        let observation = self.observation;
        if observation.processes.is_empty() {
            return "I cannot see my processes: neither /proc nor the engine shows them."
                .to_owned();
        }
        let cited = book.cite(&self.facts.processes());
        let count = words::count(observation.processes.len() as u64, "process", "processes");
        let how = if observation.processes_from == ProcessSource::Engine {
            ", as the engine lists them"
        } else {
            ""
        };
        match &observation.services[..] {
            [] => format!("I found no service I know among {count}{how}{cited}."),
            [one] => format!(
                "I found one service among {count}{how}: {}{cited}.",
                described(one)
            ),
            many => {
                let lines: Vec<String> = many
                    .iter()
                    .map(|service| format!("- {}", described(service)))
                    .collect();
                format!(
                    "I found {} services among {count}{how}{cited}:\n{}",
                    many.len(),
                    lines.join("\n")
                )
            }
        }
    }

    pub(super) fn ports(&self, state: &ContainerState, book: &mut Book) -> String {
        if !state.is_running() {
            return format!(
                "I listen on nothing: I am {}{}.",
                standing(state),
                book.cite([&self.facts.exit(state)])
            );
        }
        let listening = match &self.observation.listeners {
            None => "I cannot read my sockets.".to_owned(),
            Some(listeners) => {
                let mut open: Vec<String> = Vec::new();
                for listener in listeners {
                    let services = &self.observation.services;
                    let owner = services
                        .iter()
                        .find(|service| service.ports.contains(&listener.port));
                    let owner = owner
                        .map(|service| format!(" ({})", service.name))
                        .unwrap_or_default();
                    let inside = if listener.loopback {
                        ", inside the container only"
                    } else {
                        ""
                    };
                    let told = format!("{}{owner}{inside}", listener.port);
                    if !open.contains(&told) {
                        open.push(told);
                    }
                }
                let cited = book.cite(&self.facts.listeners());
                match open.len() {
                    0 => format!("I listen on no TCP port{cited}."),
                    1 => format!("I listen on TCP port {}{cited}.", open[0]),
                    _ => format!("I listen on TCP ports {}{cited}.", words::list(&open)),
                }
            }
        };
        let published: Vec<String> = state
            .ports
            .iter()
            .map(|port| format!("{}:{} for {}", port.address, port.host, port.container))
            .collect();
        let cited = book.cite([&self.facts.published(state)]);
        if published.is_empty() {
            format!("{listening} The host publishes none of my ports{cited}.")
        } else {
            format!(
                "{listening} The host answers at {}{cited}.",
                words::list(&published)
            )
        }
    }

    pub(super) fn memory(&self, state: &ContainerState, book: &mut Book) -> String {
        if !state.is_running() {
            let mut text = format!(
                "I am {} and use no memory{}",
                standing(state),
                book.cite([&self.facts.exit(state)])
            );
            if let Some(sample) = self.observation.history.last_sample {
                let cited = book.cite(&self.facts.last_sample());
                text.push_str(&format!(
                    "; I used {} before{cited}",
                    words::bytes(sample.memory)
                ));
            }
            return format!("{text}.");
        }
        let Some(memory) = &self.observation.memory else {
            return "I cannot read how much memory I use: neither my cgroup nor the engine tells."
                .to_owned();
        };
        let limit = match memory.limit {
            Some(limit) => {
                format!(
                    " of {} ({} %)",
                    words::bytes(limit),
                    memory.used.saturating_mul(100) / limit.max(1)
                )
            }
            None => ", and no limit is set".to_owned(),
        };
        let cited = book.cite(&self.facts.memory());
        let mut text = format!(
            "I use {} of memory{limit}{cited}.",
            words::bytes(memory.used)
        );
        if memory.oom_kills == Some(0) {
            let cited = book.cite(&self.facts.oom_kills());
            text.push_str(&format!(
                " The kernel killed none of my processes for want of it{cited}."
            ));
        }
        self.and_before(text, Measure::Memory, book)
    }

    pub(super) fn processor(&self, state: &ContainerState, book: &mut Book) -> String {
        if !state.is_running() {
            let cited = book.cite([&self.facts.exit(state)]);
            return format!("I am {} and use no processor time{cited}.", standing(state));
        }
        let (Some(nanoseconds), Some(uptime)) =
            (self.observation.processor, self.observation.uptime())
        else {
            return "I cannot read how much processor time I use.".to_owned();
        };
        let seconds = nanoseconds as f64 / 1e9;
        let share = 100.0 * seconds / uptime.as_secs_f64().max(1.0);
        let text = format!(
            "I used {seconds:.1} s of processor time since I started {} ago, {share:.1} % of one core on average{}.",
            words::duration(uptime),
            book.cite(&self.facts.processor())
        );
        self.and_before(text, Measure::Processor, book)
    }

    /// What is now, and what was counted before.
    fn and_before(&self, mut text: String, measure: Measure, book: &mut Book) -> String {
        if let Some(before) = self.over_time(measure, book) {
            text.push_str(&format!(" {before}"));
        }
        text
    }

    pub(super) fn uptime(&self, state: &ContainerState, book: &mut Book) -> String {
        let Some(uptime) = self.observation.uptime() else {
            return self.stopped(state, book);
        };
        let since = state
            .started_at
            .map(|time| format!(", since {}", clock(time)))
            .unwrap_or_default();
        let restarts = match state.restart_count {
            0 => "the engine has never restarted me".to_owned(),
            count => format!(
                "the engine restarted me {}",
                words::count(count, "time", "times")
            ),
        };
        let mut text = format!(
            "I have been up for {}{since}; {restarts}{}. Restart policy is \"{}\"{}.",
            words::duration(uptime),
            book.cite([&self.facts.started(state)]),
            state.restart_policy,
            book.cite([&self.facts.restart_policy(state)])
        );
        let crashes = self
            .observation
            .history
            .crashes(self.observation.time - SignedDuration::from_hours(24));
        if !crashes.is_empty() {
            let count = words::count(crashes.len() as u64, "time", "times");
            let cited = book.cite([&self.facts.deaths(&crashes)]);
            text.push_str(&format!(
                " I ended unasked {count} in the last 24 h{cited}."
            ));
        }
        text
    }

    pub(super) fn environment(&self, state: &ContainerState, book: &mut Book) -> String {
        let is_set = |name: &str| state.env.get(name).is_some_and(|value| !value.is_empty());
        let cited = book.cite([&self.facts.variables(state)]);
        let variables = self
            .observation
            .subject
            .meant
            .as_ref()
            .map(Meant::variables)
            .unwrap_or_default();
        if variables.is_empty() {
            let names: Vec<&str> = state.env.keys().map(String::as_str).collect();
            let told = if names.is_empty() {
                "no variables".to_owned()
            } else {
                names.join(", ")
            };
            return format!(
                "My environment has {told}{cited}. I do not show values, and I know of none that is required."
            );
        }
        let lines: Vec<String> = variables
            .iter()
            .map(|(name, variable)| {
                let from = variable
                    .from
                    .as_ref()
                    .map(|from| format!(", read at {from}"))
                    .unwrap_or_default();
                let set = match (is_set(name), &variable.default, variable.required) {
                    (true, ..) => "set".to_owned(),
                    (false, Some(default), _) => {
                        format!("not set; the program takes \"{default}\"")
                    }
                    (false, None, true) => {
                        let fact = self.facts.missing_variable(name, variable.from.as_deref());
                        format!("not set, and required{}", book.cite([&fact]))
                    }
                    (false, None, false) => "not set, and optional".to_owned(),
                };
                format!("- {name}: {set}{from}")
            })
            .collect();
        format!(
            "What my program reads from its environment{cited} (I do not show values):\n{}",
            lines.join("\n")
        )
    }

    pub(super) fn identity(&self, state: &ContainerState, book: &mut Book) -> String {
        let subject = &self.observation.subject;
        let mut text = format!(
            "I am {}, the companion of container {} ({}), which runs image {}{}.",
            subject.companion,
            subject.container,
            state.short_id(),
            state.image,
            book.cite([&self.facts.image(state)])
        );
        match &subject.meant {
            None => {
                text.push_str(" Ergon did not build it, so I do not know what it was meant to be.");
            }
            Some(meant) => {
                let applications: Vec<String> = meant
                    .applications()
                    .map(|(name, application)| {
                        let run = application.run_command.as_ref();
                        let run = run
                            .map(|run| format!(", started by `{run}`"))
                            .unwrap_or_default();
                        format!(
                            "{name} ({}, {}{run})",
                            application.kind, application.language
                        )
                    })
                    .collect();
                if !applications.is_empty() {
                    text.push_str(&format!(
                        " It was meant to be {}.",
                        words::list(&applications)
                    ));
                }
                if let Some(digest) = &meant.manifest_digest {
                    text.push_str(&format!(" Manifest {digest}."));
                }
                let cited = book.cite(&self.facts.meant());
                text.push_str(&format!(
                    " Build {}, image digest {}{cited}.",
                    meant.build_hash, meant.image_digest
                ));
            }
        }
        if !subject.capabilities.is_empty() {
            text.push_str(&format!(
                " My capabilities: {}.",
                subject.capabilities.join(", ")
            ));
        }
        text
    }
}

/// `uvicorn (application server) on port 8000, process 4242`.
fn described(service: &FoundService) -> String {
    let ports: Vec<String> = service.ports.iter().map(ToString::to_string).collect();
    let on = match ports.len() {
        0 => String::new(),
        1 => format!(" on port {}", ports[0]),
        _ => format!(" on ports {}", words::list(&ports)),
    };
    let version = service
        .version
        .as_ref()
        .map(|version| format!(" {version}"))
        .unwrap_or_default();
    format!(
        "{}{version} ({}){on}, process {}",
        service.name, service.role, service.pid
    )
}
