//! What a line says of itself: its level, its message, and the stack trace it may hold. JSON, logfmt, syslog,
//! access logs, and what programs write without any form.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::observation::LogLevel;

/// What a line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said<'a> {
    pub level: LogLevel,
    /// What it says without its form.
    pub message: Cow<'a, str>,
    /// Lines of a stack trace that stood inside it.
    pub trace: Option<String>,
    /// It answers a request: method, path and status.
    pub access: Option<(&'a str, &'a str, &'a str)>,
}

/// Reads a line.
pub(super) fn read(line: &str) -> Said<'_> {
    if let Some(said) = json(line) {
        return said;
    }
    if let Some(said) = logfmt(line) {
        return said;
    }
    if let Some(access) = access(line) {
        return Said {
            // A server that fails says so by its status.
            level: match access.2.as_bytes().first() {
                Some(b'5') => LogLevel::Error,
                _ => LogLevel::Info,
            },
            message: Cow::Borrowed(line),
            trace: None,
            access: Some(access),
        };
    }
    let (level, message) = syslog(line).unwrap_or_else(|| (plain(line), line));
    // Apache writes what PHP says on one line.
    if message.contains("\\nStack trace:\\n") {
        return Said {
            level: level.max(LogLevel::Error),
            message: Cow::Borrowed(message.split("\\n").next().unwrap_or(message)),
            trace: Some(message.replace("\\n", "\n")),
            access: None,
        };
    }
    Said {
        level,
        message: Cow::Borrowed(message),
        trace: None,
        access: None,
    }
}

/// A JSON object in a line.
fn json(line: &str) -> Option<Said<'static>> {
    let text = line.trim();
    if !(text.starts_with('{') && text.ends_with('}')) {
        return None;
    }
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    let level = [
        "level",
        "severity",
        "lvl",
        "levelname",
        "log.level",
        "loglevel",
        "@l",
    ]
    .iter()
    .find_map(|key| object.get(*key))
    .map_or(LogLevel::Unknown, level_of);
    let message = ["message", "msg", "event", "log", "text", "@m", "@mt"]
        .iter()
        .find_map(|key| object.get(*key)?.as_str());
    let trace = trace_in(&object, 2);
    // Without a message, the fields are all there is to tell.
    let message = message.map_or_else(
        || {
            let fields: Vec<String> = object
                .iter()
                .filter(|(key, value)| {
                    value.as_str().is_none_or(|text| !text.contains('\n')) && !is_time_key(key)
                })
                .map(|(key, value)| match value.as_str() {
                    Some(text) => format!("{key}={text}"),
                    None => format!("{key}={value}"),
                })
                .collect();
            fields.join(" ")
        },
        str::to_owned,
    );
    Some(Said {
        level,
        message: Cow::Owned(message),
        trace,
        access: None,
    })
}

fn is_time_key(key: &str) -> bool {
    matches!(
        key,
        "time" | "ts" | "timestamp" | "@timestamp" | "date" | "@t" | "asctime"
    )
}

/// The first text of several lines under a key that names a trace.
fn trace_in(object: &Map<String, Value>, depth: u8) -> Option<String> {
    const KEYS: [&str; 12] = [
        "stack",
        "stacktrace",
        "stack_trace",
        "stackTrace",
        "exc_info",
        "exception",
        "traceback",
        "error",
        "err",
        "error.stack_trace",
        "exc_text",
        "@x",
    ];
    KEYS.iter().find_map(|key| match object.get(*key)? {
        Value::String(text) if text.contains('\n') => Some(text.clone()),
        Value::Object(inside) if depth > 0 => trace_in(inside, depth - 1),
        _ => None,
    })
}

fn level_of(value: &Value) -> LogLevel {
    match value {
        Value::String(word) => level_word(word).unwrap_or_default(),
        // As pino and bunyan number them.
        Value::Number(number) => match number.as_u64() {
            Some(0..=19) => LogLevel::Trace,
            Some(20..=29) => LogLevel::Debug,
            Some(30..=39) => LogLevel::Info,
            Some(40..=49) => LogLevel::Warning,
            Some(50..=59) => LogLevel::Error,
            Some(60..=69) => LogLevel::Fatal,
            _ => LogLevel::Unknown,
        },
        _ => LogLevel::Unknown,
    }
}

/// `time=… level=warn msg="disk is full"`.
fn logfmt(line: &str) -> Option<Said<'_>> {
    let level = value_of(line, "level").or_else(|| value_of(line, "lvl"))?;
    let level = level_word(level)?;
    let message = value_of(line, "msg").or_else(|| value_of(line, "message"));
    Some(Said {
        level,
        message: Cow::Borrowed(message.unwrap_or(line)),
        trace: None,
        access: None,
    })
}

/// The value of a key of a logfmt line, without its quotes.
fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let mut from = 0;
    loop {
        let at = from + line.get(from..)?.find(key)?;
        let starts = at == 0 || line.as_bytes().get(at - 1) == Some(&b' ');
        let rest = line.get(at + key.len()..)?;
        if let Some(value) = rest.strip_prefix('=').filter(|_| starts) {
            return Some(match value.strip_prefix('"') {
                Some(quoted) => {
                    let mut escaped = false;
                    let end = quoted.find(|c: char| {
                        let ends = c == '"' && !escaped;
                        escaped = c == '\\' && !escaped;
                        ends
                    });
                    &quoted[..end.unwrap_or(quoted.len())]
                }
                None => value.split(' ').next().unwrap_or(value),
            });
        }
        from = at + key.len();
    }
}

/// `<34>Oct 11 22:14:15 host app[1]: text` and `<165>1 2026-01-02T03:04:05Z host app 1 id - text`.
fn syslog(line: &str) -> Option<(LogLevel, &str)> {
    let (priority, rest) = line.strip_prefix('<')?.split_once('>')?;
    let priority: u16 = priority.parse().ok().filter(|priority| *priority < 192)?;
    let level = match priority % 8 {
        0..=2 => LogLevel::Fatal,
        3 => LogLevel::Error,
        4 => LogLevel::Warning,
        7 => LogLevel::Debug,
        _ => LogLevel::Info,
    };
    Some((level, rest))
}

/// `"GET /path HTTP/1.1" 500`, as web servers and application servers write it.
fn access(line: &str) -> Option<(&str, &str, &str)> {
    let at = line.find(" HTTP/")?;
    let asked = line[..at].rsplit('"').next()?;
    let (method, path) = asked.split_once(' ')?;
    let is_method =
        (3..=8).contains(&method.len()) && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let status = line[at + 1..]
        .split_once('"')?
        .1
        .split_ascii_whitespace()
        .next()?;
    let is_status = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    (is_method && is_status).then(|| (method, path.split('?').next().unwrap_or(path), status))
}

/// The level of a line without form: the first word in its beginning that is one, else what it reads like.
fn plain(line: &str) -> LogLevel {
    // A level stands near the beginning: after a time, a process number, a name.
    let beginning = line
        .char_indices()
        .nth(90)
        .map_or(line, |(at, _)| &line[..at]);
    let bytes = beginning.as_bytes();
    let mut from = 0;
    for word in beginning.split(|c: char| !c.is_ascii_alphabetic()) {
        let at = from;
        from += word.len() + 1;
        if !(3..=9).contains(&word.len()) {
            continue;
        }
        let Some(level) = level_word(word) else {
            continue;
        };
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let after = bytes.get(at + word.len());
        let shouted = word.bytes().all(|byte| byte.is_ascii_uppercase());
        // `error` in a sentence is no level; `ERROR`, `[error]`, `error:`, `level=error` are.
        let marked = matches!(
            (before, after),
            (Some(b'[' | b'=' | b'<'), _) | (None, Some(b':'))
        ) || after == Some(&b':') && matches!(before, Some(b' ' | b':' | b'.'));
        if shouted || marked {
            return level;
        }
    }
    // `E0102 12:13:14.5 main.go:1] text`, as glog writes it.
    if let [letter @ (b'I' | b'W' | b'E' | b'F'), digits @ ..] = bytes
        && digits.len() > 5
        && digits[..4].iter().all(u8::is_ascii_digit)
        && digits[4] == b' '
    {
        return match letter {
            b'W' => LogLevel::Warning,
            b'E' => LogLevel::Error,
            b'F' => LogLevel::Fatal,
            _ => LogLevel::Info,
        };
    }
    // `1:M 02 Jan 2026 03:04:05.678 # text`, as Redis writes it.
    if bytes.first().is_some_and(u8::is_ascii_digit) && beginning.contains(":M ") {
        if beginning.contains(" # ") {
            return LogLevel::Warning;
        }
        if beginning.contains(" * ") {
            return LogLevel::Info;
        }
    }
    if crate::findings::reads_like_error(line) {
        return LogLevel::Error;
    }
    LogLevel::Unknown
}

/// The level a word names.
fn level_word(word: &str) -> Option<LogLevel> {
    let mut small = [0; 12];
    let small = small.get_mut(..word.len())?;
    small.copy_from_slice(word.as_bytes());
    small.make_ascii_lowercase();
    Some(match &*small {
        b"trace" | b"verbose" | b"silly" | b"finest" | b"finer" | b"vrb" => LogLevel::Trace,
        b"debug" | b"dbg" | b"fine" => LogLevel::Debug,
        b"info" | b"inf" | b"information" | b"informational" | b"notice" | b"log" | b"note"
        | b"default" => LogLevel::Info,
        b"warn" | b"warning" | b"wrn" => LogLevel::Warning,
        b"error" | b"err" | b"severe" | b"eror" => LogLevel::Error,
        b"fatal" | b"ftl" | b"critical" | b"crit" | b"alert" | b"emerg" | b"emergency"
        | b"panic" | b"dpanic" => LogLevel::Fatal,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_its_level_in_many_ways() {
        for (line, level) in [
            (r#"{"level":"error","msg":"no"}"#, LogLevel::Error),
            (r#"{"level":50,"time":1,"msg":"no"}"#, LogLevel::Error),
            (r#"{"severity":"WARNING","message":"x"}"#, LogLevel::Warning),
            (
                r#"time=2026-01-02T03:04:05Z level=warn msg="disk is full""#,
                LogLevel::Warning,
            ),
            ("<11>Oct 11 22:14:15 host app: x", LogLevel::Error),
            (
                "2026-01-02 03:04:05,678 - shop - ERROR - no",
                LogLevel::Error,
            ),
            (
                "2026/01/02 03:04:05 [emerg] 1#1: bind() failed",
                LogLevel::Fatal,
            ),
            (
                "[Fri Jan 02 03:04:05 2026] [core:notice] [pid 1] x",
                LogLevel::Unknown,
            ),
            (
                "2026-01-02 03:04:05.678 UTC [12] FATAL:  password authentication failed",
                LogLevel::Fatal,
            ),
            (
                "2026-01-02 03:04:05.678 UTC [12] LOG:  checkpoint complete",
                LogLevel::Info,
            ),
            ("E0102 12:13:14.567890 1 main.go:12] no", LogLevel::Error),
            ("INFO:     Started server process [1]", LogLevel::Info),
            ("ERROR:root:no", LogLevel::Error),
            (
                "1:M 02 Jan 2026 03:04:05.678 # WARNING overcommit",
                LogLevel::Warning,
            ),
            (
                "1:M 02 Jan 2026 03:04:05.678 * Ready to accept connections",
                LogLevel::Info,
            ),
            ("error: no such file", LogLevel::Error),
            ("npm ERR! missing script", LogLevel::Error),
            ("ValueError: no", LogLevel::Error),
            ("listening on port 8000", LogLevel::Unknown),
            ("the last info we have", LogLevel::Unknown),
            (
                r#"10.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /pay?x=1 HTTP/1.1" 502 12 "-" "curl""#,
                LogLevel::Error,
            ),
            (
                r#"INFO:     10.0.0.1:51234 - "GET /pay HTTP/1.1" 500 Internal Server Error"#,
                LogLevel::Error,
            ),
            (
                r#"INFO:     10.0.0.1:51234 - "GET / HTTP/1.1" 404 Not Found"#,
                LogLevel::Info,
            ),
        ] {
            assert_eq!(read(line).level, level, "{line}");
        }
    }

    #[test]
    fn a_line_is_its_message() {
        assert_eq!(
            read(r#"{"level":"info","ts":1,"msg":"user in","user":7}"#).message,
            "user in"
        );
        assert_eq!(
            read(r#"level=info msg="a \"b\" c" x=1"#).message,
            r#"a \"b\" c"#
        );
        assert_eq!(read(r#"{"n":1,"user":"ann"}"#).message, "n=1 user=ann");
        let said = read(
            r#"{"level":"error","msg":"no","err":{"stack":"Error: no\n    at f (a.js:1:2)"}}"#,
        );
        assert_eq!(
            said.trace.as_deref(),
            Some("Error: no\n    at f (a.js:1:2)")
        );
        let asked = read(r#"x - "POST /pay?card=1 HTTP/1.1" 500 2"#);
        assert_eq!(asked.access, Some(("POST", "/pay", "500")));
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(line in ".*") {
            read(&line);
        }
    }
}
