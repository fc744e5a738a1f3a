//! How many workers a server has against the processors it may use.

use super::{PROCESSOR, SHORT, Used, Waste, in_processors};
use crate::FoundService;
use crate::findings::{Look, Severity};
use crate::observation::Process;
use crate::words;

/// How a server is told its number of workers, and how many it should have at most for each processor.
struct Server {
    name: &'static str,
    options: &'static [&'static str],
    per_processor: u64,
}

/// Workers that compute want few; those that wait for others, like PHP's, many.
const SERVERS: [Server; 6] = [
    server("gunicorn", &["-w", "--workers"], 4),
    server("uvicorn", &["--workers"], 4),
    server("puma", &["-w", "--workers"], 4),
    server("celery", &["-c", "--concurrency"], 4),
    server("nginx", &[], 4),
    server("php-fpm", &[], 32),
];

/// Hundredths of a percent of one processor: who uses more than this of it has none left.
const BUSY: u64 = 8000;
/// And whoever uses more than this is not only one worker.
const ONE: u64 = 11_500;

const fn server(
    name: &'static str,
    options: &'static [&'static str],
    per_processor: u64,
) -> Server {
    Server {
        name,
        options,
        per_processor,
    }
}

impl Look<'_> {
    pub(super) fn workers_waste(&self, past: Option<&Used>) -> Vec<Waste> {
        let services = &self.observation.services;
        let of = |service: &FoundService| {
            let server = SERVERS.iter().find(|server| server.name == service.name)?;
            self.many_workers(server, service)
                .or_else(|| self.few_workers(server, service, past))
        };
        services.iter().filter_map(of).collect()
    }

    fn many_workers(&self, server: &Server, service: &FoundService) -> Option<Waste> {
        let allowed = self.processors()?;
        let workers = self.workers(server, service)?;
        let most = allowed.div_ceil(PROCESSOR).max(1) * server.per_processor + 1;
        if workers.count <= most {
            return None;
        }
        let text = format!(
            "{} has {} workers and I may use {} processors: they wait for each other, and each takes memory",
            service.name,
            workers.count,
            in_processors(allowed)
        );
        let facts = self
            .facts
            .workers(service, workers.count, workers.told.as_deref());
        let mut facts = vec![facts];
        facts.extend(self.facts.processors_allowed(allowed));
        let advice = allowed.div_ceil(PROCESSOR).max(1) * 2 + 1;
        let how = match server.options.last() {
            Some(option) => format!("`{option} {advice}`"),
            None if server.name == "nginx" => "`worker_processes` in its configuration".to_owned(),
            None => "`pm.max_children` in its configuration".to_owned(),
        };
        let waste = Waste::new("workers.many", Severity::Info, text, facts);
        Some(waste.remedy(format!("Start fewer: {how}, and measure.")))
    }

    /// One worker that is busy all the time, where there are processors for more.
    fn few_workers(
        &self,
        server: &Server,
        service: &FoundService,
        past: Option<&Used>,
    ) -> Option<Waste> {
        let past = past.filter(|past| past.span() >= SHORT)?;
        let allowed = self.processors()?;
        let option = server.options.last()?;
        let count = self
            .workers(server, service)
            .map_or(1, |workers| workers.count);
        let used = past.mean(|point| point.processor);
        let is_alone = count == 1 && self.observation.services.len() == 1;
        if !is_alone || allowed < 2 * PROCESSOR || !(BUSY..=ONE).contains(&used) {
            return None;
        }
        let text = format!(
            "{} has one worker, which used {} of a processor in the last {}; I may use {} processors",
            service.name,
            words::percent(u32::try_from(used).unwrap_or(u32::MAX)),
            words::duration(past.span()),
            in_processors(allowed)
        );
        let mut facts = vec![self.facts.workers(service, count, None)];
        facts.extend(self.facts.processor_mean(past.points, used));
        facts.extend(self.facts.processors_allowed(allowed));
        let waste = Waste::new("workers.few", Severity::Warning, text, facts);
        let most = (allowed / PROCESSOR).min(4);
        Some(waste.remedy(format!(
            "Start more (`{option} {most}`), where the program keeps no state of its own in memory."
        )))
    }

    /// How many workers a service has; nothing where that cannot be told.
    fn workers(&self, server: &Server, service: &FoundService) -> Option<Workers> {
        let processes = &self.observation.processes;
        let head = processes.iter().find(|one| one.pid == service.pid)?;
        let is_worker = |one: &&Process| {
            one.parent == service.pid
                && one.state != 'Z'
                && !one.command.iter().any(|word| word.contains("resource_tracker"))
                // nginx has others beside them, and a shell may be anybody's.
                && (server.name != "nginx" || one.command.iter().any(|word| word.contains("worker process")))
                && shares_program(head, one)
        };
        let there = processes.iter().filter(is_worker).count() as u64;
        let told = self.told_workers(server, head);
        let count = if there > 0 { there } else { told.as_ref()?.1 };
        Some(Workers {
            count,
            told: told.map(|(words, _)| words),
        })
    }

    /// The argument that says how many: of the process, or of the container, where it gave itself a title.
    fn told_workers(&self, server: &Server, head: &Process) -> Option<(String, u64)> {
        let started = self
            .observation
            .state()
            .map(|state| state.command.as_slice());
        [Some(head.command.as_slice()), started]
            .into_iter()
            .flatten()
            .find_map(|command| option(command, server.options))
    }
}

struct Workers {
    count: u64,
    /// `--workers 16`.
    told: Option<String>,
}

/// Whether a child runs what its parent runs: the kernel's name for it is enough, for titles differ.
fn shares_program(head: &Process, child: &Process) -> bool {
    let first = |process: &Process| {
        let word = process.command.first().map_or("", String::as_str);
        word.split([' ', ':']).next().unwrap_or("").to_owned()
    };
    head.name == child.name || first(head) == first(child)
}

/// `--workers 4`, `--workers=4`, `-w4`; in a shell line as well.
fn option(command: &[String], options: &[&str]) -> Option<(String, u64)> {
    let words: Vec<&str> = command
        .iter()
        .flat_map(|argument| argument.split_ascii_whitespace())
        .collect();
    words.iter().enumerate().find_map(|(at, word)| {
        let (name, own) = options.iter().find_map(|option| {
            let rest = word.strip_prefix(option)?;
            match rest.strip_prefix('=') {
                Some(value) => Some((*option, value)),
                None if rest.is_empty() => Some((*option, *words.get(at + 1)?)),
                None if option.len() == 2 => Some((*option, rest)),
                None => None,
            }
        })?;
        let count = own.parse().ok()?;
        Some((format!("{name} {count}"), count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_workers_is_read_as_it_is_written() {
        let options = ["-w", "--workers"];
        let read = |line: &str| {
            let command: Vec<String> = line.split(' ').map(str::to_owned).collect();
            option(&command, &options).map(|(_, count)| count)
        };
        assert_eq!(read("gunicorn -w 16 app:app"), Some(16));
        assert_eq!(read("gunicorn -w16 app:app"), Some(16));
        assert_eq!(read("gunicorn --workers=8 app:app"), Some(8));
        assert_eq!(read("gunicorn --workers 8"), Some(8));
        assert_eq!(read("gunicorn --worker-class gevent app:app"), None);
        assert_eq!(read("gunicorn -w"), None);
        assert_eq!(read("gunicorn --workers-like 3"), None);
        let shell = [
            "sh".to_owned(),
            "-c".to_owned(),
            "exec gunicorn -w 5 a:b".to_owned(),
        ];
        assert_eq!(option(&shell, &options), Some(("-w 5".to_owned(), 5)));
    }
}
