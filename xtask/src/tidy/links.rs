//! Links between Markdown files lead somewhere.

use super::repository::{Repository, TextFile};
use super::violation::Violation;

/// The links of one Markdown file.
pub fn check(file: &TextFile, repository: &Repository) -> Vec<Violation> {
    let problem = |(line, target): (usize, String)| {
        let wrong = broken(&file.path, &target, repository)?;
        let remedy = "correct the link, or write what it leads to";
        Some(Violation::new(
            (&file.path, line),
            "links",
            format!("({target}) {wrong}"),
            remedy,
        ))
    };
    links(&file.text).into_iter().filter_map(problem).collect()
}

/// Why `target`, linked to from the file at `from`, leads nowhere.
fn broken(from: &str, target: &str, repository: &Repository) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target
        .split_once('#')
        .map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = if path.is_empty() {
        Some(from.to_owned())
    } else {
        resolve(from, path)
    };
    let Some(path) = path else {
        return Some("leaves the repository".to_owned());
    };
    if !repository.holds(&path) {
        return Some(format!("leads to {path}, which is not there"));
    }
    let anchor = anchor.filter(|anchor| !anchor.is_empty())?;
    let target = repository
        .file(&path)
        .filter(|file| file.extension() == "md")?;
    let known = anchors(&target.text);
    (!known.iter().any(|known| known == anchor))
        .then(|| format!("leads to a heading that {path} does not have"))
}

/// `target` as seen from the file at `from`, relative to the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Lines that are no code, with their numbers and without the code in them.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fence: Option<String> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let trimmed = line.trim_start();
        let marks: String = trimmed
            .chars()
            .take_while(|mark| *mark == '`' || *mark == '~')
            .collect();
        match &fence {
            Some(open) => {
                if marks.starts_with(open.as_str()) {
                    fence = None;
                }
                None
            }
            None if marks.len() >= 3 => {
                fence = Some(marks);
                None
            }
            // Every second part is between backquotes.
            None => Some((
                index + 1,
                line.split('`').step_by(2).collect::<Vec<_>>().join("``"),
            )),
        }
    })
}

/// The targets of all links, with the lines they are on.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        for (offset, opening) in line.match_indices("](") {
            let rest = &line[offset + opening.len()..];
            if let Some((target, _)) = rest.split_once(')') {
                let target = target.split_whitespace().next().unwrap_or_default();
                links.push((number, target.trim_matches(['<', '>']).to_owned()));
            }
        }
        // [name]: target
        if let Some((_, target)) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "))
        {
            links.push((
                number,
                target
                    .split_whitespace()
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            ));
        }
    }
    links
}

/// The anchors of a file's headings, as forges make them.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        let level = line.len() - title.len();
        if fenced || !(1..=6).contains(&level) || !title.starts_with(' ') {
            continue;
        }
        let kept = title.trim().to_lowercase();
        let kept = kept
            .chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        let anchor: String = kept
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect();
        let same = anchors.iter().filter(|other| **other == anchor).count();
        anchors.push(if same == 0 {
            anchor
        } else {
            format!("{anchor}-{same}")
        });
    }
    anchors
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn repository(files: &[(&str, &str)]) -> Repository {
        let file = |(path, text): &(&str, &str)| TextFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Repository {
            root: PathBuf::from("/srv/check/out"),
            files: files.iter().map(file).collect(),
            paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
            packages: Vec::new(),
        }
    }

    fn found(text: &str) -> Vec<String> {
        let repository = repository(&[
            ("docs/a.md", text),
            ("docs/b.md", "# One `two`, three\n"),
            ("src/x.rs", ""),
        ]);
        check(&repository.files[0], &repository)
            .into_iter()
            .map(|found| format!("{}: {}", found.line, found.message))
            .collect()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let text = "# Top\n[b](b.md) [b](./b.md#one-two-three) [x](../src/x.rs) [s](../src) [r](/docs/b.md) [t](#top)\n[w](https://example.com)\n";
        assert_eq!(found(text), Vec::<String>::new());
    }

    #[test]
    fn links_that_lead_nowhere_are_named() {
        let text = "[c](c.md)\n\n[b](b.md#four) [o](../../x)\n[r]: c.md \"title\"\n";
        assert_eq!(
            found(text),
            [
                "1: (c.md) leads to docs/c.md, which is not there",
                "3: (b.md#four) leads to a heading that docs/b.md does not have",
                "3: (../../x) leaves the repository",
                "4: (c.md) leads to docs/c.md, which is not there",
            ]
        );
    }

    #[test]
    fn code_holds_no_links() {
        assert_eq!(
            found("`[c](c.md)`\n```\n[c](c.md)\n```\n"),
            Vec::<String>::new()
        );
    }
}
