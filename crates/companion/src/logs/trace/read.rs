//! What a trace says: the error, its message, and where it happened in the program's own code.

use super::{Language, Trace};

/// A trace in a few words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::logs) struct Summary {
    pub error: String,
    pub message: String,
    pub place: Option<String>,
}

/// Reads a trace.
pub(in crate::logs) fn summary(trace: &Trace) -> Summary {
    let lines = &trace.lines;
    let (error, message) = match trace.language {
        Language::Python => python_error(lines),
        Language::Java | Language::Dotnet => java_error(lines),
        Language::Node => node_error(lines),
        Language::Go => go_error(lines),
        Language::Rust => rust_error(lines),
        Language::Ruby => ruby_error(lines),
        Language::Php => php_error(lines),
    };
    let places: Vec<String> = match trace.language {
        // The innermost frame stands last.
        Language::Python => lines
            .iter()
            .rev()
            .filter_map(|line| python_place(line))
            .collect(),
        Language::Java | Language::Dotnet => {
            // The cause that everything else follows from stands last.
            let from = lines
                .iter()
                .rposition(|line| line.starts_with("Caused by: "))
                .unwrap_or(0);
            lines[from..]
                .iter()
                .filter_map(|line| at_place(line))
                .collect()
        }
        Language::Node => lines.iter().filter_map(|line| at_place(line)).collect(),
        Language::Go => go_places(lines),
        Language::Rust => rust_place(lines).into_iter().collect(),
        Language::Ruby => lines.iter().filter_map(|line| ruby_place(line)).collect(),
        Language::Php => php_place(lines).into_iter().collect(),
    };
    let own = places.iter().find(|place| is_own(trace.language, place));
    Summary {
        error: crate::words::cut(error.trim(), 120),
        message: crate::words::cut(message.trim(), 300),
        place: own
            .or(places.first())
            .map(|place| crate::words::cut(place, 160)),
    }
}

/// Whether a place is in the program's own code, as far as its path tells.
fn is_own(language: Language, place: &str) -> bool {
    let foreign: &[&str] = match language {
        Language::Python => &[
            "/site-packages/",
            "/dist-packages/",
            "/lib/python3",
            "<frozen ",
            "/usr/lib/python",
        ],
        Language::Java => &[
            "in java.",
            "in javax.",
            "in jdk.",
            "in sun.",
            "in org.springframework.",
            "in org.apache.",
            "in com.sun.",
        ],
        Language::Dotnet => &["in System.", "in Microsoft."],
        Language::Node => &["node:", "node_modules/", "internal/"],
        Language::Go => &["/src/runtime/", "/src/net/", "/pkg/mod/", "/usr/lib/go"],
        Language::Rust => &["/rustc/", ".cargo/registry"],
        Language::Ruby => &["/gems/", "/usr/lib/ruby/", "<internal:"],
        Language::Php => &["/vendor/"],
    };
    !foreign.iter().any(|part| place.contains(part))
}

/// `ValueError: text` → both parts.
fn split_error(line: &str) -> (String, String) {
    match line.split_once(": ") {
        Some((error, message)) if !error.contains(' ') => (error.to_owned(), message.to_owned()),
        _ => {
            let word = line.trim_end_matches(':');
            if word.contains(' ') {
                (String::new(), line.to_owned())
            } else {
                (word.to_owned(), String::new())
            }
        }
    }
}

fn python_error(lines: &[String]) -> (String, String) {
    let last = lines
        .iter()
        .rev()
        .map(|line| line.trim_start_matches(['|', ' ']))
        .find(|line| !line.is_empty() && !line.starts_with(['+', '^', '~']))
        .unwrap_or_default();
    split_error(last)
}

/// `  File "/app/main.py", line 9, in load` → `/app/main.py:9 in load`.
fn python_place(line: &str) -> Option<String> {
    let rest = line
        .trim_start_matches(['|', ' '])
        .strip_prefix("File \"")?;
    let (path, rest) = rest.split_once("\", line ")?;
    let (number, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    let within = if function.is_empty() {
        String::new()
    } else {
        format!(" in {function}")
    };
    Some(format!("{path}:{number}{within}"))
}

fn java_error(lines: &[String]) -> (String, String) {
    let cause = lines
        .iter()
        .rev()
        .find_map(|line| line.strip_prefix("Caused by: "));
    let head = cause.unwrap_or_else(|| {
        let head = lines.first().map_or("", String::as_str);
        let head = head.strip_prefix("Unhandled exception. ").unwrap_or(head);
        match head
            .strip_prefix("Exception in thread \"")
            .and_then(|rest| rest.split_once("\" "))
        {
            Some((_, rest)) => rest,
            None => head,
        }
    });
    // A log line may stand before it: `… ERROR Worker - failed java.lang.X: text`.
    let (error, message) = split_error(head);
    if error.is_empty()
        && let Some(word) = head.split([' ', ':']).find(|word| {
            word.contains('.') && (word.ends_with("Exception") || word.ends_with("Error"))
        })
    {
        let message = head.split(word).nth(1).unwrap_or_default();
        return (
            word.to_owned(),
            message.trim_start_matches([':', ' ']).to_owned(),
        );
    }
    (error, message)
}

/// `at load (/app/a.js:3:9)`, `at shop.Cart.load(Cart.java:12)`, `at A.B() in /src/A.cs:line 4` → place in function.
fn at_place(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("at ")?;
    let rest = rest.trim_end_matches(" {");
    if let Some((function, place)) = rest.split_once(" in ") {
        return Some(format!("{} in {function}", place.replace(":line ", ":")));
    }
    match rest.rsplit_once('(') {
        Some((function, place)) => {
            let function = function.trim().trim_start_matches("async ");
            Some(format!("{} in {function}", place.trim_end_matches(')')))
        }
        None => Some(rest.to_owned()),
    }
}

fn node_error(lines: &[String]) -> (String, String) {
    let frame = lines
        .iter()
        .position(|line| line.trim_start().starts_with("at "))
        .unwrap_or(lines.len());
    // A message may have several lines; the error stands at the beginning of the first.
    let head = lines[..frame]
        .iter()
        .find(|line| {
            let word = line.split([':', ' ', '[']).next().unwrap_or_default();
            word.ends_with("Error") || word.ends_with("Exception") || line.starts_with("Uncaught ")
        })
        .or(frame.checked_sub(1).and_then(|at| lines.get(at)))
        .map_or("", String::as_str);
    let head = head
        .strip_prefix("Uncaught ")
        .unwrap_or(head)
        .trim_end_matches(" {");
    // `Error [ERR_X]: text`, or a log line with the error in it.
    if let Some((error, message)) = head.split_once(": ")
        && error.ends_with(']')
        && error.contains(" [")
    {
        return (error.to_owned(), message.to_owned());
    }
    let (error, message) = split_error(head);
    if error.is_empty()
        && let Some(at) = head.find("Error: ")
    {
        let start = head[..at].rfind(' ').map_or(0, |space| space + 1);
        return split_error(&head[start..]);
    }
    (error, message)
}

fn go_error(lines: &[String]) -> (String, String) {
    for line in lines {
        if let Some((before, message)) = line
            .split_once("panic: ")
            .filter(|(before, _)| before.trim().is_empty())
        {
            let _ = before;
            return ("panic".to_owned(), message.to_owned());
        }
        if let Some(message) = line.strip_prefix("fatal error: ") {
            return ("fatal error".to_owned(), message.to_owned());
        }
        if let Some((_, message)) = line.split_once(" panic serving ") {
            return ("panic".to_owned(), message.to_owned());
        }
    }
    (
        "goroutine dump".to_owned(),
        lines.first().cloned().unwrap_or_default(),
    )
}

/// `\t/app/main.go:12 +0x1d`, with the function in the line before.
fn go_places(lines: &[String]) -> Vec<String> {
    let from = lines
        .iter()
        .position(|line| line.starts_with("goroutine "))
        .unwrap_or(0);
    lines[from..]
        .windows(2)
        .filter_map(|pair| {
            let place = pair[1].strip_prefix('\t')?.split(' ').next()?;
            let function = pair[0].split('(').next()?.trim_start_matches("created by ");
            place
                .contains(".go:")
                .then(|| format!("{place} in {function}"))
        })
        .collect()
}

fn rust_error(lines: &[String]) -> (String, String) {
    let head = lines.first().map_or("", String::as_str);
    if let Some(message) = head.strip_prefix("Error: ") {
        return ("Error".to_owned(), message.to_owned());
    }
    let after = head
        .split_once(" panicked at ")
        .map_or("", |(_, after)| after);
    // Before Rust 1.73 the message stood first, in quotes.
    if let Some((message, _)) = after
        .strip_prefix('\'')
        .and_then(|rest| rest.rsplit_once("', "))
    {
        return ("panic".to_owned(), message.to_owned());
    }
    (
        "panic".to_owned(),
        lines.get(1).cloned().unwrap_or_default(),
    )
}

fn rust_place(lines: &[String]) -> Option<String> {
    let after = lines.first()?.split_once(" panicked at ")?.1;
    let place = match after.rsplit_once("', ") {
        Some((_, place)) => place,
        None => after,
    };
    Some(place.trim_end_matches(':').to_owned())
}

/// `/app/x.rb:3:in 'load': text (RuntimeError)`, or `RuntimeError (text):`.
fn ruby_error(lines: &[String]) -> (String, String) {
    let head = lines.first().map_or("", String::as_str);
    if let Some((before, error)) = head
        .strip_suffix(')')
        .and_then(|head| head.rsplit_once(" ("))
    {
        let message = before
            .split_once(":in ")
            .and_then(|(_, rest)| rest.split_once(": "))
            .map_or(before, |(_, message)| message);
        return (error.to_owned(), message.to_owned());
    }
    if let Some((error, message)) = head
        .strip_suffix("):")
        .and_then(|head| head.split_once(" ("))
    {
        return (error.to_owned(), message.to_owned());
    }
    // `2026-01-02 03:04:05 - RuntimeError - text:`
    let mut parts = head
        .split(" - ")
        .skip_while(|part| !part.ends_with("Error") && !part.ends_with("Exception"));
    match (parts.next(), parts.next()) {
        (Some(error), Some(message)) => {
            (error.to_owned(), message.trim_end_matches(':').to_owned())
        }
        _ => split_error(head),
    }
}

fn ruby_place(line: &str) -> Option<String> {
    let line = line.trim_start();
    let line = line.strip_prefix("from ").unwrap_or(line);
    let (place, rest) = line.split_once(":in ")?;
    let function = rest
        .trim_start_matches(['`', '\''])
        .split('\'')
        .next()
        .unwrap_or_default();
    Some(format!("{place} in {function}"))
}

/// `PHP Fatal error:  Uncaught Exception: text in /app/a.php:3`.
fn php_error(lines: &[String]) -> (String, String) {
    let head = lines.first().map_or("", String::as_str);
    let thrown = head
        .split_once("Uncaught ")
        .map_or(head, |(_, thrown)| thrown);
    let thrown = thrown
        .rsplit_once(" in ")
        .map_or(thrown, |(thrown, _)| thrown);
    split_error(thrown)
}

fn php_place(lines: &[String]) -> Option<String> {
    let head = lines.first()?;
    let (_, place) = head.rsplit_once(" in ")?;
    place.contains(".php").then(|| place.to_owned())
}
