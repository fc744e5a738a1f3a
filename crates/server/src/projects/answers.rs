//! The six questions of the 🐳 button, answered from facts. Pure: facts in, answers out.

use ergon_detect::analysis::{Analysis, Confidence, Fact, Topic};
use ergon_detect::dockerfile::Line;

use crate::api::{Answer, AnswerFact, LineFact, OpenQuestion};

/// The six questions in their order: topic, title, and what facts answer it.
const QUESTIONS: [(&str, &str, &[Topic]); 6] = [
    (
        "language",
        "Language and framework",
        &[Topic::Language, Topic::Framework, Topic::Runtime],
    ),
    (
        "dependencies",
        "Dependencies",
        &[
            Topic::PackageManager,
            Topic::Dependencies,
            Topic::Lock,
            Topic::Pinned,
            Topic::SystemPackage,
        ],
    ),
    ("build", "Build commands", &[Topic::BuildCommand]),
    ("run", "Run commands", &[Topic::RunCommand, Topic::Health]),
    ("ports", "Ports", &[Topic::Port]),
    (
        "environment",
        "Environment",
        &[Topic::Environment, Topic::Service, Topic::Volume],
    ),
];

/// Which of the six a fact belongs to.
pub fn question_of(topic: Topic) -> &'static str {
    QUESTIONS
        .iter()
        .find(|(_, _, topics)| topics.contains(&topic))
        .map_or("language", |(name, ..)| name)
}

/// The answers; a fact's id is its place among the facts.
pub fn answers(analysis: &Analysis) -> Vec<Answer> {
    let answer = |(topic, title, topics): &(&str, &str, &[Topic])| Answer {
        topic: (*topic).to_owned(),
        title: (*title).to_owned(),
        facts: topics
            .iter()
            .flat_map(|topic| facts(analysis, *topic))
            .collect(),
    };
    QUESTIONS.iter().map(answer).collect()
}

/// What is left to ask.
pub fn questions(analysis: &Analysis) -> Vec<OpenQuestion> {
    let question = |question: &ergon_detect::analysis::Question| OpenQuestion {
        text: question.text.clone(),
        remedy: question.remedy.clone(),
    };
    analysis.questions.iter().map(question).collect()
}

/// For each line of the Dockerfile, the facts it came from.
pub fn line_facts(lines: &[Line], analysis: &Analysis, application: Option<&str>) -> Vec<LineFact> {
    let belongs = |fact: &Fact| match (&fact.application, application) {
        (Some(of), Some(wanted)) => of == wanted,
        _ => true,
    };
    lines
        .iter()
        .filter_map(|line| {
            let facts: Vec<u32> = (0..)
                .zip(&analysis.facts)
                .filter(|(_, fact)| line.topics.contains(&fact.topic) && belongs(fact))
                .map(|(id, _)| id)
                .collect();
            (!facts.is_empty()).then_some(LineFact {
                line: line.number,
                facts,
            })
        })
        .collect()
}

/// The first value that is claimed for a topic.
pub fn value(analysis: &Analysis, topic: Topic) -> Option<String> {
    analysis
        .facts
        .iter()
        .find(|fact| fact.topic == topic)
        .map(|fact| fact.value.clone())
}

fn facts(analysis: &Analysis, topic: Topic) -> impl Iterator<Item = AnswerFact> {
    (0..)
        .zip(&analysis.facts)
        .filter(move |(_, fact)| fact.topic == topic)
        .map(|(id, fact)| AnswerFact {
            id,
            topic: name(fact.topic),
            value: fact.value.clone(),
            note: fact.note.clone(),
            from: fact.from.clone(),
            confidence: match fact.confidence {
                Confidence::Certain => "certain",
                Confidence::Likely => "likely",
                Confidence::Assumed => "assumed",
            }
            .to_owned(),
        })
}

/// The topic's word in data.
fn name(topic: Topic) -> String {
    match serde_json::to_value(topic) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn analysis() -> Analysis {
        let fact = |topic, value: &str, from: &str| Fact {
            application: Some("app".to_owned()),
            topic,
            value: value.to_owned(),
            note: None,
            from: from.to_owned(),
            confidence: Confidence::Certain,
            over: Vec::new(),
        };
        Analysis {
            manifest: ergon_manifest::Manifest::default(),
            facts: vec![
                fact(Topic::Port, "8000", "main.py:3"),
                fact(Topic::Language, "Python", "main.py"),
                fact(Topic::Runtime, "Python 3.11", ".python-version:1"),
            ],
            questions: Vec::new(),
            looked_for: Vec::new(),
        }
    }

    #[test]
    fn every_topic_answers_one_of_the_six_questions() {
        let six = answers(&analysis());
        assert_eq!(
            six.iter()
                .map(|answer| answer.topic.as_str())
                .collect::<Vec<_>>(),
            [
                "language",
                "dependencies",
                "build",
                "run",
                "ports",
                "environment"
            ]
        );
        let ids = |index: usize| {
            six[index]
                .facts
                .iter()
                .map(|fact| fact.id)
                .collect::<Vec<_>>()
        };
        assert_eq!((ids(0), ids(4)), (vec![1, 2], vec![0]));
        assert_eq!(question_of(Topic::Volume), "environment");
    }

    #[test]
    fn a_line_points_at_the_facts_it_came_from() {
        let lines = [
            Line {
                number: 2,
                topics: vec![Topic::Runtime],
            },
            Line {
                number: 3,
                topics: vec![Topic::Volume],
            },
        ];
        let found = line_facts(&lines, &analysis(), Some("app"));
        assert_eq!(
            found
                .iter()
                .map(|line| (line.line, line.facts.clone()))
                .collect::<Vec<_>>(),
            [(2, vec![2])]
        );
        assert!(line_facts(&lines, &analysis(), Some("other")).is_empty());
    }
}
