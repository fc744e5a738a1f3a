//! What a question asks about: words people use, typing mistakes allowed.

mod vocabulary;

use vocabulary::{ORDINARY, PHRASES, WORDS};

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Intent {
    Status,
    Health,
    WhatHappened,
    Services,
    Ports,
    Memory,
    Processor,
    Uptime,
    Errors,
    Logs,
    /// What in the log was not there before.
    LogNews,
    Environment,
    Identity,
    /// What is not as it was.
    Changes,
    /// Where it is not what it was meant to be.
    Drift,
    /// Whom it needs, and who needs it.
    Dependencies,
    /// What to do.
    Advice,
    Help,
    Disk,
    Network,
    /// To be restarted, repaired, cleaned: a companion only looks.
    Action,
    /// What is wasteful, or could be better.
    Waste,
}

/// What a question asks about, in the order of asking; empty when it says nothing that is known.
pub(crate) fn intents(question: &str) -> Vec<Intent> {
    let mut intents = Vec::new();
    for clause in clauses(question) {
        for intent in clause_intents(&clause) {
            if !intents.contains(&intent) {
                intents.push(intent);
            }
        }
    }
    // A question for more than that answers "how are you" along the way.
    if intents.len() > 1 && intents.contains(&Intent::Status) && intents.contains(&Intent::Health) {
        intents.retain(|intent| *intent != Intent::Health);
    }
    intents
}

/// A question's clauses, each a list of lower-case words.
fn clauses(question: &str) -> Vec<Vec<String>> {
    // A long text is no question; what it asks is at its beginning.
    let question: String = question.chars().take(2000).collect();
    let mut clauses = vec![Vec::new()];
    for word in question.split_whitespace() {
        let ends = word.ends_with(['?', '!', '.', ',', ';', ':']);
        if is_variable(word) {
            clauses
                .last_mut()
                .into_iter()
                .for_each(|clause| clause.push("variable".to_owned()));
            continue;
        }
        let plain: String = word
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'))
            .collect();
        let plain = plain.trim_matches(['.', '-', '/']);
        if matches!(plain, "and" | "also" | "then" | "plus" | "&") {
            clauses.push(Vec::new());
            continue;
        }
        if let Some(clause) = clauses.last_mut() {
            clause.extend(
                plain
                    .split(['/', '_'])
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned),
            );
        }
        if ends {
            clauses.push(Vec::new());
        }
    }
    clauses.retain(|clause| !clause.is_empty());
    clauses
}

/// `DATABASE_URL` is the name of a variable, and no question about URLs.
fn is_variable(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.contains('_')
        && word
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn clause_intents(words: &[String]) -> Vec<Intent> {
    let text = format!(" {} ", words.join(" "));
    let phrase = PHRASES
        .iter()
        .filter(|(phrase, _)| text.contains(&format!(" {phrase} ")))
        .max_by_key(|(phrase, _)| phrase.len());
    let mut intents: Vec<Intent> = Vec::new();
    let exact: Vec<Option<Intent>> = words.iter().map(|word| exactly(word)).collect();
    let about_words: Vec<Intent> = exact
        .iter()
        .zip(words)
        .filter_map(|(known, word)| known.or_else(|| nearly(word)))
        .collect();
    for intent in phrase
        .map(|(_, intent)| *intent)
        .into_iter()
        .chain(about_words)
    {
        if !intents.contains(&intent) {
            intents.push(intent);
        }
    }
    settle(&mut intents, words);
    intents
}

/// Where one clause touches several things, which of them it is about.
fn settle(intents: &mut Vec<Intent>, words: &[String]) {
    let has = |intents: &[Intent], intent| intents.contains(&intent);
    let says = |word: &str| words.iter().any(|own| own == word);
    // "restart yourself" asks for something to be done; "why did you restart" does not.
    if words.first().is_some_and(|word| {
        matches!(
            word.as_str(),
            "restart" | "stop" | "start" | "kill" | "clean" | "delete" | "remove"
        )
    }) {
        *intents = vec![Intent::Action];
        return;
    }
    // "Which limits are wasteful", "optimize the memory": what it is about is a part of it.
    if has(intents, Intent::Waste) {
        *intents = vec![Intent::Waste];
        return;
    }
    if has(intents, Intent::Action) {
        intents.retain(|intent| *intent == Intent::Action);
        return;
    }
    // "Why did you restart", "why is it down": about what happened, whatever else is named.
    if says("why") && !has(intents, Intent::Errors) {
        intents
            .retain(|intent| !matches!(intent, Intent::Uptime | Intent::Status | Intent::Health));
    }
    // "New errors in the logs" are news.
    if has(intents, Intent::LogNews) {
        intents.retain(|intent| {
            !matches!(
                intent,
                Intent::Logs | Intent::Errors | Intent::WhatHappened | Intent::Changes
            )
        });
    }
    // "Has the configuration drifted", "which services do you need".
    if has(intents, Intent::Drift) || has(intents, Intent::Changes) {
        intents.retain(|intent| !matches!(intent, Intent::Environment | Intent::Identity));
    }
    if has(intents, Intent::Dependencies) {
        intents.retain(|intent| *intent != Intent::Services);
    }
    // "error logs" are errors; "memory usage" is memory; "which image are you running".
    if has(intents, Intent::Errors) {
        intents.retain(|intent| !matches!(intent, Intent::Logs | Intent::Health));
    }
    if has(intents, Intent::Processor) && says("usage") && !says("memory") && !says("ram") {
        intents.retain(|intent| *intent != Intent::Memory);
    }
    // "Disk usage" and "network usage" are no questions about memory.
    if (has(intents, Intent::Disk) || has(intents, Intent::Network))
        && !["memory", "ram", "mem", "rss"].into_iter().any(says)
    {
        intents.retain(|intent| *intent != Intent::Memory);
    }
    // "missing" and "name" say little beside a word that says more.
    if intents.len() > 1 && (says("name") || says("names")) && !says("your") {
        intents.retain(|intent| *intent != Intent::Identity);
    }
    // "health status", "status of the services": status is only the frame.
    if intents.len() > 1 {
        intents.retain(|intent| *intent != Intent::Status);
    }
    // What happened includes how it is.
    if has(intents, Intent::WhatHappened) {
        intents.retain(|intent| *intent != Intent::Health);
    }
}

fn exactly(word: &str) -> Option<Intent> {
    WORDS
        .iter()
        .find(|(_, words)| words.contains(&word))
        .map(|(intent, _)| *intent)
}

/// The intent of the nearest known word: one mistake in four letters or more, two in eight.
fn nearly(word: &str) -> Option<Intent> {
    let length = word.chars().count();
    if length < 4 || ORDINARY.contains(&word) || !word.chars().all(char::is_alphabetic) {
        return None;
    }
    let allowed = if length >= 8 { 2 } else { 1 };
    WORDS
        .iter()
        .flat_map(|(intent, words)| words.iter().map(move |known| (*intent, *known)))
        .filter(|(_, known)| known.len() >= 4)
        .map(|(intent, known)| (strsim::osa_distance(word, known), intent))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, intent)| intent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn questions_are_about_what_people_mean() {
        let told: Vec<String> = [
            "How are you?",
            "What's your status?",
            "status",
            "What's your health status?",
            "helth",
            "what are you running?",
            "which services are there",
            "sevices and prots",
            "how much memory do you use?",
            "memmory",
            "cpu usage",
            "uptime",
            "how long have you been up and how often did you restart?",
            "what happened?",
            "why did you die?",
            "why did you restart?",
            "whats wrong",
            "show me the logs",
            "any errors in the logs?",
            "what is new in the logs?",
            "whats new in your log",
            "any new errors?",
            "new log templates since the last deployment",
            "is DATABASE_URL set in the environment",
            "which env vars are missing?",
            "configuration",
            "what are you?",
            "which image and build is this",
            "help",
            "what can you do?",
            "disk usage?",
            "how full is /dev/shm",
            "network usage in the last hour",
            "conections",
            "what changed since yesterday?",
            "whats new",
            "has the configuration drifted?",
            "are you what you should be",
            "who depends on you?",
            "which services do you need",
            "what should I do?",
            "how do I fix it",
            "restart yourself",
            "optimize",
            "what is wasteful?",
            "which limits are wasted, and how is the memory?",
            "status, memory and logs",
            "HEALTH!!!",
            "are you ok?",
            "hello",
            "what is the weather like",
            "tell me a joke",
            "",
        ]
        .iter()
        .map(|question| format!("{question} → {:?}", intents(question)))
        .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        How are you? → [Status]
        What's your status? → [Status]
        status → [Status]
        What's your health status? → [Health]
        helth → [Health]
        what are you running? → [Services]
        which services are there → [Services]
        sevices and prots → [Services, Ports]
        how much memory do you use? → [Memory]
        memmory → [Memory]
        cpu usage → [Processor]
        uptime → [Uptime]
        how long have you been up and how often did you restart? → [Uptime]
        what happened? → [WhatHappened]
        why did you die? → [WhatHappened]
        why did you restart? → [WhatHappened]
        whats wrong → [WhatHappened]
        show me the logs → [Logs]
        any errors in the logs? → [Errors]
        what is new in the logs? → [LogNews]
        whats new in your log → [LogNews]
        any new errors? → [LogNews]
        new log templates since the last deployment → [LogNews]
        is DATABASE_URL set in the environment → [Environment]
        which env vars are missing? → [Environment]
        configuration → [Environment]
        what are you? → [Identity]
        which image and build is this → [Identity]
        help → [Help]
        what can you do? → [Help]
        disk usage? → [Disk]
        how full is /dev/shm → [Disk]
        network usage in the last hour → [Network]
        conections → [Network]
        what changed since yesterday? → [Changes]
        whats new → [Changes]
        has the configuration drifted? → [Drift]
        are you what you should be → [Drift]
        who depends on you? → [Dependencies]
        which services do you need → [Dependencies]
        what should I do? → [Advice]
        how do I fix it → [Advice]
        restart yourself → [Action]
        optimize → [Waste]
        what is wasteful? → [Waste]
        which limits are wasted, and how is the memory? → [Waste, Memory]
        status, memory and logs → [Status, Memory, Logs]
        HEALTH!!! → [Health]
        are you ok? → [Health]
        hello → [Status]
        what is the weather like → []
        tell me a joke → []
         → []
        ");
    }

    proptest! {
        #[test]
        fn no_question_makes_it_panic(question in "\\PC{0,300}") {
            let _ = intents(&question);
        }

        #[test]
        fn every_word_is_found_with_two_letters_swapped(at in 1_usize..6, word in prop::sample::select(vec!["status", "memory", "services", "environment", "uptime", "health"])) {
            let mut letters: Vec<char> = word.chars().collect();
            let at = at.min(letters.len() - 2);
            letters.swap(at, at + 1);
            let mistyped: String = letters.into_iter().collect();
            prop_assert_eq!(intents(&mistyped), intents(word));
        }
    }
}
