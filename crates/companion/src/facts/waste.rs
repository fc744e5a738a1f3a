//! The evidence of what is wasteful: limits, arguments, and figures over a time.

use ergon_engine::ContainerState;
use jiff::Timestamp;

use super::Facts;
use crate::evidence::Fact;
use crate::observation::{LogDigest, LogTemplate};
use crate::{FoundService, Point, words};

impl Facts<'_> {
    pub(crate) fn memory_limit(&self, state: &ContainerState) -> Fact {
        let limit = state
            .memory_limit
            .map_or("no memory limit".to_owned(), |limit| {
                format!("memory limit {limit} bytes")
            });
        self.inspect(limit, "{{.HostConfig.Memory}}")
    }

    /// The most memory that was in use.
    pub(crate) fn peak(&self, points: &[Point]) -> Option<Fact> {
        let peak = points.iter().max_by_key(|point| point.memory_peak)?;
        let at = Timestamp::from_second(peak.time).ok()?;
        let text = format!("memory at most {} bytes at {at}", peak.memory_peak);
        self.over(points, &text)
    }

    pub(crate) fn throttled(&self, points: &[Point], share: u64) -> Option<Fact> {
        let share = words::percent(u32::try_from(share).unwrap_or(u32::MAX));
        self.over(points, &format!("throttled in {share} of periods"))
    }

    pub(crate) fn processor_mean(&self, points: &[Point], share: u64) -> Option<Fact> {
        let share = words::percent(u32::try_from(share).unwrap_or(u32::MAX));
        self.over(points, &format!("{share} of a processor on average"))
    }

    /// Something counted over a time, with how to see it.
    fn over(&self, points: &[Point], what: &str) -> Option<Fact> {
        let counted = self.counted(points)?;
        Some(Fact {
            text: format!("{what}; {}", counted.text),
            ..counted
        })
    }

    pub(crate) fn processors_allowed(&self, nano: u64) -> Option<Fact> {
        let pid = self.observation.state()?.pid?;
        let signals = &self.observation.signals;
        let quota = signals.processor.as_ref().and_then(|used| used.quota);
        let machine = signals.machine.processors;
        let text = format!(
            "{} processors: {} of the machine's, quota {}",
            crate::findings::in_processors(nano),
            machine.map_or("all".to_owned(), |count| count.to_string()),
            quota.map_or("none".to_owned(), crate::findings::in_processors),
        );
        Some(self.fact(
            "cgroup",
            text,
            Some(format!(
                "grep Cpus_allowed_list /proc/{pid}/status; docker inspect -f '{{{{.HostConfig.NanoCpus}}}}' {}",
                self.name()
            )),
        ))
    }

    pub(crate) fn workers(&self, service: &FoundService, count: u64, told: Option<&str>) -> Fact {
        let told = told
            .map(|told| format!(", started with `{told}`"))
            .unwrap_or_default();
        let count = words::count(count, "worker process", "worker processes");
        self.fact(
            "process",
            format!("{} {} has {count}{told}", service.name, service.pid),
            Some(format!("docker top {} -eo pid,ppid,rss,args", self.name())),
        )
    }

    /// An argument of the command line; none of those that are looked for is a secret.
    pub(crate) fn argument(&self, words: &str) -> Fact {
        self.fact(
            "process",
            format!("started with `{words}`"),
            Some(format!("docker top {} -eo args", self.name())),
        )
    }

    pub(crate) fn variable(&self, name: &str, value: &str) -> Fact {
        self.inspect(format!("{name}={value}"), "{{json .Config.Env}}")
    }

    /// The program, without its arguments.
    pub(crate) fn command(&self, state: &ContainerState) -> Fact {
        let program = state.command.first().map_or("", String::as_str);
        self.inspect(
            format!("`{program}` is started without a bound"),
            "{{json .Path}} {{json .Args}}",
        )
    }

    /// So many of all lines.
    pub(crate) fn log_share(&self, digest: &LogDigest, lines: u64) -> Fact {
        let since = digest
            .since
            .map(|since| format!(" since {since}"))
            .unwrap_or_default();
        let command = format!("docker logs --timestamps --tail 1000 {}", self.name());
        self.fact(
            "log",
            format!("{lines} of {} lines{since}", digest.lines),
            Some(command),
        )
    }

    pub(crate) fn log_sample(&self, template: &LogTemplate) -> Fact {
        Fact {
            text: words::cut(&template.sample, 200),
            source: "log",
            time: template.last,
            command: Some(format!("docker logs --tail 20 {}", self.name())),
        }
    }
}
