//! What the terminal is called at which somebody sits.

use std::env;
use std::io::{self, IsTerminal as _};

use rustix::termios::ttyname;

use super::usage;
use crate::failure::Outcome;

/// The longest name a terminal can have.
const LONGEST: usize = 63;

/// What `ERGON_TERMINAL` says, else who sits where: `alice-pts-3`. None where nobody sits: in a script, or a pipe.
pub fn name() -> Option<String> {
    let said = env::var("ERGON_TERMINAL").ok();
    if let Some(said) = said
        .map(|said| said.trim().to_owned())
        .filter(|said| !said.is_empty())
    {
        return Some(said);
    }
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let path = if stdin.is_terminal() {
        ttyname(&stdin, Vec::new())
    } else if stdout.is_terminal() {
        ttyname(&stdout, Vec::new())
    } else {
        return None;
    };
    let path = path.ok()?.to_string_lossy().into_owned();
    let user = env::var("USER").or_else(|_| env::var("LOGNAME"));
    let user = user.unwrap_or_else(|_| format!("user{}", rustix::process::getuid().as_raw()));
    Some(made_of(&user, &path))
}

/// The terminal's name, where it is needed.
pub fn needed() -> Outcome<String> {
    name().ok_or_else(|| {
        usage(
            "nobody sits at a terminal here, so there is no inbox",
            "ERGON_TERMINAL=NAME says which one is meant",
        )
    })
}

fn made_of(user: &str, path: &str) -> String {
    let path = path.strip_prefix("/dev/").unwrap_or(path);
    let plain = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.') => letter,
        _ => '-',
    };
    let name: String = format!("{user}-{path}")
        .chars()
        .map(plain)
        .take(LONGEST)
        .collect();
    // A name begins with a letter or a digit.
    let begun = name.trim_start_matches(|letter: char| !letter.is_ascii_alphanumeric());
    begun.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_called_after_who_sits_where() {
        for (user, path, name) in [
            ("alice", "/dev/pts/3", "alice-pts-3"),
            ("root", "/dev/tty1", "root-tty1"),
            ("_ü b@c", "/dev/pts/3", "b-c-pts-3"),
        ] {
            assert_eq!(made_of(user, path), name);
        }
        assert_eq!(made_of(&"x".repeat(99), "/dev/pts/3").len(), LONGEST);
    }
}
