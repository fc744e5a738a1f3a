//! The companion of the stack itself, kind `tekton`.

use jiff::Timestamp;

use crate::evidence::{Book, Fact};
use crate::{Finding, Reply, words};

/// What is known of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackFacts {
    /// The stack's name, which is its companion's.
    pub name: String,
    pub version: String,
    pub started_at: Timestamp,
    /// The engine in one line, or why there is none.
    pub engine: Result<String, String>,
    pub projects: u64,
    pub builds: u64,
    pub companions: u64,
    pub containers_well: u64,
    /// Names of containers that are unwell.
    pub unwell: Vec<String>,
    /// Names of containers that do not run.
    pub stopped: Vec<String>,
    /// Jobs that run or wait.
    pub active_jobs: u64,
}

/// Answers for the stack: what runs, how it is, with which engine.
pub fn answer(question: &str, stack: &StackFacts, now: Timestamp) -> Reply {
    let mut book = Book::default();
    let fact = |source: &'static str, text: String, command: &str| Fact {
        text,
        source,
        time: now,
        command: Some(command.to_owned()),
    };
    let total = stack.containers_well + (stack.unwell.len() + stack.stopped.len()) as u64;
    let mut findings = Vec::new();
    let mut find = |id: &str, severity: &str, text: String, number: u32, remedy: Option<&str>| {
        findings.push(Finding {
            id: id.to_owned(),
            severity: severity.to_owned(),
            text,
            evidence: vec![number],
            remedy: remedy.map(str::to_owned),
        });
    };

    let engine = match &stack.engine {
        Ok(engine) => {
            let number = book.number(&fact("engine", engine.clone(), "docker version"));
            format!("I run containers with {engine} [{number}].")
        }
        Err(reason) => {
            let reason = reason.trim_end_matches('.');
            let number = book.number(&fact("engine", reason.to_owned(), "docker version"));
            find(
                "engine.unreachable",
                "critical",
                format!("I cannot run containers: {reason}."),
                number,
                None,
            );
            format!("I cannot run containers: {reason} [{number}].")
        }
    };
    let listed = format!(
        "{total} containers: {} well, {} unwell, {} stopped",
        stack.containers_well,
        stack.unwell.len(),
        stack.stopped.len()
    );
    let listed = book.number(&fact("source", listed, "aish list"));
    if !stack.unwell.is_empty() {
        let text = format!("Unwell: {}.", words::list(&stack.unwell));
        find(
            "containers.unwell",
            "critical",
            text,
            listed,
            Some("Ask their companions: `aish list`."),
        );
    }
    let mut containers = words::count(total, "container", "containers");
    if total > 0 {
        let mut parts = vec![format!("{} well", stack.containers_well)];
        if !stack.unwell.is_empty() {
            parts.push(format!(
                "{} unwell ({})",
                stack.unwell.len(),
                words::list(&stack.unwell)
            ));
        }
        if !stack.stopped.is_empty() {
            parts.push(format!(
                "{} stopped ({})",
                stack.stopped.len(),
                words::list(&stack.stopped)
            ));
        }
        containers.push_str(&format!(", {}", words::list(&parts)));
    }
    let opening = if findings.is_empty() {
        "I'm well"
    } else {
        "Not all is well"
    };
    let mut content = format!(
        "{opening}. Stack {}, Ergon {}, up {}. {engine}\nI know {}, {}, {containers} [{listed}], and {} in my directory.",
        stack.name,
        stack.version,
        words::duration(now.duration_since(stack.started_at)),
        words::count(stack.projects, "project", "projects"),
        words::count(stack.builds, "build", "builds"),
        words::count(stack.companions, "companion", "companions"),
    );
    if stack.active_jobs > 0 {
        content.push_str(&format!(
            " {} now.",
            words::count(stack.active_jobs, "job runs", "jobs run")
        ));
    }
    if question.to_lowercase().contains("help") {
        content.push_str("\nAsk a companion by its name: `aish list` shows who is there.");
    }
    Reply {
        from: stack.name.clone(),
        content,
        findings,
        evidence: book.into_evidence(),
        ..Reply::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack() -> StackFacts {
        StackFacts {
            name: "ergon".to_owned(),
            version: "0.1.0".to_owned(),
            started_at: Timestamp::UNIX_EPOCH,
            engine: Ok("Docker 20.10.24 (API 1.41), overlay2".to_owned()),
            projects: 1,
            builds: 2,
            companions: 3,
            containers_well: 1,
            unwell: Vec::new(),
            stopped: Vec::new(),
            active_jobs: 0,
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(180).expect("a time")
    }

    #[test]
    fn a_stack_tells_what_it_runs() {
        let reply = answer("status", &stack(), now());
        insta::assert_snapshot!(reply.content, @"
        I'm well. Stack ergon, Ergon 0.1.0, up 3 min. I run containers with Docker 20.10.24 (API 1.41), overlay2 [1].
        I know 1 project, 2 builds, 1 container, 1 well [2], and 3 companions in my directory.
        ");
        assert!(reply.findings.is_empty());
    }

    #[test]
    fn what_is_wrong_comes_first_and_is_a_finding() {
        let stack = StackFacts {
            engine: Err("no container engine answers at /var/run/docker.sock".to_owned()),
            unwell: vec!["worker".to_owned()],
            stopped: vec!["web".to_owned()],
            active_jobs: 1,
            ..stack()
        };
        let reply = answer("how are you", &stack, now());
        insta::assert_snapshot!(reply.content, @"
        Not all is well. Stack ergon, Ergon 0.1.0, up 3 min. I cannot run containers: no container engine answers at /var/run/docker.sock [1].
        I know 1 project, 2 builds, 3 containers, 1 well, 1 unwell (worker) and 1 stopped (web) [2], and 3 companions in my directory. 1 job runs now.
        ");
        let ids: Vec<&str> = reply
            .findings
            .iter()
            .map(|finding| finding.id.as_str())
            .collect();
        assert_eq!(ids, ["engine.unreachable", "containers.unwell"]);
    }
}
