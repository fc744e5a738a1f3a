//! Gradle's build scripts, in Groovy and in Kotlin, read without running them.

use super::build::Used;
use super::catalog::Catalog;
use crate::scan::Scan;
use crate::sources::Sources;

const QUOTES: &[char] = &['"', '\''];

/// A script whose comments are blanked, so that each line keeps its number.
#[derive(Clone)]
pub struct Script {
    pub file: String,
    pub text: String,
}

impl Script {
    pub fn read(sources: &Sources<'_>, file: &str) -> Option<Self> {
        let text = sources.text(file)?;
        Some(Self {
            file: file.to_owned(),
            text: without_comments(&text),
        })
    }

    fn from(&self, scan: &Scan<'_>) -> String {
        format!("{}:{}", self.file, scan.line())
    }

    /// Every whole word in the script, seen from behind.
    fn behind<'a>(&'a self, word: &'a str) -> impl Iterator<Item = Scan<'a>> {
        Scan::behind(&self.text, word, &[]).filter(|scan| {
            !scan
                .rest()
                .starts_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    }

    pub fn mentions(&self, word: &str) -> Option<String> {
        self.behind(word).next().map(|scan| self.from(&scan))
    }

    /// What is assigned to a name: the rest of its line, and where.
    pub fn assigned<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, String)> {
        self.behind(name).filter_map(|scan| {
            let line = scan.rest().lines().next().unwrap_or("");
            let value = line.trim_start();
            let assigns = (value.starts_with('=') && !value.starts_with("=="))
                || value.starts_with(".set(")
                || value.starts_with('(')
                || value.starts_with("by extra(")
                || (line.starts_with(' ')
                    && value.starts_with(['\'', '"', '1', '2', '8', '9', 'J']));
            assigns.then(|| (value, self.from(&scan)))
        })
    }

    /// The content of the first block of this name: `jar { … }`.
    pub fn block<'a>(&'a self, name: &'a str) -> Option<(String, &'a str)> {
        self.behind(name).find_map(|scan| {
            let mut inside = scan;
            if !inside.eat("{") {
                return None;
            }
            let end = closing(inside.rest())?;
            Some((self.from(&scan), &inside.rest()[..end]))
        })
    }

    /// The script without what it says of other projects, and with nothing but what it says of all of them.
    pub fn split(&self) -> (Self, Self) {
        let mut own = self.text.clone();
        let mut shared = blank(&self.text);
        for name in ["subprojects", "allprojects", "configure"] {
            for scan in self.behind(name) {
                let Some(open) = scan.rest().lines().next().and_then(|line| line.find('{')) else {
                    continue;
                };
                let start = self.text.len() - scan.rest().len() + open + 1;
                let Some(length) = closing(&self.text[start..]) else {
                    continue;
                };
                let range = start..start + length;
                shared.replace_range(range.clone(), &self.text[range.clone()]);
                if name == "subprojects" {
                    own.replace_range(range.clone(), &blank(&self.text[range]));
                }
            }
        }
        let file = self.file.clone();
        (
            Self {
                file: file.clone(),
                text: own,
            },
            Self { file, text: shared },
        )
    }

    /// The plugins that are applied here.
    pub fn plugins(&self, catalog: &Catalog) -> Vec<Used> {
        self.named_plugins(catalog, false)
    }

    /// The plugins that are named here, `unapplied` ones among them, which say their version for others.
    pub fn named_plugins(&self, catalog: &Catalog, unapplied: bool) -> Vec<Used> {
        let mut plugins = Vec::new();
        let mut add = |scan: &Scan<'_>, id: String, version: Option<String>| {
            let line = scan.rest().lines().next().unwrap_or("");
            let applies = !line.contains("apply false") && !line.contains("apply(false)");
            if !applies && !unapplied {
                return;
            }
            plugins.push(Used {
                name: id,
                version,
                from: self.from(scan),
            });
        };
        for scan in self.behind("id") {
            let mut inside = scan;
            inside.eat("(");
            if let Some(id) = inside.string(QUOTES) {
                inside.eat(")");
                add(&scan, id.to_owned(), version(&mut inside));
            }
        }
        for scan in self.behind("kotlin") {
            let mut inside = scan;
            if scan.rest().starts_with('(')
                && inside.eat("(")
                && let Some(name) = inside.string(QUOTES)
                && scan
                    .line_before()
                    .rsplit(['{', ';'])
                    .next()
                    .is_some_and(|statement| statement.trim() == "kotlin")
            {
                inside.eat(")");
                add(
                    &scan,
                    format!("org.jetbrains.kotlin.{name}"),
                    version(&mut inside),
                );
            }
        }
        for scan in self.behind("apply") {
            let mut inside = scan;
            inside.eat("(");
            if inside.eat("plugin")
                && (inside.eat(":") || inside.eat("="))
                && let Some(id) = inside.string(QUOTES)
            {
                add(&scan, id.to_owned(), None);
            }
        }
        for scan in self.behind("alias") {
            let mut inside = scan;
            if inside.eat("(") {
                let path = inside.rest().split(')').next().unwrap_or("");
                if let Some((id, version)) = catalog.plugin(path) {
                    add(&scan, id, version);
                }
            }
        }
        // `application` alone, in backticks where Kotlin needs them.
        if let Some((_, content)) = self.block("plugins") {
            let start = content.as_ptr() as usize - self.text.as_ptr() as usize;
            let first = self.text[..start].matches('\n').count() + 1;
            let lines = content.lines().enumerate();
            let statements =
                lines.flat_map(|(index, line)| line.split(';').map(move |one| (index, one)));
            for (index, statement) in statements {
                let word = statement.trim().trim_matches('`');
                let plain = !word.is_empty()
                    && word
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
                if plain {
                    plugins.push(Used {
                        name: word.to_owned(),
                        version: None,
                        from: format!("{}:{}", self.file, first + index),
                    });
                }
            }
        }
        plugins
    }

    /// The libraries that are listed, each with the configuration it is for.
    pub fn dependencies(&self, catalog: &Catalog) -> Vec<(String, Used)> {
        let mut found = Vec::new();
        let mut configuration = "";
        let lines = self.text.lines().enumerate();
        for (index, line) in
            lines.flat_map(|(index, line)| statements(line).map(move |line| (index, line)))
        {
            let trimmed = line.trim_start();
            let word_end = trimmed
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(trimmed.len());
            if word_end > 0 && !trimmed.starts_with("libs.") {
                configuration = &trimmed[..word_end];
            }
            if configuration.is_empty() {
                continue;
            }
            let from = format!("{}:{}", self.file, index + 1);
            let mut add = |name: String, version: Option<String>| {
                found.push((
                    configuration.to_owned(),
                    Used {
                        name,
                        version,
                        from: from.clone(),
                    },
                ));
            };
            let literals: Vec<&str> = strings(line);
            for literal in &literals {
                let mut parts = literal.split(':');
                if let (Some(group), Some(artifact)) = (parts.next(), parts.next())
                    && is_coordinate(group)
                    && is_coordinate(artifact)
                    && group.contains(|c: char| c.is_ascii_alphabetic())
                {
                    add(
                        format!("{group}:{artifact}"),
                        parts.next().map(str::to_owned),
                    );
                }
            }
            // group: 'a', name: 'b', version: 'c'
            if (line.contains("group:") || line.contains("group ="))
                && line.contains("name")
                && let [group, artifact, rest @ ..] = literals.as_slice()
            {
                add(
                    format!("{group}:{artifact}"),
                    rest.first().map(|version| (*version).to_owned()),
                );
            }
            for scan in Scan::behind(line, "libs.", &[]) {
                let path: String = scan
                    .rest()
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || "._".contains(*c))
                    .collect();
                for (name, version) in catalog.libraries(&path) {
                    add(name, version);
                }
            }
        }
        found
    }
}

/// What a line says, one after another: `dependencies { implementation("a:b:1"); api("c:d:2") }`.
fn statements(line: &str) -> impl Iterator<Item = &str> {
    let mut before = ' ';
    line.split(move |character: char| {
        let opens = character == '{' && before != '$';
        before = character;
        opens || character == ';'
    })
}

/// `version "1.0"` behind a plugin.
fn version(scan: &mut Scan<'_>) -> Option<String> {
    if !scan.eat("version") {
        return None;
    }
    scan.eat("(");
    if let Some(version) = scan.string(QUOTES) {
        return Some(version.to_owned());
    }
    // A name, to be looked up.
    scan.word().map(|name| format!("${{{name}}}"))
}

fn is_coordinate(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-${}".contains(c))
}

/// The strings in a line.
pub fn strings(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find(QUOTES) {
        let quote = if rest[start..].starts_with('"') {
            '"'
        } else {
            '\''
        };
        let inside = &rest[start + 1..];
        let Some(end) = inside.find(quote) else { break };
        found.push(&inside[..end]);
        rest = &inside[end + 1..];
    }
    found
}

/// Where the brace closes that was opened before the text.
pub fn closing(text: &str) -> Option<usize> {
    let mut depth = 1usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The text's line ends, and spaces for all else: as many bytes.
fn blank(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect()
}

/// The text with spaces for its comments.
pub fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            out.push_str(&blank(&rest[..end]));
            end
        } else if let Some(inside) = rest.strip_prefix("/*") {
            let end = inside.find("*/").map_or(rest.len(), |at| at + 4);
            out.push_str(&blank(&rest[..end]));
            end
        } else if matches!(first, '"' | '\'') {
            let triple = rest
                .get(..3)
                .filter(|three| three.chars().all(|c| c == first));
            let end = match triple {
                Some(quotes) => rest[3..].find(quotes).map_or(rest.len(), |at| at + 6),
                None => string_end(rest, first),
            };
            out.push_str(&rest[..end]);
            end
        } else {
            out.push(first);
            first.len_utf8()
        };
        rest = &rest[end..];
    }
    out
}

/// Where a string that begins the text is over; an open one ends with its line.
fn string_end(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match character {
            '\\' => escaped = true,
            '\n' => return at,
            _ if character == quote => return at + character.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::without_comments;

    #[test]
    fn comments_become_spaces_and_strings_stay() {
        assert_eq!(
            without_comments("a // b\n\"http://x\" /* é\n */ 'c//' d"),
            "a     \n\"http://x\"      \n    'c//' d"
        );
        assert_eq!(without_comments("'open // x\ny /*"), "'open // x\ny   ");
        assert_eq!(
            without_comments("\"\"\"a // b\"\"\" // c"),
            "\"\"\"a // b\"\"\"     "
        );
    }
}
