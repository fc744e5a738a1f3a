//! Shell lines, read as far as a plan needs: is there anything for a shell to do, and which programs
//! are started.

use std::ops::Range;

/// Words that mean something to the shell itself where a command begins.
const SHELL_WORDS: [&str; 37] = [
    "!", ".", ":", "[[", "alias", "bg", "case", "cd", "command", "do", "done", "elif", "else",
    "esac", "eval", "exit", "export", "fg", "fi", "for", "if", "jobs", "local", "read", "readonly",
    "set", "shift", "source", "then", "trap", "umask", "unset", "until", "wait", "while", "{", "}",
];

/// A shell line, split at what is not quoted.
#[derive(Debug, Default)]
struct Line {
    /// Where each word stands, quotes included; commands are kept apart.
    commands: Vec<Vec<Range<usize>>>,
    /// `&&`, `;`, `|`, `&`, a parenthesis or a second line.
    operators: bool,
    /// Another operator than `&&` and `;`.
    branches: bool,
    /// `$`, `` ` ``, `*`, `?`, `[`, `~`, a redirection or a comment.
    expansions: bool,
}

impl Line {
    fn read(text: &str) -> Self {
        let mut line = Self {
            commands: vec![Vec::new()],
            ..Self::default()
        };
        let mut word: Option<usize> = None;
        let mut quote = None;
        let mut escaped = false;
        for (at, character) in text.char_indices() {
            if std::mem::take(&mut escaped) {
                continue;
            }
            match (quote, character) {
                (None | Some('"'), '\\') => escaped = true,
                (Some(open), close) if open == close => quote = None,
                (None | Some('"'), '$' | '`') | (None, '*' | '?' | '[' | '<' | '>') => {
                    line.expansions = true;
                }
                (None, '\'' | '"') => quote = Some(character),
                (None, ' ' | '\t') => {
                    line.end_word(&mut word, at);
                    continue;
                }
                (None, '&' | ';' | '|' | '(' | ')' | '\n' | '\r') => {
                    line.operators = true;
                    let doubled = text[..at].ends_with('&') || text[at + 1..].starts_with('&');
                    line.branches |= !(character == ';' || (character == '&' && doubled));
                    line.end_word(&mut word, at);
                    line.commands.push(Vec::new());
                    continue;
                }
                (None, '#' | '~') if word.is_none() => line.expansions = true,
                _ => {}
            }
            word.get_or_insert(at);
        }
        line.end_word(&mut word, text.len());
        line.commands.retain(|words| !words.is_empty());
        line
    }

    fn end_word(&mut self, word: &mut Option<usize>, end: usize) {
        if let (Some(start), Some(command)) = (word.take(), self.commands.last_mut()) {
            command.push(start..end);
        }
    }
}

/// How a line is started: its words where no shell is needed, else `/bin/sh` with the line.
///
/// The shell gives its place to the last program it has to start (`exec`), so that signals reach it.
pub(super) fn exec_form(text: &str) -> Vec<String> {
    let line = Line::read(text);
    if let Some(words) = plain_words(text, &line) {
        return words;
    }
    let script = handed_over(text, &line).unwrap_or_else(|| text.to_owned());
    vec!["/bin/sh".to_owned(), "-c".to_owned(), script]
}

/// How the script of a supervised program begins.
///
/// `$!` is set as soon as there is somebody to tell; before that the shell itself ends.
const TRAP: &str = "trap 'kill -TERM $! 2>/dev/null || exit 143' TERM INT;";

/// Whether a command is a [`supervised`] one.
pub(crate) fn is_supervised(command: &[String]) -> bool {
    matches!(command, [_, _, script] if script.starts_with(TRAP))
}

/// How a line is started whose program, being process 1, would take no notice of being asked to stop: a shell
/// starts it, passes on what it is told, and ends as it ends.
pub(super) fn supervised(text: &str) -> Vec<String> {
    let line = Line::read(text);
    let program = match handed_over(text, &line) {
        Some(script) if line.operators => format!("{{ {script}; }}"),
        _ if line.operators => format!("{{ {text}; }}"),
        _ => text.to_owned(),
    };
    let script = format!(
        "{TRAP} {program} & while :; do wait $!; s=$?; kill -0 $! 2>/dev/null || exit $s; done"
    );
    vec!["/bin/sh".to_owned(), "-c".to_owned(), script]
}

/// The line with `exec` before its last program; none where that is no program, or not surely the last.
fn handed_over(text: &str, line: &Line) -> Option<String> {
    if line.branches || text.trim_end().ends_with(';') {
        return None;
    }
    let program = line
        .commands
        .last()?
        .iter()
        .find(|word| !is_assignment(&text[(*word).clone()]))?;
    if is_shell_word(&text[program.clone()]) || &text[program.clone()] == "exec" {
        return None;
    }
    let mut script = text.to_owned();
    script.insert_str(program.start, "exec ");
    Some(script)
}

/// The words of a line that a shell would start just so.
fn plain_words(text: &str, line: &Line) -> Option<Vec<String>> {
    let [written] = line.commands.as_slice() else {
        return None;
    };
    let first = &text[written.first()?.clone()];
    if line.operators || line.expansions || is_assignment(first) || is_shell_word(first) {
        return None;
    }
    shlex::split(text).filter(|words| words.len() == written.len())
}

/// The commands of a line, each as its words, assignments and `sudo`, `env`, `exec` before them left out.
pub(crate) fn commands(text: &str) -> Vec<Vec<String>> {
    let line = Line::read(text);
    let commands = line.commands.iter().map(|words| {
        let words = words.iter().map(|word| unquoted(&text[word.clone()]));
        words
            .skip_while(|word| {
                is_assignment(word) || matches!(word.as_str(), "sudo" | "env" | "exec")
            })
            .collect::<Vec<_>>()
    });
    commands.filter(|words| !words.is_empty()).collect()
}

/// Whether a line is one command and nothing else, so that another can be put behind it.
pub(super) fn is_one_command(text: &str) -> bool {
    let line = Line::read(text);
    line.commands.len() == 1 && !line.operators && !line.expansions
}

/// Whether what a line does hangs on more than its words: variables, globs, redirections.
pub(super) fn expands(text: &str) -> bool {
    Line::read(text).expansions
}

/// A word in single quotes, where it needs any.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./+@%:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn unquoted(word: &str) -> String {
    shlex::split(word).map_or_else(|| word.to_owned(), |words| words.concat())
}

fn is_assignment(word: &str) -> bool {
    let name = |name: &str| {
        name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
            && name
                .chars()
                .all(|character| character == '_' || character.is_ascii_alphanumeric())
    };
    word.split_once('=').is_some_and(|(before, _)| name(before))
}

fn is_shell_word(word: &str) -> bool {
    word == "exec" || SHELL_WORDS.contains(&word)
}

/// Whether a program takes no notice of being asked to stop when it is process 1. Most leave that to the kernel,
/// which does it for every process but the first; servers and some runtimes see to it themselves.
pub fn is_deaf(language: &str, command: &str) -> bool {
    const PROGRAMS: [&str; 15] = [
        "bun", "bunx", "dart", "deno", "flask", "node", "npm", "npx", "perl", "php", "pnpm",
        "python", "python3", "tsx", "yarn",
    ];
    const COMPILED: [&str; 8] = [
        "c", "cobol", "cpp", "crystal", "haskell", "rust", "swift", "zig",
    ];
    let all = commands(command);
    let last = all.last().and_then(|words| words.first());
    last.is_some_and(|program| {
        PROGRAMS.contains(&program.as_str())
            || (program.starts_with("./") && COMPILED.contains(&language))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_line_without_shell_syntax_is_its_words() {
        assert_eq!(exec_form("npm run start"), ["npm", "run", "start"]);
        assert_eq!(
            exec_form("python -c 'print(1); x'  \"a b\""),
            ["python", "-c", "print(1); x", "a b"]
        );
        assert_eq!(exec_form(r"./a\ b --x=1"), ["./a b", "--x=1"]);
    }

    #[test]
    fn a_shell_that_starts_one_program_gives_its_place_to_it() {
        assert_eq!(
            exec_form("uvicorn main:app --port ${PORT:-8000}"),
            shell("exec uvicorn main:app --port ${PORT:-8000}")
        );
        assert_eq!(
            exec_form("A=1 B='x y' ./run > log"),
            shell("A=1 B='x y' exec ./run > log")
        );
    }

    #[test]
    fn a_shell_with_more_to_do_stays() {
        for line in [
            "./a | ./b",
            "{ ./a; ./b; }",
            "while true; do x; done",
            "exec ./a $B",
            "A=1",
        ] {
            assert_eq!(exec_form(line), shell(line), "{line}");
        }
    }

    #[test]
    fn what_cannot_be_split_is_left_to_the_shell() {
        assert_eq!(exec_form("echo 'open"), shell("exec echo 'open"));
        assert_eq!(exec_form("./a # b"), shell("exec ./a # b"));
    }

    #[test]
    fn the_last_program_of_a_line_is_process_1() {
        let script = |line| exec_form(line)[2].clone();
        assert_eq!(
            script("a x && b --port $PORT"),
            "a x && exec b --port $PORT"
        );
        assert_eq!(script("A=1 run $X"), "A=1 exec run $X");
        for line in [
            "a | b $X",
            "a & b",
            "a || b",
            "(a; b)",
            "a && exec b",
            "cd x && if y; then z; fi",
        ] {
            assert_eq!(script(line), line);
        }
    }

    /// What a supervised line prints and how it ends, some time after it was told to stop.
    fn told_to_stop(line: &str) -> (String, Option<i32>) {
        use std::io::Read as _;
        let words = supervised(line);
        let mut child = std::process::Command::new(&words[0])
            .args(&words[1..])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let mut first = [0; 6];
        out.read_exact(&mut first).unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        let mut rest = String::from_utf8_lossy(&first).into_owned();
        out.read_to_string(&mut rest).unwrap();
        (rest, status.code())
    }

    #[test]
    fn a_supervised_program_is_told_to_stop_and_its_end_is_passed_on() {
        let stubborn =
            "sh -c 'trap \"echo bye; exit 7\" TERM; echo ready; while :; do sleep 0.01; done'";
        assert_eq!(told_to_stop(stubborn), ("ready\nbye\n".to_owned(), Some(7)));
        assert_eq!(
            told_to_stop("echo ready && sleep 600"),
            ("ready\n".to_owned(), Some(143))
        );
        let ends = supervised("sh -c 'exit 3'");
        let status = std::process::Command::new(&ends[0])
            .args(&ends[1..])
            .status();
        assert_eq!(status.unwrap().code(), Some(3));
    }

    #[test]
    fn commands_of_a_line() {
        assert_eq!(
            commands("FOO=1 pip install 'x y' && sudo apt-get update; (npm ci)"),
            [
                vec!["pip", "install", "x y"],
                vec!["apt-get", "update"],
                vec!["npm", "ci"]
            ]
        );
        assert_eq!(commands(" && "), Vec::<Vec<String>>::new());
    }

    proptest! {
        #[test]
        fn words_survive_quoting(words in prop::collection::vec("[^\\x00]{1,8}", 1..5)) {
            prop_assume!(!is_shell_word(&words[0]) && !is_assignment(&words[0]));
            let line = shlex::try_join(words.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(exec_form(&line), words);
        }

        #[test]
        fn nothing_makes_it_panic(line in ".{0,60}") {
            exec_form(&line);
            commands(&line);
        }
    }
}
