//! The environment variables that a program reads.

use std::collections::BTreeMap;

use ergon_manifest::EnvironmentVariable;

use crate::analysis::Topic;
use crate::ecosystem::Report;

/// Variables that say something of the machine or the shell, not of the program.
const NOT_SETTINGS: [&str; 14] = [
    "HOME", "PATH", "USER", "LOGNAME", "SHELL", "PWD", "TERM", "TMPDIR", "TEMP", "TMP", "LANG",
    "HOSTNAME", "CI", "NO_COLOR",
];

/// One place that reads a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub name: String,
    pub need: Need,
    /// `file:line`
    pub from: String,
}

/// What happens where the variable is not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// The program fails.
    Required,
    /// It takes this.
    Default(String),
    /// It goes on without.
    Optional,
}

/// All reads, by variable: required where one read requires it; else the first default counts.
pub fn variables(reads: &[Read]) -> BTreeMap<String, EnvironmentVariable> {
    let mut variables: BTreeMap<String, EnvironmentVariable> = BTreeMap::new();
    for read in reads {
        if !is_name(&read.name) || NOT_SETTINGS.contains(&read.name.as_str()) {
            continue;
        }
        let variable = variables.entry(read.name.clone()).or_default();
        if read.need == Need::Required && !variable.required {
            *variable = EnvironmentVariable {
                required: true,
                default: None,
                from: Some(read.from.clone()),
            };
        } else if !variable.required {
            match &read.need {
                // A value with a NUL in it cannot be set.
                Need::Default(default) if variable.default.is_none() && !default.contains('\0') => {
                    variable.default = Some(default.clone());
                    variable.from = Some(read.from.clone());
                }
                _ => {
                    variable.from.get_or_insert_with(|| read.from.clone());
                }
            }
        }
    }
    variables
}

/// All reads, by variable and reported.
pub fn told(reads: &[Read], into: &mut Report) -> BTreeMap<String, EnvironmentVariable> {
    let variables = variables(reads);
    report(&variables, into);
    variables
}

/// Says of each variable what the program does with it.
pub fn report(variables: &BTreeMap<String, EnvironmentVariable>, report: &mut Report) {
    // As the code reads them, not as the alphabet has it.
    let mut ordered: Vec<_> = variables.iter().collect();
    ordered.sort_by_key(|(name, variable)| (place(variable.from.as_deref()), (*name).clone()));
    for (name, variable) in ordered {
        let from = variable.from.clone().unwrap_or_default();
        let fact = report.certain(Topic::Environment, name, from);
        match &variable.default {
            _ if variable.required => fact.note("required"),
            Some(default) => fact.note(format!("default \"{default}\"")),
            None => fact.note("optional"),
        }
    }
}

/// By file and line.
pub fn place(from: Option<&str>) -> (String, usize) {
    let (file, line) = from
        .and_then(|from| from.rsplit_once(':'))
        .unwrap_or_default();
    (file.to_owned(), line.parse().unwrap_or(0))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|character| character == '_' || character.is_ascii_alphanumeric())
}
