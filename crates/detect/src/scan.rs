//! Reading a few expressions out of source code, without a parser for its language.

use crate::document::line_of;

/// How often a word is looked at in one file; a file with more of them was not written by a person.
const MOST_PLACES: usize = 1000;

/// A place in a text, from which it is read.
#[derive(Clone, Copy)]
pub struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// Every place just behind `word`, where it is no part of a longer word and not in a comment line.
    pub fn behind(
        text: &'a str,
        word: &'a str,
        comments: &'a [&'a str],
    ) -> impl Iterator<Item = Self> + 'a {
        text.match_indices(word)
            .take(MOST_PLACES)
            .filter_map(move |(start, _)| {
                let before = text[..start].chars().next_back();
                let whole = !before.is_some_and(is_word) || !word.starts_with(is_word);
                let scan = Self {
                    text,
                    at: start + word.len(),
                };
                let commented = comments
                    .iter()
                    .any(|marker| scan.current_line().trim_start().starts_with(marker));
                (whole && !commented).then_some(scan)
            })
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        line_of(self.text, self.at)
    }

    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// What stands before the place, from the beginning of its line.
    pub fn line_before(&self) -> &'a str {
        let start = self.text[..self.at]
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        &self.text[start..self.at]
    }

    /// All that stands before the place.
    pub fn text_before(&self) -> &'a str {
        &self.text[..self.at]
    }

    fn current_line(&self) -> &'a str {
        let start = self.at - self.line_before().len();
        self.text[start..].lines().next().unwrap_or("")
    }

    /// Goes past so many bytes, or to the end where a character would be cut.
    pub fn skip(&mut self, bytes: usize) {
        let to = self.at.saturating_add(bytes);
        self.at = if self.text.is_char_boundary(to) {
            to
        } else {
            self.text.len()
        };
    }

    /// Goes past white space.
    pub fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Goes past white space and `wanted`, where it follows.
    pub fn eat(&mut self, wanted: &str) -> bool {
        let mut ahead = *self;
        ahead.skip_space();
        let found = ahead.rest().starts_with(wanted);
        if found {
            ahead.at += wanted.len();
            *self = ahead;
        }
        found
    }

    /// Goes past a name.
    pub fn word(&mut self) -> Option<&'a str> {
        self.skip_space();
        let rest = self.rest();
        let end = rest
            .find(|character| !is_word(character))
            .unwrap_or(rest.len());
        self.at += end;
        (end > 0).then(|| &rest[..end])
    }

    /// Goes past a string in one of `quotes` that needs no unescaping.
    pub fn string(&mut self, quotes: &[char]) -> Option<&'a str> {
        self.skip_space();
        let quote = self
            .rest()
            .chars()
            .next()
            .filter(|first| quotes.contains(first))?;
        let inside = &self.rest()[quote.len_utf8()..];
        let end = inside.find([quote, '\n', '\\'])?;
        let found = inside[end..].starts_with(quote);
        if found {
            self.at += quote.len_utf8() * 2 + end;
        }
        found.then(|| &inside[..end])
    }

    /// Goes past a whole number.
    pub fn number(&mut self) -> Option<&'a str> {
        self.skip_space();
        let rest = self.rest();
        let end = rest
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(rest.len());
        if end == 0 || rest[end..].starts_with(is_word) {
            return None;
        }
        self.at += end;
        Some(&rest[..end])
    }
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// A path that a web framework answers, and where it is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub path: String,
    /// `file:line`
    pub from: String,
}

/// Paths that say how a program is, the most telling first.
const HEALTH_PATHS: [&str; 11] = [
    "/healthz",
    "/health",
    "/livez",
    "/readyz",
    "/api/health",
    "/api/healthz",
    "/_health",
    "/ping",
    "/status",
    "/up",
    "/",
];

/// The route to ask how the program is.
pub fn health_route(routes: &[Route]) -> Option<&Route> {
    HEALTH_PATHS
        .iter()
        .find_map(|path| routes.iter().find(|route| is_path(&route.path, path)))
}

/// Whether a route is the path, with or without a slash at its end.
fn is_path(route: &str, path: &str) -> bool {
    route == path || route.strip_suffix('/') == Some(path)
}

/// A port that a text names; 0 is none.
pub fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0)
}
