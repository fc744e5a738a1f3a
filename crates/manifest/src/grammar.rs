//! What a text may be, where it is more than any text: names, paths, images, commands.
//!
//! Each rule takes the text alone and says why it does not fit. A text that passes can be handed on to
//! a file system, an engine or a Dockerfile without a second look.

use crate::diagnostic::{code, quoted};
use crate::image::is_path_component;

/// Why a text does not fit, and what would.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub code: &'static str,
    /// Follows the path in a message: `is empty`, `has a space in it`.
    pub reason: String,
    pub help: Option<String>,
}

pub(crate) type Fit = Result<(), Misfit>;
/// A rule for one kind of text.
pub(crate) type Rule = fn(&str) -> Fit;

/// Patterns of the rules that a JSON Schema can hold, for people's editors.
pub(crate) mod pattern {
    pub const NAME: &str = "^[a-z0-9]+((\\.|__?|-+)[a-z0-9]+)*$";
    pub const ENVIRONMENT_NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*$";
    pub const SECRET: &str = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$";
    pub const LINE: &str =
        "^[^\\u0000-\\u001f\\u007f]*[^\\u0000-\\u0020\\u007f][^\\u0000-\\u001f\\u007f]*$";
    pub const COMMAND: &str = "^[^\\u0000-\\u0008\\u000a-\\u001f\\u007f]*[^\\u0000-\\u0020\\u007f][^\\u0000-\\u0008\\u000a-\\u001f\\u007f]*$";
    pub const WORD: &str = "^[^-\\s\\u0000-\\u001f\\u007f][^\\s\\u0000-\\u001f\\u007f]*$";
    pub const RELATIVE_PATH: &str =
        "^[^/\\\\\\u0000-\\u001f\\u007f][^\\\\\\u0000-\\u001f\\u007f]*$";
    pub const VOLUME: &str = "^/[^/\\\\\\u0000-\\u001f\\u007f][^\\\\\\u0000-\\u001f\\u007f]*$";
    pub const HEALTH_PATH: &str = "^/[!-~]*$";
    pub const PLATFORM: &str = "^linux/[a-z0-9]+(/v[0-9])?$";
    pub const PACKAGE: &str = "^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+~:-]+)?$";
}

/// The longest name of anything.
pub(crate) const LONGEST_NAME: usize = 63;

pub(crate) fn misfit(
    code: &'static str,
    reason: impl Into<String>,
    help: impl Into<String>,
) -> Fit {
    Err(Misfit {
        code,
        reason: reason.into(),
        help: Some(help.into()),
    })
}

/// How a misfit's reason begins.
pub(crate) fn is(text: &str) -> String {
    format!("is {}", quoted(text))
}

/// Any text on one line with something in it.
pub(crate) fn line(text: &str) -> Fit {
    if text.trim().is_empty() {
        return misfit(code::EMPTY, "is empty", "say what it is");
    }
    if text.chars().any(char::is_control) {
        return misfit(
            code::CONTROL_CHARACTER,
            format!("{} and has a control character in it", is(text)),
            "remove it",
        );
    }
    Ok(())
}

/// Any text that can be an environment variable's value.
pub(crate) fn value(text: &str) -> Fit {
    if text.contains('\0') {
        return misfit(
            code::CONTROL_CHARACTER,
            format!("{} and has a NUL in it", is(text)),
            "remove it",
        );
    }
    Ok(())
}

/// The name of an application, a companion, a service, a capability: also part of a Docker image name.
pub(crate) fn name(text: &str) -> Fit {
    if text.len() > LONGEST_NAME {
        let reason = format!("{} and has {} characters", is(text), text.len());
        return misfit(
            code::NAME,
            reason,
            format!("a name has at most {LONGEST_NAME}"),
        );
    }
    if is_path_component(text) {
        return Ok(());
    }
    let wanted = "names are lowercase letters and digits, with `-`, `_` or `.` between them";
    let suggestion = as_name(text);
    let help = if suggestion.is_empty() {
        wanted.to_owned()
    } else {
        format!("{wanted}: {suggestion}")
    };
    misfit(
        code::NAME,
        format!("{}, which is not a name", is(text)),
        help,
    )
}

/// The name of a container, which Docker wants at least two characters long.
pub(crate) fn container_name(text: &str) -> Fit {
    name(text)?;
    if text.len() < 2 {
        return misfit(
            code::NAME,
            format!("{} and has one character", is(text)),
            "Docker's container names have at least two",
        );
    }
    Ok(())
}

/// `text` made into a name, or nothing where nothing is left of it.
fn as_name(text: &str) -> String {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric());
    let words: Vec<_> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}

/// The name of an environment variable, as shells know it.
pub(crate) fn environment_name(text: &str) -> Fit {
    let mut bytes = text.bytes();
    let starts = bytes
        .next()
        .is_some_and(|byte| byte == b'_' || byte.is_ascii_alphabetic());
    if starts && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    misfit(
        code::ENVIRONMENT_NAME,
        format!("{}, which is not a variable's name", is(text)),
        "letters, digits and `_`, not beginning with a digit: DATABASE_URL",
    )
}

/// Whether a text can be the name of a secret: words of small letters and digits with single dashes between them. As a
/// variable's name, in large letters, it is then no other secret's.
pub fn is_secret_name(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
    text.len() <= LONGEST_NAME && begins && text.split('-').all(is_word)
}

/// The name of a secret.
pub(crate) fn secret(text: &str) -> Fit {
    if is_secret_name(text) {
        return Ok(());
    }
    misfit(
        code::SECRET_NAME,
        format!("{}, which is not a secret's name", is(text)),
        "small letters, digits and single dashes between them, a letter first: db-password",
    )
}

/// A path inside the project, in the one form that compares equal: `services/api`.
pub(crate) fn project_path(text: &str) -> Fit {
    let leaves = |why: &str| {
        misfit(
            code::PATH_LEAVES_PROJECT,
            format!("{}, which {why}", is(text)),
            "paths stay inside the project and are relative: services/api",
        )
    };
    if text.is_empty() {
        return misfit(
            code::EMPTY,
            "is empty",
            "leave the field out, or write a path",
        );
    }
    if text.chars().any(char::is_control) {
        return misfit(
            code::PATH,
            format!("{} and has a control character in it", is(text)),
            "remove it",
        );
    }
    if text.contains('\\') {
        return misfit(
            code::PATH,
            format!("{} and has a backslash in it", is(text)),
            format!("write {}", quoted(&text.replace('\\', "/"))),
        );
    }
    if text.starts_with('/') {
        return leaves("is absolute");
    }
    if text.split('/').any(|part| part == "..") {
        return leaves("goes up with `..`");
    }
    if text != "." && text.split('/').any(|part| part.is_empty() || part == ".") {
        let parts: Vec<_> = text
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        let plain = if parts.is_empty() {
            ".".to_owned()
        } else {
            parts.join("/")
        };
        return misfit(
            code::PATH,
            format!("{}, which has needless parts", is(text)),
            format!("write {}", quoted(&plain)),
        );
    }
    Ok(())
}

/// An absolute path inside a container.
pub(crate) fn volume(text: &str) -> Fit {
    let wrong = |why: &str| {
        misfit(
            code::VOLUME,
            format!("{}, which {why}", is(text)),
            "a volume is an absolute path in the container: /var/lib/data",
        )
    };
    let Some(rest) = text.strip_prefix('/') else {
        return wrong("is not absolute");
    };
    if text
        .chars()
        .any(|character| character.is_control() || character == '\\')
    {
        return wrong("has a control character or a backslash in it");
    }
    if rest.is_empty() {
        return wrong("is the whole container");
    }
    if rest.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return wrong("has `..`, `.` or an empty part in it");
    }
    Ok(())
}

/// One shell line.
pub(crate) fn command(text: &str) -> Fit {
    if text.trim().is_empty() {
        return misfit(
            code::EMPTY,
            "is an empty command",
            "leave it out, or write a shell line",
        );
    }
    if text.contains(['\n', '\r']) {
        return misfit(
            code::COMMAND,
            "has more than one line",
            "join lines with ` && `, or write several commands",
        );
    }
    if text
        .chars()
        .any(|character| character.is_control() && character != '\t')
    {
        return misfit(
            code::COMMAND,
            format!("{} and has a control character in it", is(text)),
            "remove it",
        );
    }
    Ok(())
}

/// A path that is asked for by HTTP.
pub(crate) fn health_path(text: &str) -> Fit {
    if text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let (why, help) = if text.starts_with('/') {
        (
            "has a character that no URL has",
            "percent-encode it: %20 for a space".to_owned(),
        )
    } else {
        (
            "does not begin with `/`",
            format!("write {}", quoted(&format!("/{text}"))),
        )
    };
    misfit(
        code::HEALTH_PATH,
        format!("{}, which {why}", is(text)),
        help,
    )
}

/// A Debian package: `libpq5`, `libpq5:arm64`, `libpq5=15.3-0`.
pub(crate) fn package(text: &str) -> Fit {
    let (rest, version) = text
        .split_once('=')
        .map_or((text, None), |(rest, version)| (rest, Some(version)));
    let (package, architecture) = rest
        .split_once(':')
        .map_or((rest, None), |(package, architecture)| {
            (package, Some(architecture))
        });
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = package.len() > 1
        && package
            .bytes()
            .all(|byte| lower(byte) || b"+.-".contains(&byte))
        && package.bytes().next().is_some_and(lower)
        && architecture.is_none_or(|text| {
            !text.is_empty() && text.bytes().all(|byte| lower(byte) || byte == b'-')
        })
        && version.is_none_or(|text| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".+~:-".contains(&byte))
        });
    if fits {
        return Ok(());
    }
    misfit(
        code::PACKAGE,
        format!("{}, which is not a Debian package", is(text)),
        "write a package's name: libpq5",
    )
}

/// Where sources come from. Handed to git, so it must not look like an option.
pub(crate) fn repository(text: &str) -> Fit {
    line(text)?;
    if text.starts_with('-') || text.contains(char::is_whitespace) {
        return misfit(
            code::REPOSITORY,
            format!("{}, which is not a repository", is(text)),
            "github.com/company/api",
        );
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn refused(rule: Rule, texts: &[&str]) {
        for text in texts {
            assert!(rule(text).is_err(), "{text:?} was accepted");
        }
    }

    pub(crate) fn accepted(rule: Rule, texts: &[&str]) {
        for text in texts {
            assert!(rule(text).is_ok(), "{text:?}: {:?}", rule(text));
        }
    }

    #[test]
    fn names_work_as_image_names() {
        accepted(
            name,
            &[
                "a",
                "web",
                "web-2",
                "my.app",
                "a_b",
                "a__b",
                "a---b",
                &"x".repeat(63),
            ],
        );
        refused(
            name,
            &[
                "",
                "Web",
                "-a",
                "a-",
                "a..b",
                "a___b",
                "a._b",
                "a b",
                "é",
                "a/b",
                &"x".repeat(64),
            ],
        );
        refused(container_name, &["a"]);
    }

    #[test]
    fn a_wrong_name_is_answered_with_a_right_one() {
        let help = name("My API!").unwrap_err().help.unwrap_or_default();
        assert!(help.ends_with(": my-api"), "{help}");
    }

    #[test]
    fn project_paths_stay_inside_and_have_one_form() {
        accepted(
            project_path,
            &[".", "main.py", "services/api", "a..b/c", "…/ü"],
        );
        refused(
            project_path,
            &[
                "", "/etc", "..", "a/../b", "a/..", "a\\b", "a\0b", "./a", "a/", "a//b", "a\nb",
            ],
        );
    }

    #[test]
    fn volumes_are_absolute() {
        accepted(volume, &["/data", "/var/lib/x"]);
        refused(volume, &["", "data", "/", "/a/../b", "/a/", "//a", "/a\0"]);
    }

    #[test]
    fn commands_are_one_line() {
        accepted(command, &["pip install -r requirements.txt", "a\t&& b"]);
        refused(command, &["", "  ", "a\nUSER root", "a\0b", "a\u{1b}"]);
    }

    #[test]
    fn packages_cannot_carry_a_shell_line() {
        accepted(
            package,
            &["libpq5", "g++", "libc6:arm64", "curl=7.88.1-10+deb12u5"],
        );
        refused(
            package,
            &[
                "",
                "a",
                "-y",
                "curl; rm -rf /",
                "curl wget",
                "Curl",
                "curl=",
                "curl:",
            ],
        );
    }
}
