//! Lines into shapes: the Drain algorithm, with a bound on what it remembers.
//!
//! Lines of the same length, level and first word are compared word by word with the shapes known; a line joins
//! the most similar one, and where it differs the shape gets `<*>`.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::mask::Words;
use crate::observation::LogLevel;

/// So much of a shape must be the same, in hundredths.
const SIMILAR: usize = 50;
/// Where so many shapes begin alike, half is enough even for those that should be the same.
const MANY_ALIKE: usize = 12;
/// A shape's words take no more bytes together; what follows differs anyway.
const LONGEST: usize = 400;

const ANY: &str = "<*>";

/// The shapes of lines.
#[derive(Debug)]
pub(super) struct Shapes {
    most: usize,
    known: Vec<Option<Shape>>,
    by_beginning: HashMap<u64, Vec<u16>>,
}

#[derive(Debug)]
struct Shape {
    words: Vec<Box<str>>,
    beginning: u64,
}

/// Where a line belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Known(usize),
    /// A new shape; what was in this place before is forgotten.
    New(usize),
}

impl Shapes {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.min(usize::from(u16::MAX)),
            known: Vec::new(),
            by_beginning: HashMap::new(),
        }
    }

    /// Finds the place of a line. `strict` asks for the very same words while there are few shapes like it.
    /// Where there is no room, `forget` says which shape is given up.
    pub(super) fn place(
        &mut self,
        words: &Words,
        level: LogLevel,
        strict: bool,
        forget: impl FnOnce() -> usize,
    ) -> Place {
        let beginning = beginning(words, level);
        let alike = self
            .by_beginning
            .get(&beginning)
            .map_or(&[][..], Vec::as_slice);
        let needed = if strict && alike.len() < MANY_ALIKE {
            100
        } else {
            SIMILAR
        };
        let mut best: Option<(usize, usize)> = None;
        for place in alike {
            let place = usize::from(*place);
            let Some(Some(shape)) = self.known.get(place) else {
                continue;
            };
            let same = same_words(&shape.words, words);
            if best.is_none_or(|(most, _)| same > most) {
                best = Some((same, place));
            }
            if same == words.len() {
                break;
            }
        }
        if let Some((same, place)) = best.filter(|(same, _)| same * 100 >= needed * words.len()) {
            if same < words.len()
                && let Some(Some(shape)) = self.known.get_mut(place)
            {
                shape.generalise(words);
            }
            return Place::Known(place);
        }
        let place = if self.known.len() < self.most {
            self.known.push(None);
            self.known.len() - 1
        } else {
            let place = forget().min(self.known.len() - 1);
            self.forget(place);
            place
        };
        let mut length = 0;
        let kept = words
            .iter()
            .map(|word| {
                length += word.len();
                Box::from(if length > LONGEST { ANY } else { word })
            })
            .collect();
        self.known[place] = Some(Shape {
            words: kept,
            beginning,
        });
        self.by_beginning
            .entry(beginning)
            .or_default()
            .push(u16::try_from(place).unwrap_or(u16::MAX));
        Place::New(place)
    }

    fn forget(&mut self, place: usize) {
        let Some(shape) = self.known[place].take() else {
            return;
        };
        if let Some(alike) = self.by_beginning.get_mut(&shape.beginning) {
            alike.retain(|other| usize::from(*other) != place);
            if alike.is_empty() {
                self.by_beginning.remove(&shape.beginning);
            }
        }
    }

    /// The shape as text.
    pub(super) fn pattern(&self, place: usize) -> String {
        let Some(Some(shape)) = self.known.get(place) else {
            return String::new();
        };
        let mut pattern = String::new();
        let mut repeated = false;
        for word in &shape.words {
            let any = &**word == ANY;
            // A row of words that differ says no more than one.
            if any && repeated {
                continue;
            }
            repeated = any;
            if !pattern.is_empty() {
                pattern.push(' ');
            }
            pattern.push_str(word);
        }
        pattern
    }
}

impl Shape {
    fn generalise(&mut self, words: &Words) {
        for (own, word) in self.words.iter_mut().zip(words.iter()) {
            if fits(own, word) {
                continue;
            }
            // `user=ann` and `user=bob` are `user=<*>`.
            *own = match (own.split_once('='), word.split_once('=')) {
                (Some((ours, _)), Some((theirs, _))) if ours == theirs => {
                    format!("{ours}={ANY}").into()
                }
                _ => ANY.into(),
            };
        }
    }
}

fn same_words(shape: &[Box<str>], words: &Words) -> usize {
    shape
        .iter()
        .zip(words.iter())
        .filter(|(own, word)| fits(own, word))
        .count()
}

fn fits(own: &str, word: &str) -> bool {
    own == word
        || own == ANY
        || own
            .strip_suffix(ANY)
            .is_some_and(|key| key.ends_with('=') && word.starts_with(key))
}

/// What lines must have in common to be compared at all.
fn beginning(words: &Words, level: LogLevel) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.len().hash(&mut hasher);
    level.hash(&mut hasher);
    if let Some(first) = words.iter().next() {
        // A word that has something masked in it may be another next time.
        if first.contains('<') { ANY } else { first }.hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(lines: &[&str]) -> Vec<String> {
        let mut shapes = Shapes::new(8);
        let mut words = Words::default();
        for line in lines {
            words.read(line);
            shapes.place(&words, LogLevel::Info, false, || 0);
        }
        (0..shapes.known.len())
            .map(|place| shapes.pattern(place))
            .collect()
    }

    #[test]
    fn lines_of_one_shape_are_one() {
        assert_eq!(
            shapes(&[
                "user ann logged in from 10.0.0.7",
                "user bob logged in from 10.0.0.8",
                "order 17 of user ann paid",
                "request done user=ann in 12ms",
                "request done user=bob in 7ms",
            ]),
            [
                "user <*> logged in from <ip>",
                "order <num> of user ann paid",
                "request done user=<*> in <num>",
            ]
        );
    }

    #[test]
    fn levels_are_never_mixed() {
        let mut shapes = Shapes::new(8);
        let mut words = Words::default();
        words.read("job done");
        let info = shapes.place(&words, LogLevel::Info, false, || 0);
        let error = shapes.place(&words, LogLevel::Error, false, || 0);
        assert_eq!((info, error), (Place::New(0), Place::New(1)));
    }

    #[test]
    fn there_are_never_more_than_there_is_room_for() {
        let mut shapes = Shapes::new(4);
        let mut words = Words::default();
        for line in ["a b", "c d", "e f", "g h"] {
            words.read(line);
            shapes.place(&words, LogLevel::Info, false, || 0);
        }
        words.read("i j");
        assert_eq!(
            shapes.place(&words, LogLevel::Info, false, || 2),
            Place::New(2)
        );
        assert_eq!(shapes.pattern(2), "i j");
        words.read("e f");
        assert_eq!(
            shapes.place(&words, LogLevel::Info, false, || 0),
            Place::New(0)
        );
        assert_eq!(shapes.by_beginning.len(), 4);
    }
}
