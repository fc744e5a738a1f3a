//! Whether two texts say the same in another order, and whether it is a directory's. Pure.

use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher as _};

/// More names than this are not put in lists to see whether they stand the other way round.
const MOST_LISTED: u64 = 100_000;

/// In what order two texts say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The names of each folder stand the other way round, as when its directory is.
    Reversed,
    Other,
}

/// None where they do not say the same.
pub(super) fn of(first: &str, second: &str) -> Option<Order> {
    if first.len() != second.len() {
        return None;
    }
    let words = |text| {
        str::split(text, |character: char| {
            character.is_whitespace() || ",;:'\"[](){}<>".contains(character)
        })
        .filter(|word| !word.is_empty())
    };
    match of_parts(first.lines(), second.lines()) {
        Some(Order::Reversed) => Some(Order::Reversed),
        of_lines => match of_parts(words(first), words(second)) {
            Some(Order::Reversed) => Some(Order::Reversed),
            _ => of_lines.or_else(|| {
                let items = |text| str::split(text, ['\n', ',', ' ']);
                of_parts(items(first), items(second))
            }),
        },
    }
}

fn of_parts<'a>(
    first: impl Iterator<Item = &'a str> + Clone,
    second: impl Iterator<Item = &'a str> + Clone,
) -> Option<Order> {
    let counted = sum(first.clone());
    if counted != sum(second.clone()) {
        return None;
    }
    let (ours, theirs) = (first.clone(), second.clone());
    let is_reversed = || {
        let folders = by_folder(theirs).into_iter();
        let reversed = folders.map(|(folder, mut names)| {
            names.reverse();
            (folder, names)
        });
        by_folder(ours) == reversed.collect()
    };
    // What stands between them may be all that differs.
    let differs = first.ne(second);
    Some(if counted.0 <= MOST_LISTED && differs && is_reversed() {
        Order::Reversed
    } else {
        Order::Other
    })
}

/// How many parts there are, and a number that their order does not change. Lists of them would take many times the
/// memory of a text whose parts are short.
fn sum<'a>(parts: impl Iterator<Item = &'a str>) -> (u64, u64) {
    let hash = |part: &str| {
        let mut hasher = std::hash::DefaultHasher::new();
        part.hash(&mut hasher);
        hasher.finish()
    };
    parts.fold((0, 0_u64), |(count, sum), part| {
        (count + 1, sum.wrapping_add(hash(part)))
    })
}

/// The parts by the folder that the last word of each is in.
fn by_folder<'a>(parts: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for part in parts {
        let path = part.split_whitespace().next_back().unwrap_or(part);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        folders.entry(folder).or_default().push(part);
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_the_other_way_round_is_a_directorys() {
        for (first, second) in [
            ("a\nb\nc\n", "c\nb\na\n"),
            ("['a', 'b', 'c']\n", "['c', 'b', 'a']\n"),
            ("a b c", "c b a"),
            // What find says: each folder before what is in it.
            ("m\nm/a\nm/s\nm/s/x\nm/s/y\n", "m\nm/s\nm/s/y\nm/s/x\nm/a\n"),
            // And what sha256sum says of files.
            ("11  ./a\n22  ./b\n", "22  ./b\n11  ./a\n"),
        ] {
            assert_eq!(of(first, second), Some(Order::Reversed), "{first}");
        }
    }

    #[test]
    fn another_order_is_no_directorys() {
        assert_eq!(of("a\nb\nc\n", "b\na\nc\n"), Some(Order::Other));
        assert_eq!(of("a,b,c", "b,a,c"), Some(Order::Other));
        assert_eq!(of("a\nb\n", "a\nc\n"), None);
        assert_eq!(of("a\nb\n", "a\nb\nb\n"), None);
    }
}
