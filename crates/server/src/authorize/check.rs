//! Whether a text is policies that can be decided by, and where not, why not.

use std::str::FromStr as _;
use std::sync::LazyLock;

use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;

use super::schema;

/// A policy's text may have so many bytes.
pub const LONGEST_TEXT: usize = 64 * 1024;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// From 1; 0 where it is the text as a whole.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub message: String,
    /// What could be meant.
    pub help: Option<String>,
}

/// What policies can speak of.
pub fn the_schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        // It is generated of what the program knows; a test reads it.
        Schema::from_cedarschema_str(&schema::text()).map_or_else(
            |error| {
                tracing::error!(%error, "the schema of policies cannot be read");
                empty_schema()
            },
            |(schema, _)| schema,
        )
    });
    &SCHEMA
}

/// Nothing can be said with it, so nothing of a stack's own would be allowed.
fn empty_schema() -> Schema {
    Schema::from_schema_fragments([]).unwrap_or_else(|_| unreachable!("nothing is a schema"))
}

/// The policies of a text, or everything that is wrong with it.
pub fn check(text: &str) -> Result<PolicySet, Vec<Fault>> {
    if text.len() > LONGEST_TEXT {
        return Err(vec![Fault::whole(format!(
            "it has {} bytes; {LONGEST_TEXT} are the most",
            text.len()
        ))]);
    }
    let set = PolicySet::from_str(text).map_err(|errors| {
        let faults = errors.iter().map(|error| Fault::of(text, error));
        faults.collect::<Vec<_>>()
    })?;
    if set.templates().next().is_some() {
        return Err(vec![Fault::whole(
            "it has a template (`?principal` or `?resource`), which nothing here fills in"
                .to_owned(),
        )]);
    }
    if set.policies().next().is_none() {
        return Err(vec![Fault::whole("it has no policy".to_owned())]);
    }
    let result = Validator::new(the_schema().clone()).validate(&set, ValidationMode::Strict);
    let mut faults: Vec<Fault> = result
        .validation_errors()
        .map(|error| Fault::of(text, error))
        .collect();
    if faults.is_empty() {
        // A policy that can never apply is a slip of the pen, and one that forbids is worse than none.
        let warnings = result.validation_warnings();
        faults.extend(warnings.map(|warning| Fault::of(text, warning)));
    }
    // What comes of a wrong word is said only where no word is wrong.
    if faults.iter().any(|fault| fault.help.is_some()) {
        faults.retain(|fault| !fault.message.starts_with(CONSEQUENCE));
    }
    faults.sort_by_key(|fault| (fault.line, fault.column));
    if faults.is_empty() {
        Ok(set)
    } else {
        Err(faults)
    }
}

impl Fault {
    fn whole(message: String) -> Self {
        Self {
            line: 0,
            column: 0,
            message,
            help: None,
        }
    }

    fn of(text: &str, error: &(impl Diagnostic + std::fmt::Display)) -> Self {
        let place = error.labels().and_then(|mut labels| labels.next());
        let (line, column) = place.map_or((0, 0), |label| position(text, label.offset()));
        Self {
            line,
            column,
            message: without_number(&error.to_string()).to_owned(),
            help: error.help().map(|help| help.to_string()),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}: ", self.line, self.column)?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// What the validator says after it has found a word wrong.
const CONSEQUENCE: &str = "unable to find an applicable action";

/// A message without the number of the policy, which nobody gave it.
fn without_number(message: &str) -> &str {
    let rest = message.strip_prefix("for policy `");
    rest.and_then(|rest| rest.split_once("`, "))
        .map_or(message, |(_, message)| message)
}

/// Line and column of a place, both from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_can_be_read() {
        let read = Schema::from_cedarschema_str(&schema::text());
        assert!(read.is_ok(), "{:?}", read.err());
    }

    #[test]
    fn a_fault_says_where_it_is() {
        let text = "permit (principal, action, resource);\nforbid (principl, action, resource);";
        let faults = check(text).unwrap_err();
        assert_eq!((faults[0].line, faults[0].column), (2, 9), "{faults:?}");
    }

    #[test]
    fn a_wrong_word_is_one_fault_and_says_what_could_be_meant() {
        let text = r#"forbid (principal, action == Ergon::Action::"RemoveContainr", resource);"#;
        let faults = check(text).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].message.starts_with("unrecognized action"),
            "{faults:?}"
        );
        assert!(faults[0].help.is_some(), "{faults:?}");
    }

    #[test]
    fn what_is_not_there_cannot_be_spoken_of() {
        for wrong in [
            r#"permit (principal, action == Ergon::Action::"ReadMinds", resource);"#,
            r"permit (principal is Ergon::Dog, action, resource);",
            r#"permit (principal, action == Ergon::Action::"ListJobs", resource) when { resource.public };"#,
            r#"permit (principal, action, resource) when { context.hour == "nine" };"#,
            r#"permit (principal is Ergon::Person, action == Ergon::Action::"ListJobs", resource is Ergon::Container);"#,
            r"permit (principal == ?principal, action, resource);",
            "",
            "// nothing",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        assert!(check(&" ".repeat(LONGEST_TEXT + 1)).is_err());
    }

    #[test]
    fn a_place_is_counted_in_characters() {
        assert_eq!(position("äö\nü x", 8), (2, 3));
        assert_eq!(position("", 9), (1, 1));
    }
}
