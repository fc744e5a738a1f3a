//! Numbering evidence: each fact that is cited gets one number, in the order of citing.

use jiff::Timestamp;

use crate::Evidence;

/// A piece of evidence that has no number yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub text: String,
    pub source: &'static str,
    pub time: Timestamp,
    pub command: Option<String>,
}

/// The evidence of one answer.
#[derive(Debug, Default)]
pub(crate) struct Book {
    evidence: Vec<Evidence>,
}

impl Book {
    /// The fact's number; one that was cited before keeps its own.
    pub(crate) fn number(&mut self, fact: &Fact) -> u32 {
        let known = self
            .evidence
            .iter()
            .find(|known| known.text == fact.text && known.source == fact.source);
        if let Some(known) = known {
            return known.number;
        }
        let number = u32::try_from(self.evidence.len() + 1).unwrap_or(u32::MAX);
        self.evidence.push(Evidence {
            number,
            text: fact.text.clone(),
            source: fact.source.to_owned(),
            time: fact
                .time
                .round(jiff::Unit::Millisecond)
                .unwrap_or(fact.time)
                .to_string(),
            command: fact.command.clone(),
        });
        number
    }

    /// ` [1][2]`, to be put before the sentence's end.
    pub(crate) fn cite<'a>(&mut self, facts: impl IntoIterator<Item = &'a Fact>) -> String {
        let numbers: Vec<String> = facts
            .into_iter()
            .map(|fact| format!("[{}]", self.number(fact)))
            .collect();
        if numbers.is_empty() {
            String::new()
        } else {
            format!(" {}", numbers.join(""))
        }
    }

    pub(crate) fn into_evidence(self) -> Vec<Evidence> {
        self.evidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_cited_twice_has_one_number() {
        let fact = |text: &str| Fact {
            text: text.to_owned(),
            source: "engine",
            time: Timestamp::UNIX_EPOCH,
            command: None,
        };
        let mut book = Book::default();
        assert_eq!(book.cite([&fact("a"), &fact("b")]), " [1][2]");
        assert_eq!(book.cite([&fact("b")]), " [2]");
        assert_eq!(book.cite([]), "");
        assert_eq!(book.into_evidence().len(), 2);
    }
}
