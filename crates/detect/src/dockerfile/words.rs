//! Texts in the forms that a Dockerfile reads as nothing but themselves.

use crate::plan;

/// Texts as a JSON array.
pub(super) fn json<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<_> = texts
        .into_iter()
        .map(|text| serde_json::Value::from(text.as_ref()).to_string())
        .collect();
    format!("[{}]", texts.join(", "))
}

/// A text without anything but letters, digits and `also`; the rest becomes `_`.
///
/// For names that were checked where they came from: it is here so that nothing depends on that.
pub(super) fn only(text: &str, also: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || also.contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// A value in double quotes, without variables.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        if matches!(character, '"' | '\\' | '$') {
            quoted.push('\\');
        }
        quoted.push(if character.is_control() {
            ' '
        } else {
            character
        });
    }
    quoted.push('"');
    quoted
}

/// A word that Docker unquotes and looks for variables in, outside quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if matches!(character, '"' | '\'' | '\\' | '$') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A path for COPY, which also takes patterns.
pub(super) fn source(path: &str) -> String {
    let mut pattern = String::new();
    for character in path.chars() {
        match character {
            '*' | '?' | '[' => {
                pattern.push('[');
                pattern.push(character);
                pattern.push(']');
            }
            '\\' => pattern.push_str("\\\\"),
            plain => pattern.push(plain),
        }
    }
    escaped(&pattern)
}

/// A shell line for RUN: as it is where Docker takes it for one line and nothing more, else in exec form.
pub(super) fn command(text: &str) -> String {
    let is_plain = text.trim() == text
        && !text.is_empty()
        && !text.starts_with(['-', '[', '#'])
        && !text.ends_with('\\')
        // A here-document would take the lines that follow.
        && !text.contains("<<")
        && !text.chars().any(|character| character.is_control() && character != '\t');
    if is_plain {
        text.to_owned()
    } else {
        json(["/bin/sh", "-c", text])
    }
}

/// A pattern of [`plan::Step::CopyStage`] as a test of `find`.
pub(super) fn find_pattern(root: &str, pattern: &str) -> String {
    match pattern.strip_prefix("**/") {
        Some(name) => format!("-name {}", plan::shell_quoted(name)),
        None => format!("-path {}", plan::shell_quoted(&format!("{root}/{pattern}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_docker_would_read_more_into_is_in_exec_form() {
        assert_eq!(command("pip install -r a"), "pip install -r a");
        for line in [
            "--mount=type=bind x",
            "[\"rm\"]",
            "cat <<EOF",
            "a \\",
            "a\nUSER root",
            " a",
            "# a",
        ] {
            assert!(
                command(line).starts_with(r#"["/bin/sh", "-c", ""#),
                "{line}"
            );
            assert!(!command(line).contains('\n'), "{line}");
        }
    }

    #[test]
    fn paths_are_no_patterns_and_no_variables() {
        assert_eq!(source("a[b]*.txt"), "a[[]b][*].txt");
        assert_eq!(source("$HOME's"), r"\$HOME\'s");
        assert_eq!(quoted("a\"b$c\\d\ne"), r#""a\"b\$c\\d e""#);
    }
}
