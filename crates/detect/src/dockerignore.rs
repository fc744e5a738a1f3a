//! Docker's rules for `.dockerignore`, which are not git's: patterns are anchored at the root,
//! `*` stops at `/`, `**` does not, `!` takes back, the last match wins, and a file is out when one
//! of its folders is.

use std::fmt;

/// A `.dockerignore`, read.
#[derive(Clone, Debug, Default)]
pub struct DockerIgnore {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Pattern,
    /// Written with `!`: takes back what an earlier rule left out.
    exception: bool,
}

/// Which rules a path, or a folder above it, matches.
#[derive(Clone, Debug, Default)]
pub struct Matched(Vec<bool>);

/// As much of a line as says which one is meant; no control characters.
fn shown(line: &str) -> String {
    const ENOUGH: usize = 60;
    let mut text: String = line.trim().chars().take(ENOUGH).collect();
    if text.len() < line.trim().len() {
        text.push('…');
    }
    text.replace(char::is_control, "\u{fffd}")
}

/// A line that is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} (`{text}`) is no pattern{reason}")]
pub struct PatternError {
    pub line: usize,
    pub text: String,
    reason: &'static str,
}

impl DockerIgnore {
    /// Reads the text of a `.dockerignore`: the rules, and the lines that are none.
    pub fn parse(text: &str) -> (Self, Vec<PatternError>) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        let mut wrong = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let mut is_wrong = |reason| {
                wrong.push(PatternError {
                    line: index + 1,
                    text: shown(line),
                    reason,
                });
            };
            if line.starts_with('#') {
                continue;
            }
            let line = line.trim();
            let (exception, written) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            if written.is_empty() {
                if exception {
                    is_wrong(": nothing follows the !");
                }
                continue;
            }
            let cleaned = clean(written);
            let anchored = if cleaned.len() > 1 {
                cleaned.trim_start_matches('/')
            } else {
                &cleaned
            };
            match Pattern::parse(anchored) {
                Some(pattern) => rules.push(Rule { pattern, exception }),
                None => is_wrong(": a [ has no ]"),
            }
        }
        (Self { rules }, wrong)
    }

    /// Whether it leaves nothing out.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a file can be taken although its folder is out.
    pub fn has_exceptions(&self) -> bool {
        self.rules.iter().any(|rule| rule.exception)
    }

    /// What the root matches: nothing.
    pub fn root(&self) -> Matched {
        Matched(vec![false; self.rules.len()])
    }

    /// What `path` matches, given what the folder that it is in matches.
    pub fn enter(&self, folder: &Matched, path: &str) -> Matched {
        let rules = self.rules.iter().zip(&folder.0);
        Matched(
            rules
                .map(|(rule, &above)| above || rule.pattern.matches(path))
                .collect(),
        )
    }

    /// Whether a path that matches so is left out.
    pub fn leaves_out(&self, matched: &Matched) -> bool {
        self.rules
            .iter()
            .zip(&matched.0)
            .fold(false, |out, (rule, &matches)| {
                // A rule that would change nothing is not looked at.
                if matches && rule.exception == out {
                    !rule.exception
                } else {
                    out
                }
            })
    }

    /// Whether `path` is left out, looked at on its own.
    pub fn leaves_out_path(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        let matched = folders
            .chain([path])
            .fold(self.root(), |matched, above| self.enter(&matched, above));
        self.leaves_out(&matched)
    }
}

/// One pattern: Go's `filepath.Match` with `**`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// `?`
    One,
    /// `*`
    Star,
    /// `**` at the end: everything.
    Rest,
    /// `**/`: any number of folders, none too.
    Folders,
    /// `[a-z]`, `[^a-z]`
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Pattern {
    /// Reads a cleaned pattern; none where a class is not closed.
    pub fn parse(text: &str) -> Option<Self> {
        let mut tokens = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(next) = rest.next() {
            tokens.push(match next {
                '*' if rest.next_if_eq(&'*').is_some() => {
                    rest.next_if_eq(&'/');
                    if rest.peek().is_none() {
                        Token::Rest
                    } else {
                        Token::Folders
                    }
                }
                '*' => Token::Star,
                '?' => Token::One,
                '[' => class(&mut rest)?,
                '\\' => Token::Literal(rest.next().unwrap_or('\\')),
                literal => Token::Literal(literal),
            });
        }
        Some(Self(tokens))
    }

    /// Whether the pattern matches all of `path`.
    ///
    /// Follows every way to match at once, so that no pattern takes more than pattern × path steps.
    pub fn matches(&self, path: &str) -> bool {
        let tokens = &self.0;
        // Most patterns begin with the name of a folder or a file.
        if let (Some(Token::Literal(first)), Some(found)) = (tokens.first(), path.chars().next())
            && *first != found
        {
            return false;
        }
        let end = tokens.len();
        // `at[i]`: the text so far leads up to token i. `inside[i]`: it ends within the folders that
        // token i stands for.
        let (mut at, mut inside) = (vec![false; end + 1], vec![false; end + 1]);
        at[0] = true;
        self.skip_optional(&mut at);
        for character in path.chars() {
            let (mut next_at, mut next_inside) = (vec![false; end + 1], vec![false; end + 1]);
            for (index, token) in tokens.iter().enumerate() {
                match token {
                    Token::Folders => {
                        if at[index] || inside[index] {
                            next_inside[index] = true;
                            next_at[index + 1] |= character == '/';
                        }
                    }
                    _ if !at[index] => {}
                    Token::Literal(literal) => next_at[index + 1] |= *literal == character,
                    Token::One => next_at[index + 1] |= character != '/',
                    Token::Star => next_at[index] |= character != '/',
                    Token::Rest => next_at[index] = true,
                    Token::Class { negated, ranges } => {
                        let within = ranges
                            .iter()
                            .any(|(low, high)| (low..=high).contains(&&character));
                        next_at[index + 1] |= within != *negated;
                    }
                }
            }
            self.skip_optional(&mut next_at);
            (at, inside) = (next_at, next_inside);
            if !at.contains(&true) && !inside.contains(&true) {
                return false;
            }
        }
        at[end]
    }

    /// Goes on past tokens that may stand for nothing.
    fn skip_optional(&self, at: &mut [bool]) {
        for (index, token) in self.0.iter().enumerate() {
            if at[index] && matches!(token, Token::Star | Token::Rest | Token::Folders) {
                at[index + 1] = true;
            }
        }
    }
}

/// The inside of `[…]`, after the opening bracket.
fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Token> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        let low = match rest.next()? {
            ']' if !ranges.is_empty() => return Some(Token::Class { negated, ranges }),
            '\\' => rest.next()?,
            character => character,
        };
        let high = if rest.next_if_eq(&'-').is_some() {
            match rest.next()? {
                '\\' => rest.next()?,
                // `[a-]`: the dash stands for itself.
                ']' => {
                    ranges.extend([(low, low), ('-', '-')]);
                    return Some(Token::Class { negated, ranges });
                }
                character => character,
            }
        } else {
            low
        };
        ranges.push((low, high));
    }
}

/// Go's `filepath.Clean`: no empty, `.` or resolvable `..` elements.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut elements: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." if elements.last().is_some_and(|last| *last != "..") => {
                elements.pop();
            }
            ".." if rooted => {}
            element => elements.push(element),
        }
    }
    match (rooted, elements.is_empty()) {
        (true, _) => format!("/{}", elements.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => elements.join("/"),
    }
}

/// `path` as a pattern that matches itself alone.
pub fn literal(path: &str) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| {
        for character in path.chars() {
            if matches!(character, '*' | '?' | '[' | ']' | '\\') {
                write!(f, "\\")?;
            }
            write!(f, "{character}")?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn left_out<'a>(rules: &str, paths: &[&'a str]) -> Vec<&'a str> {
        let (rules, wrong) = DockerIgnore::parse(rules);
        assert_eq!(wrong, []);
        paths
            .iter()
            .copied()
            .filter(|path| rules.leaves_out_path(path))
            .collect()
    }

    #[test]
    fn patterns_are_anchored_at_the_root() {
        assert_eq!(
            left_out(
                "temp?\n/logs\n",
                &["tempa", "temp", "a/tempb", "logs/x", "a/logs"]
            ),
            ["tempa", "logs/x"]
        );
    }

    #[test]
    fn one_star_stops_at_a_slash_and_two_do_not() {
        let paths = ["a.md", "b/a.md", "b/c/a.md", "b/c/d"];
        assert_eq!(left_out("*.md", &paths), ["a.md"]);
        assert_eq!(left_out("*/*.md", &paths), ["b/a.md"]);
        assert_eq!(left_out("**/*.md", &paths), ["a.md", "b/a.md", "b/c/a.md"]);
        assert_eq!(left_out("b/**", &paths), ["b/a.md", "b/c/a.md", "b/c/d"]);
        assert_eq!(left_out("b/**/a.md", &paths), ["b/a.md", "b/c/a.md"]);
        assert_eq!(left_out("**", &paths), paths);
    }

    #[test]
    fn two_stars_stand_for_whole_folders() {
        assert_eq!(
            left_out("**/foo", &["foo", "a/foo", "xfoo", "a/xfoo", "foo/x"]),
            ["foo", "a/foo", "foo/x"]
        );
    }

    #[test]
    fn the_last_match_wins() {
        let paths = ["README.md", "README-secret.md", "other.md"];
        assert_eq!(
            left_out("*.md\n!README*.md\nREADME-secret.md", &paths),
            ["README-secret.md", "other.md"]
        );
        assert_eq!(
            left_out("*.md\nREADME-secret.md\n!README*.md", &paths),
            ["other.md"]
        );
    }

    #[test]
    fn a_file_can_be_taken_back_out_of_a_folder() {
        assert_eq!(
            left_out("dist\n!dist/keep", &["dist/a", "dist/keep", "dist/keep/x"]),
            ["dist/a"]
        );
    }

    #[test]
    fn lines_are_cleaned_as_docker_cleans_them() {
        let paths = ["a/b", "c", "#d"];
        assert_eq!(left_out("\u{feff}./a/x/../b/\n# c\n  \n", &paths), ["a/b"]);
        assert_eq!(left_out(" ! c", &paths), Vec::<&str>::new());
        assert_eq!(left_out(" #d", &paths), ["#d"]);
    }

    #[test]
    fn classes_and_escapes() {
        let paths = ["a1", "b1", "c1", "-1", "*", "x"];
        assert_eq!(left_out("[a-b]1", &paths), ["a1", "b1"]);
        assert_eq!(left_out("[^a-b]1", &paths), ["c1", "-1"]);
        assert_eq!(left_out("[a-]1", &paths), ["a1", "-1"]);
        assert_eq!(left_out(r"\*", &paths), ["*"]);
    }

    #[test]
    fn what_is_not_a_pattern_is_named_with_its_line() {
        assert_eq!(
            DockerIgnore::parse("a\n[b").1[0].to_string(),
            "line 2 (`[b`) is no pattern: a [ has no ]"
        );
        assert_eq!(DockerIgnore::parse("!").1[0].line, 1);
    }

    proptest! {
        #[test]
        fn a_literal_matches_itself_alone(path in "[a-z*?\\[\\]\\\\/.]{1,12}", other in "[a-z*?\\[\\]\\\\/.]{1,12}") {
            let pattern = Pattern::parse(&literal(&path).to_string()).unwrap();
            prop_assert!(pattern.matches(&path));
            prop_assert_eq!(pattern.matches(&other), path == other);
        }

        #[test]
        fn nothing_makes_it_panic(rules in ".{0,60}", path in ".{0,40}") {
            DockerIgnore::parse(&rules).0.leaves_out_path(&path);
        }
    }
}
