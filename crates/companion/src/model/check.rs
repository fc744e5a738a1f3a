//! What of a model's words is kept: sentences that cite evidence they were shown, and say nothing but what stands
//! there. Everything here happens among pseudonyms, before names are put back.

mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use self::words::{CAUSES, COMMANDS, DEMANDS, FIGURES, ORDERS, ORDINARY, REASSURANCES};

/// More sentences are no explanation.
const MOST_SENTENCES: usize = 8;
/// Nor is a longer one, in characters.
const LONGEST_SENTENCE: usize = 400;

/// `[1]`, `[1, 2]`
static CITATION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\s*\[\s*([0-9]{1,4}(?:\s*,\s*[0-9]{1,4})*)\s*\]").ok());

/// The end of a sentence, with the citations that come after its full stop.
static END: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"[.!?]["”'’)]*(?:\s*\[[0-9][0-9, ]*\])*\s+"#).ok());

static QUOTATION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#""([^"]*)"|“([^”]*)”|`([^`]*)`"#).ok());

/// What was shown, and may be said with a citation of it.
#[derive(Debug, Default)]
pub(super) struct Ground {
    shown: BTreeMap<u32, Shown>,
    is_unwell: bool,
}

#[derive(Debug, Default)]
struct Shown {
    /// In small letters.
    text: String,
    /// What the container wrote itself, and might have written for a reader.
    is_log: bool,
}

impl Ground {
    pub(super) fn evidence(&mut self, number: u32, source: &str, text: &str) {
        let shown = self.shown.entry(number).or_default();
        shown.is_log = source == "log";
        shown.add(text);
    }

    pub(super) fn finding(&mut self, severity: &str, text: &str, cites: &[u32]) {
        self.is_unwell |= severity != "info";
        for number in cites {
            self.shown.entry(*number).or_default().add(text);
        }
    }

    /// A line of the companion's own answer. Where it quotes, others speak, and their brackets cite nothing.
    pub(super) fn line(&mut self, line: &str) {
        if line.starts_with(char::is_whitespace) {
            return;
        }
        let own = line.split('"').next().unwrap_or_default();
        for number in cited(own) {
            if let Some(shown) = self.shown.get_mut(&number) {
                shown.add(own);
            }
        }
    }
}

impl Shown {
    fn add(&mut self, text: &str) {
        self.text.push('\n');
        self.text
            .push_str(&plain_spaces(&without_citations(text)).to_lowercase());
    }
}

/// A sentence that stands, without its citations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub text: String,
    pub cites: Vec<u32>,
}

/// What became of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    pub kept: Vec<Kept>,
    pub dropped: u32,
}

/// Keeps the sentences that stand on what was shown.
pub(super) fn judge(answer: &str, cut_off: bool, ground: &Ground) -> Judged {
    let mut sentences: Vec<String> = answer.lines().flat_map(sentences).collect();
    let mut judged = Judged::default();
    if cut_off && sentences.pop().is_some() {
        judged.dropped += 1;
    }
    for sentence in sentences {
        match stands(&sentence, ground) {
            Some(kept) if judged.kept.len() < MOST_SENTENCES => {
                if !judged.kept.iter().any(|known| known.text == kept.text) {
                    judged.kept.push(kept);
                }
            }
            _ => judged.dropped += 1,
        }
    }
    judged
}

/// The sentences of a line, without Markdown.
fn sentences(line: &str) -> Vec<String> {
    let line: String = line
        .chars()
        .map(|c| match c {
            '【' => '[',
            '】' => ']',
            c if c.is_control() => ' ',
            c => c,
        })
        .filter(|c| !is_invisible(*c))
        .collect();
    let line = line.replace("**", "").replace("__", "");
    let line = line
        .trim_start()
        .trim_start_matches(['#', '>', '*', '-', '•', ' ']);
    let mut sentences = Vec::new();
    let mut start = 0;
    for end in END.iter().flat_map(|end| end.find_iter(line)) {
        let next = line[end.end()..].chars().next();
        if next.is_some_and(|next| next.is_lowercase() || next == '[') {
            continue;
        }
        sentences.push(line[start..end.end()].trim().to_owned());
        start = end.end();
    }
    sentences.push(line[start..].trim().to_owned());
    sentences.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    sentences
}

/// Characters that change how others are read.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' | '\u{e0000}'..='\u{e007f}')
}

/// The sentence, if it cites what was shown and says nothing else.
fn stands(sentence: &str, ground: &Ground) -> Option<Kept> {
    let mut cites = cited(sentence);
    cites.sort_unstable();
    cites.dedup();
    let shown: Vec<&Shown> = cites
        .iter()
        .map(|number| ground.shown.get(number))
        .collect::<Option<_>>()?;
    let text = plain_spaces(&without_citations(sentence));
    let is_said = text.chars().any(char::is_alphanumeric);
    if shown.is_empty() || !is_said || text.chars().count() > LONGEST_SENTENCE {
        return None;
    }
    let small = text.to_lowercase();
    if ground.is_unwell && REASSURANCES.iter().any(|words| small.contains(words)) {
        return None;
    }
    let is_shown = |stem: &&str| shown.iter().any(|shown| begins_in(&shown.text, stem));
    let named = |stems: &&[&str]| stems.iter().any(|stem| begins_in(&small, stem));
    let causes = CAUSES.iter().copied().filter(named).collect::<Vec<_>>();
    if !causes.iter().all(|stems| stems.iter().any(&is_shown)) {
        return None;
    }
    let (quotations, rest) = quotations(&small);
    let quoted = quotations.iter().all(|quotation| {
        let quotation = quotation.trim().trim_end_matches(['.', ',', '…']);
        shown.iter().any(|shown| shown.text.contains(quotation))
    });
    let first = rest.split_whitespace().next().map(bare);
    let is_order = first.is_some_and(|word| ORDERS.contains(&word));
    let said = rest
        .split_whitespace()
        .all(|word| may_be_said(bare(word), &shown));
    (quoted && !is_order && said).then_some(Kept { text, cites })
}

/// Whether a word outside quotations is an ordinary one, or stands in what is cited.
fn may_be_said(word: &str, shown: &[&Shown]) -> bool {
    if word.is_empty() {
        return true;
    }
    if word.contains(['|', '$', '`', '<', '>', '\\', '{', '}']) {
        return false;
    }
    let stands = |what: &str| shown.iter().any(|shown| stands_in(&shown.text, what));
    if word
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'))
    {
        let figure = FIGURES.iter().find(|(figure, _)| *figure == word);
        return match figure {
            Some((figure, digits)) => stands(figure) || stands(digits),
            None => {
                !COMMANDS.contains(&word)
                    && !DEMANDS.contains(&word)
                    && !word.starts_with("approv")
                    && !word.starts_with("recommend")
            }
        };
    }
    if !word.chars().any(char::is_alphanumeric) || ORDINARY.contains(&word) {
        return true;
    }
    if word.contains("://") {
        // What a program writes about itself may be written for a reader to follow.
        return shown
            .iter()
            .any(|shown| !shown.is_log && stands_in(&shown.text, word));
    }
    // `48MB` and `91%` are what `48 MB` and `91 %` are.
    let figure = word.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
    let is_figure = !figure.is_empty()
        && figure
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    stands(word) || is_figure && stands(figure)
}

/// Whether a word there begins so.
fn begins_in(text: &str, stem: &str) -> bool {
    if !stem.starts_with(char::is_alphanumeric) {
        return false;
    }
    text.match_indices(stem).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(char::is_alphabetic)
    })
}

/// Whether it stands there by itself, not as a part of another word or figure.
fn stands_in(text: &str, what: &str) -> bool {
    text.match_indices(what).any(|(at, _)| {
        let mut before = text[..at].chars().rev();
        let mut after = text[at + what.len()..].chars();
        let joins = |next: Option<char>, beyond: Option<char>| match next {
            Some(c) if c.is_alphanumeric() => true,
            Some('.' | ',') => beyond.is_some_and(|c| c.is_ascii_digit()),
            _ => false,
        };
        let ends_in_digit = what.ends_with(|c: char| c.is_ascii_digit());
        let (next, beyond) = (after.next(), after.next());
        // `48` stands in `48mb`, and not in `480` or `48.5`.
        let goes_on = match next {
            Some(c) if ends_in_digit && c.is_alphabetic() => false,
            _ => joins(next, beyond),
        };
        !joins(before.next(), before.next()) && !goes_on
    })
}

/// A word without the punctuation around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| {
        matches!(
            c,
            '.' | ','
                | ';'
                | ':'
                | '!'
                | '?'
                | '('
                | ')'
                | '['
                | ']'
                | '\''
                | '’'
                | '*'
                | '…'
                | '—'
                | '–'
                | '-'
        )
    })
}

/// What is quoted, and what is not.
fn quotations(text: &str) -> (Vec<String>, String) {
    let mut quoted = Vec::new();
    let rest = match QUOTATION.as_ref() {
        Some(quotation) => quotation.replace_all(text, |found: &Captures| {
            let inside = (1..=3).find_map(|group| found.get(group));
            quoted.push(inside.map_or_else(String::new, |inside| inside.as_str().to_owned()));
            " ".to_owned()
        }),
        None => text.into(),
    };
    (quoted, rest.into_owned())
}

/// The numbers that are cited.
fn cited(text: &str) -> Vec<u32> {
    let citations = CITATION
        .iter()
        .flat_map(|citation| citation.captures_iter(text));
    let lists = citations.filter_map(|found| found.get(1));
    lists
        .flat_map(|list| list.as_str().split(','))
        .filter_map(|number| number.trim().parse().ok())
        .collect()
}

fn without_citations(text: &str) -> String {
    CITATION.as_ref().map_or_else(
        || text.to_owned(),
        |citation| citation.replace_all(text, "").into_owned(),
    )
}

/// The text with other numbers in its brackets.
pub(super) fn renumber(text: &str, new: impl Fn(u32) -> Option<u32>) -> String {
    let Some(citation) = CITATION.as_ref() else {
        return text.to_owned();
    };
    citation
        .replace_all(text, |found: &Captures| {
            let old = found.get(1).and_then(|number| number.as_str().parse().ok());
            match old.and_then(&new) {
                Some(new) => {
                    let spaces = found[0].len() - found[0].trim_start().len();
                    format!("{}[{new}]", &found[0][..spaces])
                }
                None => found[0].to_owned(),
            }
        })
        .into_owned()
}

fn plain_spaces(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace(" .", ".").replace(" ,", ",")
}

#[cfg(test)]
mod tests;
