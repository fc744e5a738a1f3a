//! What the tab key completes: commands and options, and the names of those who are there.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap_complete::CompletionCandidate;
use clap_complete::env::Shells;
use ergon_server::api::{Companion, List};

use crate::aish::{AISH_WORDS, KINDS, alias_names};
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::{output, start};

/// The variable by which a shell asks what completes.
const VARIABLE: &str = "COMPLETE";
/// A person has pressed a key, and waits.
const PATIENCE: Duration = Duration::from_millis(500);

/// What `aish` may begin with.
pub fn first_words(begun: &OsStr) -> Vec<CompletionCandidate> {
    let words = AISH_WORDS.iter().map(|&word| word.to_owned());
    let all = names(None).into_iter().chain(alias_names()).chain(words);
    fitting(begun, all)
}

/// What may come next, after what stands there.
pub fn next_words(begun: &OsStr) -> Vec<CompletionCandidate> {
    let before = words_before();
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    fitting(begun, following(&before))
}

fn following(before: &[&str]) -> Vec<String> {
    let plain = |words: &[&str]| {
        words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<Vec<_>>()
    };
    match before {
        ["list"] => plain(&["type", "json"]),
        ["list", "type"] => plain(&KINDS),
        ["status"] => plain(&["json"]),
        ["inbox"] => plain(&["show", "count", "clear", "send"]),
        ["inbox", "clear"] => plain(&["all"]),
        ["inbox", "send"] | ["purpose"] | ["forward", "remove"] => names(None),
        ["forward"] => [plain(&["list", "remove"]), names(None)].concat(),
        ["forward", name] if !matches!(*name, "list" | "remove") => names(Some("terminal")),
        ["alias"] => plain(&["list", "add", "remove"]),
        ["alias", "remove"] => alias_names().collect(),
        ["alias", "add", _] => [plain(&AISH_WORDS), names(None)].concat(),
        ["completion"] => shells(),
        _ => Vec::new(),
    }
}

/// The words between `aish` and where the tab key was pressed; the shell hands over the whole line.
fn words_before() -> Vec<String> {
    let line = env::args().skip_while(|word| word != "--").skip(2);
    let mut words: Vec<String> = line.filter(|word| !word.starts_with('-')).collect();
    // The last is what was begun.
    words.pop();
    words
}

fn fitting(begun: &OsStr, all: impl IntoIterator<Item = String>) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy().to_lowercase();
    let fits = all
        .into_iter()
        .filter(|name| name.to_lowercase().starts_with(&begun));
    fits.map(CompletionCandidate::new).collect()
}

/// Who is there. Nobody, where no stack answers at once: the tab key explains nothing.
fn names(kind: Option<&str>) -> Vec<String> {
    let ask = async {
        let data = env::var_os("ERGON_DATA").map(PathBuf::from);
        let client = Client::find(data.as_deref(), None).ok()?;
        let asked = client.get(&["api", "v1", "companions"]);
        let list: List<Companion> = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
        Some(list.items)
    };
    start::give_tls_its_provider();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let there = runtime.ok().and_then(|runtime| runtime.block_on(ask));
    let there = there.unwrap_or_default().into_iter();
    there
        .filter(|one| kind.is_none_or(|kind| one.kind == kind))
        .map(|one| one.name)
        .collect()
}

fn shells() -> Vec<String> {
    Shells::builtins().names().map(str::to_owned).collect()
}

/// Prints what has a shell complete `aish`.
pub fn print_for_aish(shell: Option<&str>) -> Outcome {
    output::print_plain(&registration(shell, &["aish"])?)
}

/// Prints what has a shell complete `ergon` and `aish`.
pub fn print_for_both(shell: &str) -> Outcome {
    output::print_plain(&registration(Some(shell), &["ergon", "aish"])?)
}

fn registration(shell: Option<&str>, programs: &[&str]) -> Outcome<String> {
    let builtins = Shells::builtins();
    let known = || shells().join(", ");
    let Some(shell) = shell else {
        return Err(Failure::new("which shell is missing")
            .with_remedy(format!("one of {}", known()))
            .as_usage());
    };
    let Some(completer) = builtins.completer(shell) else {
        return Err(Failure::new(format!("there is no completion for {shell}"))
            .with_remedy(format!("one of {}", known()))
            .as_usage());
    };
    let mut text = Vec::new();
    for program in programs {
        completer
            .write_registration(VARIABLE, program, program, program, &mut text)
            .map_err(|error| Failure::new(format!("the completion cannot be written: {error}")))?;
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_has_one_for_both_programs() {
        for shell in ["bash", "zsh", "fish"] {
            let text = registration(Some(shell), &["ergon", "aish"]).unwrap();
            assert!(text.contains("ergon") && text.contains("aish") && text.contains(VARIABLE));
        }
        assert!(registration(Some("cmd.exe"), &["aish"]).is_err());
        assert!(registration(None, &["aish"]).is_err());
    }

    #[test]
    fn what_comes_next_depends_on_what_stands_there() {
        assert_eq!(following(&["list"]), ["type", "json"]);
        assert_eq!(following(&["list", "type"]), KINDS);
        assert_eq!(following(&["fastapi-ci"]), [""; 0]);
        let begun = fitting(OsStr::new("T"), following(&["list", "type"]));
        let begun: Vec<_> = begun.iter().map(CompletionCandidate::get_value).collect();
        assert_eq!(begun, ["tekton", "tool", "terminal"]);
    }
}
