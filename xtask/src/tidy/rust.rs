//! Rules for Rust files: what a crate begins with, and what must not be left in it.

use super::repository::TextFile;
use super::violation::{Violation, is_excused};

/// Words that are fine while one works and not when one is done.
const LEFTOVERS: &[&str] = &["todo!", "unimplemented!", "dbg!"];

/// All rules for one Rust file.
pub fn check(file: &TextFile) -> Vec<Violation> {
    let mut violations = Vec::new();
    let is_library = file.path.starts_with("crates/") && file.path.ends_with("/src/lib.rs");
    if is_library && !file.text.starts_with("//! ") {
        violations.push(Violation::new(
            (&file.path, 1),
            "crate-doc",
            "a crate begins without saying what it is for",
            "begin lib.rs with a `//!` that says it in one short sentence",
        ));
    }
    let code = code_only(&file.text);
    let lines: Vec<&str> = file.text.lines().collect();
    let mut in_tests = file.path.contains("/tests/") || file.path.ends_with("/tests.rs");
    for (index, line) in code.lines().enumerate() {
        in_tests |= line.trim_start().starts_with("#[cfg(test)]");
        let at = (file.path.as_str(), index + 1);
        for word in LEFTOVERS {
            if has_word(line, word) {
                violations.push(Violation::new(
                    at,
                    "leftover",
                    format!("{word} was left here"),
                    "finish it, or take it out",
                ));
            }
        }
        if line.replace(' ', "").contains("#[ignore]") {
            let remedy = "write #[ignore = \"why\"], and where the test runs instead";
            violations.push(Violation::new(
                at,
                "ignore-reason",
                "a test is ignored without a reason",
                remedy,
            ));
        }
        if in_tests && has_word(line, "sleep(") && !is_excused(&lines, index, "sleep-in-test") {
            violations.push(Violation::new(
                at,
                "sleep-in-test",
                "a test sleeps",
                "await the event itself; where there is none, say so: // tidy(sleep-in-test): why",
            ));
        }
    }
    violations
}

/// Whether `word` stands in `line` and is not the end of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let ends_other =
        |before: &str| before.ends_with(|last: char| last == '_' || last.is_alphanumeric());
    line.match_indices(word)
        .any(|(offset, _)| !ends_other(&line[..offset]))
}

/// Rust source with comments and the content of strings blanked out; lines stay where they are.
fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|last: char| last == '_' || last.is_alphanumeric());
        let (kept, skipped) = if rest.starts_with("//") {
            (0, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (0, block_comment(rest))
        } else if let Some(length) = raw_string(rest).filter(|_| !after_word) {
            (0, length)
        } else if first == '"' {
            (0, quoted(rest, '"'))
        } else if first == '\'' && is_character(rest) {
            (0, quoted(rest, '\''))
        } else {
            (first.len_utf8(), 0)
        };
        let (text, tail) = rest.split_at(kept + skipped);
        code.push_str(&text[..kept]);
        code.extend(text[kept..].chars().filter(|character| *character == '\n'));
        rest = tail;
    }
    code
}

/// The length of the block comment that `source` begins with; they nest.
fn block_comment(source: &str) -> usize {
    let mut depth = 0;
    let mut offset = 0;
    while offset < source.len() {
        let rest = &source[offset..];
        if rest.starts_with("/*") {
            depth += 1;
            offset += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            offset += 2;
            if depth == 0 {
                return offset;
            }
        } else {
            offset += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    source.len()
}

/// The length of the raw string that `source` begins with, if it does.
fn raw_string(source: &str) -> Option<usize> {
    let rest = source
        .strip_prefix('b')
        .or_else(|| source.strip_prefix('c'))
        .unwrap_or(source)
        .strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let content = rest[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let begins = source.len() - content.len();
    Some(
        content
            .find(&end)
            .map_or(source.len(), |offset| begins + offset + end.len()),
    )
}

/// The length of the literal in `quote`s that `source` begins with.
fn quoted(source: &str, quote: char) -> usize {
    let mut characters = source.char_indices().skip(1);
    while let Some((offset, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if character == quote {
            return offset + 1;
        }
    }
    source.len()
}

/// Whether the quote that `source` begins with opens a character, and not a lifetime.
fn is_character(source: &str) -> bool {
    let mut characters = source.chars().skip(1);
    match (characters.next(), characters.next()) {
        (Some('\\'), _) => true,
        (Some(_), second) => second == Some('\''),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, &'static str)> {
        let file = TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&file)
            .into_iter()
            .map(|found| (found.line, found.rule))
            .collect()
    }

    #[test]
    fn a_library_says_what_it_is_for() {
        assert_eq!(
            found("crates/oci/src/lib.rs", "mod a;\n"),
            [(1, "crate-doc")]
        );
        assert_eq!(found("crates/oci/src/lib.rs", "//! Images.\n"), []);
        assert_eq!(found("crates/oci/src/blobs.rs", "mod a;\n"), []);
    }

    #[test]
    fn leftovers_are_found_in_code_and_nowhere_else() {
        let text = "fn a() { todo!() }\n// todo!()\nlet b = \"dbg!\"; /* dbg!(\n) */ dbg!(b);\nmy_todo!();";
        assert_eq!(
            found("crates/a/src/a.rs", text),
            [(1, "leftover"), (4, "leftover")]
        );
    }

    #[test]
    fn an_ignored_test_says_why() {
        assert_eq!(
            found("a/src/a.rs", "#[ignore]\nfn a() {}\n#[ignore = \"slow\"]"),
            [(1, "ignore-reason")]
        );
    }

    #[test]
    fn tests_do_not_sleep_without_a_reason() {
        let call = "std::thread::sleep(second);\n";
        assert_eq!(found("crates/a/src/a.rs", call), []);
        assert_eq!(
            found("crates/a/tests/it/main.rs", call),
            [(1, "sleep-in-test")]
        );
        assert_eq!(
            found(
                "crates/a/src/a.rs",
                &format!("{call}#[cfg(test)]\nmod tests {{\n{call}}}")
            ),
            [(4, "sleep-in-test")]
        );
        assert_eq!(
            found(
                "crates/a/tests/a.rs",
                &format!("// tidy(sleep-in-test): nothing tells\n{call}")
            ),
            []
        );
    }

    #[test]
    fn strings_comments_and_characters_are_no_code() {
        let source = "a(\"x\\\"y\", '\"', '\\'', r#\"q\"w\"#, b\"z\") /* a /* b */ c */ // d\nfn f<'a>(x: &'a str) {}";
        assert_eq!(code_only(source), "a(, , , , b)  \nfn f<'a>(x: &'a str) {}");
    }
}
