//! The companion of a project: answers the six questions from what was read of its sources.

use jiff::Timestamp;

use crate::evidence::{Book, Fact};
use crate::{Finding, Reply, words};

/// What is known of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFacts {
    /// The companion's name.
    pub companion: String,
    pub project: String,
    /// Where its files are.
    pub folder: String,
    pub facts: Vec<ProjectFact>,
    /// What nothing in the project decides, each with what to do about it.
    pub questions: Vec<String>,
    /// Why it could not be read, where it could not.
    pub problem: Option<String>,
}

/// One thing that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFact {
    /// `language`, `dependencies`, `build`, `run`, `ports`, `environment`.
    pub topic: String,
    pub value: String,
    pub note: Option<String>,
    /// `file:line`; empty where it is assumed.
    pub from: String,
}

/// One of the six questions.
struct Topic {
    key: &'static str,
    title: &'static str,
    /// What is said where nothing was found.
    nothing: &'static str,
    words: &'static [&'static str],
}

const TOPICS: [Topic; 6] = [
    Topic {
        key: "language",
        title: "Language and framework",
        nothing: "I could not tell",
        words: &[
            "language",
            "framework",
            "written",
            "stack",
            "runtime",
            "version",
            "python",
            "node",
            "what",
        ],
    },
    Topic {
        key: "dependencies",
        title: "Dependencies",
        nothing: "none that I found",
        words: &[
            "dependencies",
            "dependency",
            "requires",
            "packages",
            "libraries",
            "library",
            "needs",
            "pinned",
            "lock",
            "database",
            "services",
        ],
    },
    Topic {
        key: "build",
        title: "Build",
        nothing: "no build commands",
        words: &[
            "build",
            "built",
            "compile",
            "install",
            "installed",
            "building",
        ],
    },
    Topic {
        key: "run",
        title: "Run",
        nothing: "I found no command that starts it",
        words: &[
            "run",
            "start",
            "started",
            "command",
            "entrypoint",
            "launch",
            "health",
            "runs",
            "starts",
            "running",
        ],
    },
    Topic {
        key: "ports",
        title: "Ports",
        nothing: "none",
        words: &["port", "ports", "listen", "listens", "address", "url"],
    },
    Topic {
        key: "environment",
        title: "Environment",
        nothing: "it reads no variables that I found",
        words: &[
            "environment",
            "env",
            "variable",
            "variables",
            "vars",
            "configuration",
            "config",
            "settings",
            "secrets",
        ],
    },
];

/// Answers what is asked of the six questions; all of them where nothing in particular is.
pub fn answer(question: &str, project: &ProjectFacts, now: Timestamp) -> Reply {
    let mut book = Book::default();
    let mut lines = Vec::new();
    let mut findings = Vec::new();
    if let Some(problem) = &project.problem {
        let fact = Fact {
            text: problem.clone(),
            source: "source",
            time: now,
            command: None,
        };
        let number = book.number(&fact);
        lines.push(format!(
            "I could not read {}: {} [{number}].",
            project.project,
            problem.trim_end_matches('.')
        ));
        findings.push(Finding {
            id: "source.unreadable".to_owned(),
            severity: "critical".to_owned(),
            text: format!("{}.", problem.trim_end_matches('.')),
            evidence: vec![number],
            remedy: None,
        });
    } else {
        let asked = asked(question);
        let all = asked.is_empty();
        if all {
            lines.push(format!(
                "I am {}, the companion of project {} in {}.",
                project.companion, project.project, project.folder
            ));
        }
        for topic in TOPICS
            .iter()
            .filter(|topic| all || asked.contains(&topic.key))
        {
            lines.push(told(topic, project, now, &mut book));
        }
        if all && !project.questions.is_empty() {
            let count = words::count(
                project.questions.len() as u64,
                "open question",
                "open questions",
            );
            lines.push(format!("{count}:\n- {}", project.questions.join("\n- ")));
        }
    }
    Reply {
        from: project.companion.clone(),
        content: lines.join("\n"),
        findings,
        evidence: book.into_evidence(),
        ..Reply::default()
    }
}

fn told(topic: &Topic, project: &ProjectFacts, now: Timestamp, book: &mut Book) -> String {
    let facts: Vec<String> = project
        .facts
        .iter()
        .filter(|fact| fact.topic == topic.key)
        .map(|fact| {
            let note = fact
                .note
                .as_ref()
                .map(|note| format!(" ({note})"))
                .unwrap_or_default();
            let cited = evidence(fact, project, now)
                .map(|fact| book.cite([&fact]))
                .unwrap_or_default();
            format!("{}{note}{cited}", fact.value)
        })
        .collect();
    match &facts[..] {
        [] => format!("{}: {}.", topic.title, topic.nothing),
        facts => format!("{}: {}.", topic.title, facts.join("; ")),
    }
}

/// The line of the source a fact was read from.
fn evidence(fact: &ProjectFact, project: &ProjectFacts, now: Timestamp) -> Option<Fact> {
    if fact.from.is_empty() {
        return None;
    }
    let command = fact.from.rsplit_once(':').and_then(|(file, line)| {
        let line: u32 = line.parse().ok()?;
        // A name that a shell would read differently is not put into a command.
        let plain = |text: &str| {
            text.chars()
                .all(|c| c.is_alphanumeric() || "/._-+@ ".contains(c))
        };
        (plain(file) && plain(&project.folder))
            .then(|| format!("sed -n {line}p '{}/{file}'", project.folder))
    });
    Some(Fact {
        text: format!("{}: {}", fact.from, fact.value),
        source: "source",
        time: now,
        command,
    })
}

/// Which of the six a question names.
fn asked(question: &str) -> Vec<&'static str> {
    let question = question
        .chars()
        .take(2000)
        .collect::<String>()
        .to_lowercase();
    let words: Vec<&str> = question
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let mut asked: Vec<&'static str> = TOPICS
        .iter()
        .filter(|topic| {
            topic
                .words
                .iter()
                .filter(|known| **known != "what")
                .any(|known| words.iter().any(|word| alike(word, known)))
        })
        .map(|topic| topic.key)
        .collect();
    // "How do I run the build?", "which language version is it written in": the nouns decide.
    if asked.len() > 1 && asked.contains(&"run") && words.iter().any(|word| alike(word, "build")) {
        asked.retain(|key| *key != "run");
    }
    asked
}

fn alike(word: &str, known: &str) -> bool {
    word == known || (known.len() >= 5 && word.len() >= 5 && strsim::osa_distance(word, known) <= 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> ProjectFacts {
        let fact = |topic: &str, value: &str, note: Option<&str>, from: &str| ProjectFact {
            topic: topic.to_owned(),
            value: value.to_owned(),
            note: note.map(str::to_owned),
            from: from.to_owned(),
        };
        ProjectFacts {
            companion: "shop-ci".to_owned(),
            project: "shop".to_owned(),
            folder: "/src/shop".to_owned(),
            facts: vec![
                fact("language", "Python 3.11", Some("assumed"), ""),
                fact("language", "FastAPI 0.115", None, "requirements.txt:1"),
                fact("run", "uvicorn main:app", None, "main.py:3"),
                fact("ports", "8000", Some("uvicorn's default"), ""),
                fact("environment", "DATABASE_URL", Some("required"), "main.py:9"),
            ],
            questions: vec!["Python version? nothing says; 3.11 assumed".to_owned()],
            problem: None,
        }
    }

    fn content(question: &str) -> String {
        answer(question, &project(), Timestamp::UNIX_EPOCH).content
    }

    #[test]
    fn all_six_are_answered_when_nothing_in_particular_is_asked() {
        insta::assert_snapshot!(content("Analyze this project"), @"
        I am shop-ci, the companion of project shop in /src/shop.
        Language and framework: Python 3.11 (assumed); FastAPI 0.115 [1].
        Dependencies: none that I found.
        Build: no build commands.
        Run: uvicorn main:app [2].
        Ports: 8000 (uvicorn's default).
        Environment: DATABASE_URL (required) [3].
        1 open question:
        - Python version? nothing says; 3.11 assumed
        ");
    }

    #[test]
    fn one_question_gets_one_answer() {
        insta::assert_snapshot!(content("which framework is it?"), @"Language and framework: Python 3.11 (assumed); FastAPI 0.115 [1].");
        insta::assert_snapshot!(content("dependancies?"), @"Dependencies: none that I found.");
        insta::assert_snapshot!(content("how do I run it and which ports"), @"
        Run: uvicorn main:app [1].
        Ports: 8000 (uvicorn's default).
        ");
        insta::assert_snapshot!(content("how do I run the build"), @"Build: no build commands.");
    }

    #[test]
    fn evidence_is_the_line_it_was_read_from() {
        let reply = answer("environment", &project(), Timestamp::UNIX_EPOCH);
        assert_eq!(reply.content, "Environment: DATABASE_URL (required) [1].");
        assert_eq!(
            reply.evidence[0].command.as_deref(),
            Some("sed -n 9p '/src/shop/main.py'")
        );
        let mut odd = project();
        odd.facts[4].from = "it's;rm -rf:9".to_owned();
        assert_eq!(
            answer("environment", &odd, Timestamp::UNIX_EPOCH).evidence[0].command,
            None
        );
    }

    #[test]
    fn what_could_not_be_read_is_said() {
        let broken = ProjectFacts {
            problem: Some("the folder is gone".to_owned()),
            ..project()
        };
        let reply = answer("ports", &broken, Timestamp::UNIX_EPOCH);
        insta::assert_snapshot!(reply.content, @"I could not read shop: the folder is gone [1].");
        assert_eq!(reply.findings.len(), 1);
    }
}
