//! Rules for any text file: how long it may be, and what of the machine it was written on it may tell.

use std::path::Path;

use super::repository::TextFile;
use super::violation::{Violation, is_excused};

/// A file that is longer usually holds two concepts.
const LONGEST: usize = 600;
const MEASURED: &[&str] = &["rs", "ts", "tsx", "css"];
/// Files that a program writes.
const GENERATED: &[&str] = &["web/src/api/schema.d.ts"];

/// The one place that crates come from, as Cargo writes it down.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// All rules for one text file.
pub fn check(file: &TextFile, root: &Path) -> Vec<Violation> {
    let mut violations = Vec::new();
    violations.extend(length(file));
    violations.extend(hosts(file));
    violations.extend(machine_paths(file, root));
    violations.extend(openapi(file));
    violations
}

fn length(file: &TextFile) -> Option<Violation> {
    let lines = file.text.lines().count();
    let measured = MEASURED.contains(&file.extension()) && !GENERATED.contains(&file.path.as_str());
    (measured && lines > LONGEST).then(|| {
        let message = format!("{lines} lines; {LONGEST} are enough for one concept");
        Violation::new(
            (&file.path, LONGEST + 1),
            "file-length",
            message,
            "find the second concept and give it its own file",
        )
    })
}

/// Lock files say what was taken, not from which machine it was downloaded.
fn hosts(file: &TextFile) -> Vec<Violation> {
    let lines = file.text.lines().enumerate();
    let wrong: Vec<(usize, &str)> = match file.name() {
        "package-lock.json" | "npm-shrinkwrap.json" => lines
            .filter(|(_, line)| line.trim_start().starts_with("\"resolved\"") && line.contains("://"))
            .map(|(index, _)| (index, "run npm with --omit-lockfile-registry-resolved, or delete the `resolved` fields"))
            .collect(),
        "Cargo.lock" => lines
            .filter(|(_, line)| line.starts_with("source = ") && !line.contains(CRATES_IO))
            .map(|(index, _)| (index, "take releases from crates.io, and name it by its own address"))
            .collect(),
        _ => Vec::new(),
    };
    let violation = |(index, remedy)| {
        Violation::new(
            (&file.path, index + 1),
            "lock-hosts",
            "a lock file names a download host",
            remedy,
        )
    };
    // One is enough to know; a lock file has hundreds.
    wrong.into_iter().take(1).map(violation).collect()
}

/// Paths that exist on one machine only.
fn machine_paths(file: &TextFile, root: &Path) -> Vec<Violation> {
    let lines: Vec<&str> = file.text.lines().collect();
    // A checkout right under the file system's root is called like things in containers: `/app`.
    let root = (root.components().count() > 2).then(|| root.display().to_string());
    let tells = |line: &str| {
        let user = ["/home/", "/Users/"]
            .iter()
            .any(|folder| follows(line, folder, char::is_alphanumeric));
        user || root
            .as_deref()
            .is_some_and(|root| follows(line, root, |next| next == '/' || next == '"'))
    };
    (0..lines.len())
        .filter(|index| tells(lines[*index]) && !is_excused(&lines, *index, "machine-path"))
        .map(|index| {
            Violation::new(
                (&file.path, index + 1),
                "machine-path",
                "a path that exists on one machine only",
                "write it relative to the repository, or say why: tidy(machine-path): why",
            )
        })
        .collect()
}

/// Whether `path` stands in `line` at the beginning of a path, and a character that `fits` comes after it.
fn follows(line: &str, path: &str, fits: impl Fn(char) -> bool) -> bool {
    let inside = |before: &str| {
        before.ends_with(|last: char| last.is_alphanumeric() || "._-}".contains(last))
    };
    line.match_indices(path).any(|(offset, _)| {
        let next = line[offset + path.len()..].chars().next();
        !inside(&line[..offset]) && next.is_some_and(&fits)
    })
}

/// The committed API document, from which the web client is generated.
fn openapi(file: &TextFile) -> Option<Violation> {
    if file.path != "crates/server/openapi.json" {
        return None;
    }
    let document: Option<serde_json::Value> = serde_json::from_str(&file.text).ok();
    let is_openapi = document
        .is_some_and(|document| document["openapi"].is_string() && document["paths"].is_object());
    (!is_openapi).then(|| {
        let remedy = "let the server's test write it again; do not edit it";
        Violation::new(
            (&file.path, 1),
            "openapi",
            "this is no OpenAPI document",
            remedy,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, &'static str)> {
        let file = TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&file, Path::new("/srv/check/out"))
            .into_iter()
            .map(|found| (found.line, found.rule))
            .collect()
    }

    #[test]
    fn a_file_holds_one_concept() {
        assert_eq!(found("a.rs", &"\n".repeat(600)), []);
        assert_eq!(found("a.rs", &"\n".repeat(601)), [(601, "file-length")]);
        assert_eq!(found("a.json", &"\n".repeat(601)), []);
        assert_eq!(found(GENERATED[0], &"\n".repeat(601)), []);
    }

    #[test]
    fn lock_files_name_no_host() {
        let lock = "{\n  \"resolved\": \"https://example.com/a.tgz\",\n  \"resolved\": \"https://example.com/b.tgz\"\n}";
        assert_eq!(found("web/package-lock.json", lock), [(2, "lock-hosts")]);
        assert_eq!(
            found("web/package-lock.json", "{ \"resolved\": \"web\" }"),
            []
        );
        assert_eq!(
            found("Cargo.lock", &format!("source = \"{CRATES_IO}\"\n")),
            []
        );
        assert_eq!(
            found("Cargo.lock", "source = \"git+https://example.com\"\n"),
            [(1, "lock-hosts")]
        );
    }

    #[test]
    fn no_file_tells_where_it_was_written() {
        // tidy(machine-path): these are what the rule looks for
        let (user, mac) = ("cd /home/someone/x", "/Users/someone");
        assert_eq!(found("a.md", user), [(1, "machine-path")]);
        assert_eq!(found("a.md", mac), [(1, "machine-path")]);
        assert_eq!(
            found("a.sh", "cd /srv/check/out/docs"),
            [(1, "machine-path")]
        );
        assert_eq!(found("a.sh", "cd /srv/check/outside"), []);
        assert_eq!(
            found("a.md", "GET /api/home/x, web/home/x, $HOME/x, /home/$USER"),
            []
        );
    }

    #[test]
    fn the_api_document_is_one() {
        assert_eq!(found("crates/server/openapi.json", "{}"), [(1, "openapi")]);
        assert_eq!(
            found(
                "crates/server/openapi.json",
                r#"{ "openapi": "3.1.0", "paths": {} }"#
            ),
            []
        );
    }
}
