//! The instructions of a Dockerfile, each on one line.

/// An instruction: its name in capitals, the rest of it, and its line.
pub(super) struct Instruction {
    pub name: String,
    pub rest: String,
    pub line: usize,
}

/// How many there may be; a file with more was not written by a person.
const MOST: usize = 5000;

pub(super) fn instructions(text: &str) -> Vec<Instruction> {
    let escape = if text
        .lines()
        .take_while(|line| line.starts_with('#'))
        .any(|line| line.replace(' ', "").eq_ignore_ascii_case("#escape=`"))
    {
        '`'
    } else {
        '\\'
    };
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut whole = String::new();
        let mut current = line;
        loop {
            let Some(continued) = current.strip_suffix(escape) else {
                whole.push_str(current);
                break;
            };
            whole.push_str(continued);
            whole.push(' ');
            // Comments and empty lines may stand between.
            let next = lines
                .by_ref()
                .map(|(_, line)| line.trim())
                .find(|line| !line.is_empty() && !line.starts_with('#'));
            match next {
                Some(next) => current = next,
                None => break,
            }
        }
        for end in heredocs(&whole) {
            for (_, line) in lines.by_ref() {
                if line.trim() == end {
                    break;
                }
            }
        }
        let (name, rest) = whole
            .split_once(char::is_whitespace)
            .unwrap_or((whole.as_str(), ""));
        found.push(Instruction {
            name: name.to_ascii_uppercase(),
            rest: rest.trim().to_owned(),
            line: index + 1,
        });
        if found.len() == MOST {
            break;
        }
    }
    found
}

/// What ends the texts that follow an instruction: `<<EOF`.
fn heredocs(line: &str) -> Vec<String> {
    let takes_them = ["RUN", "COPY", "ADD"].iter().any(|name| {
        line.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    });
    if !takes_them {
        return Vec::new();
    }
    line.match_indices("<<")
        .filter_map(|(at, _)| {
            let word = line[at + 2..].trim_start_matches('-');
            let word = word.trim_start_matches(['"', '\'']);
            let end = word
                .find(|one: char| !(one.is_ascii_alphanumeric() || one == '_'))
                .unwrap_or(word.len());
            (end > 0).then(|| word[..end].to_owned())
        })
        .collect()
}

/// `text` with the values of the variables that are known; the others stay as they are.
pub(super) fn expanded(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let is_word = |one: char| one == '_' || one.is_ascii_alphanumeric();
        let (name, default, length) = if let Some(inside) = behind.strip_prefix('{') {
            let Some(end) = inside.find('}') else {
                result.push_str(&rest[at..]);
                return result;
            };
            let (name, default) = match inside[..end].split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (&inside[..end], None),
            };
            (name, default, end + 2)
        } else {
            let end = behind.find(|one| !is_word(one)).unwrap_or(behind.len());
            (&behind[..end], None, end)
        };
        match value(name).or_else(|| default.map(str::to_owned)) {
            Some(value) if !name.is_empty() => result.push_str(&value),
            _ => result.push_str(&rest[at..=at + length]),
        }
        rest = &rest[at + 1 + length..];
    }
    result.push_str(rest);
    result
}
