//! `.env.example` and the like: what people set who run the program, with values that show how.

use super::{Declared, Variable};
use crate::sources::Sources;

const FILES: [&str; 6] = [
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    "env.example",
    "env.sample",
];
/// A file with more was not written by a person.
const MOST: usize = 200;

pub(super) fn read(sources: &Sources<'_>, declared: &mut Declared) {
    let Some(file) = sources.first_of(&FILES) else {
        return;
    };
    let Some(text) = sources.text(file) else {
        return;
    };
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        if declared.examples.len() == MOST {
            return;
        }
        let value = value_of(value);
        declared.examples.push(Variable {
            name: name.trim().to_owned(),
            // What is made of others is no value by itself.
            default: (!value.is_empty() && !value.contains("${")).then(|| value.to_owned()),
            required: false,
            from: format!("{file}:{}", index + 1),
            by: "",
        });
    }
}

/// A value without its quotes and what is remarked behind it.
fn value_of(written: &str) -> &str {
    let written = written.trim();
    for quote in ['"', '\''] {
        if let Some(inside) = written.strip_prefix(quote)
            && let Some((value, _)) = inside.split_once(quote)
        {
            return value;
        }
    }
    if written.starts_with('#') {
        return "";
    }
    written.split(" #").next().unwrap_or(written).trim_end()
}
