//! Whether two texts say the same in another order, and whether it is a directory's. Pure.

use std::collections::BTreeMap;

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
    let lines = |text| str::lines(text).collect();
    let words = |text| {
        str::split(text, |character: char| {
            character.is_whitespace() || ",;:'\"[](){}<>".contains(character)
        })
        .filter(|word| !word.is_empty())
        .collect()
    };
    match of_parts(lines(first), lines(second)) {
        Some(Order::Reversed) => Some(Order::Reversed),
        of_lines => match of_parts(words(first), words(second)) {
            Some(Order::Reversed) => Some(Order::Reversed),
            _ => of_lines.or_else(|| {
                let items = |text| str::split(text, ['\n', ',', ' ']).collect();
                of_parts(items(first), items(second))
            }),
        },
    }
}

fn of_parts(first: Vec<&str>, second: Vec<&str>) -> Option<Order> {
    let sorted = |mut parts: Vec<_>| {
        parts.sort_unstable();
        parts
    };
    let reversed = by_folder(&first)
        == by_folder(&second)
            .into_iter()
            .map(|(folder, mut names)| {
                names.reverse();
                (folder, names)
            })
            .collect();
    (sorted(first) == sorted(second)).then_some(if reversed {
        Order::Reversed
    } else {
        Order::Other
    })
}

/// The parts by the folder that the last word of each is in.
fn by_folder<'a>(parts: &[&'a str]) -> BTreeMap<&'a str, Vec<&'a str>> {
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
