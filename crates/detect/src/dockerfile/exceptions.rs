//! Where a command breaks a rule of hadolint with good reason, and what is said about it.

use crate::plan::commands;

const BY_DEBIAN: &str = "# A pinned version would be gone as soon as Debian mends the package.";
const BY_ALPINE: &str = "# A pinned version would be gone as soon as Alpine mends the package.";
const BY_THE_PROJECT: &str = "# How this is done is for the project to say.";

const BY_YARN: &str = "# What lies in its cache is what runs.";

/// The comments before a command that installs what it does not pin: why, and the rules that would have it pinned.
pub fn exceptions(line: &str) -> Vec<String> {
    let mut reason = None;
    let mut rules: Vec<&str> = Vec::new();
    if line.contains("YARN_ENABLE_GLOBAL_CACHE=false ") {
        reason = Some(BY_YARN);
        rules.push("DL3060");
    }
    for words in commands(line) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (because, broken): (_, &[&str]) = match words.as_slice() {
            ["apt-get" | "apt", rest @ ..] if rest.contains(&"install") => {
                (BY_DEBIAN, by_debian(line, rest))
            }
            ["apk", rest @ ..] if rest.contains(&"add") => (BY_ALPINE, &["DL3018"]),
            _ => (BY_THE_PROJECT, by_the_project(&words)),
        };
        if !broken.is_empty() {
            reason = reason.or(Some(because));
            rules.extend(broken);
        }
    }
    rules.sort_unstable();
    rules.dedup();
    reason.map_or_else(Vec::new, |reason| {
        vec![
            reason.to_owned(),
            format!("# hadolint ignore={}", rules.join(",")),
        ]
    })
}

/// The rules that bringing Debian's packages breaks.
fn by_debian(line: &str, words: &[&str]) -> &'static [&'static str] {
    let is_lean = words.contains(&"--no-install-recommends");
    match (is_lean, line.contains("/var/lib/apt/lists")) {
        (true, true) => &["DL3008"],
        (true, false) => &["DL3008", "DL3009"],
        (false, true) => &["DL3008", "DL3015"],
        (false, false) => &["DL3008", "DL3009", "DL3015"],
    }
}

/// The rules that a command breaks which detection or the manifest brings.
fn by_the_project(words: &[&str]) -> &'static [&'static str] {
    let (words, program) = match words {
        ["python" | "python3", "-m", "pip", rest @ ..] | ["pip" | "pip3", rest @ ..] => {
            (rest, "pip")
        }
        ["npm", rest @ ..] => (rest, "npm"),
        ["gem", rest @ ..] => (rest, "gem"),
        ["cd", ..] => return &["DL3003"],
        _ => return &[],
    };
    let Some(at) = words
        .iter()
        .position(|word| matches!(*word, "install" | "i" | "add"))
    else {
        return &[];
    };
    let floats = floating(&words[at + 1..], program);
    match program {
        "pip" => match (floats, words.contains(&"--no-cache-dir")) {
            (true, true) => &["DL3013"],
            (true, false) => &["DL3013", "DL3042"],
            (false, true) => &[],
            (false, false) => &["DL3042"],
        },
        "npm" if floats => &["DL3016"],
        "gem" if floats => &["DL3028"],
        _ => &[],
    }
}

/// Whether a package is named without its version.
fn floating(words: &[&str], program: &str) -> bool {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if matches!(
            *word,
            "-r" | "-c" | "-e" | "--requirement" | "--constraint" | "--editable"
        ) {
            words.next();
            continue;
        }
        let pinned: &[char] = match program {
            "pip" => &['=', '<', '>', '~', '!', '/'],
            "npm" => &['@', ':'],
            _ => &[':'],
        };
        let scope = usize::from(word.starts_with('@'));
        if !word.starts_with(['-', '.', '/']) && !word[scope..].contains(pinned) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn rules(line: &str) -> String {
        let comments = exceptions(line);
        comments.last().map_or_else(String::new, |last| {
            last.trim_start_matches("# hadolint ignore=").to_owned()
        })
    }

    #[test]
    fn what_is_pinned_needs_no_exception() {
        for line in [
            "npm ci",
            "npm install",
            "npm install -g pnpm@9.1.0",
            "pip install --no-cache-dir -r requirements.txt",
            "pip install --no-cache-dir 'uv<1' .",
            "echo pip install uv",
            "pip list",
            "",
        ] {
            assert_eq!(rules(line), "", "{line}");
        }
    }

    #[test]
    fn what_floats_is_excepted_by_its_rules() {
        for (line, said) in [
            ("apt-get install -y gcc", "DL3008,DL3009,DL3015"),
            (
                "apt-get install -y --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*",
                "DL3008",
            ),
            ("apk add --no-cache nodejs npm", "DL3018"),
            ("pip install --no-cache-dir uv", "DL3013"),
            ("pip install -r requirements.txt", "DL3042"),
            ("python -m pip install gunicorn", "DL3013,DL3042"),
            ("npm install -g yarn", "DL3016"),
            ("cd web && npm ci", "DL3003"),
            ("npm i -g @nestjs/cli", "DL3016"),
            ("YARN_ENABLE_GLOBAL_CACHE=false yarn install", "DL3060"),
            (
                "gem install bundler && pip install a",
                "DL3013,DL3028,DL3042",
            ),
        ] {
            assert_eq!(rules(line), said, "{line}");
        }
    }
}
