//! Version ranges, as package metadata writes them, decided for a handful of candidates.

/// A comparison in a range: `>=3.9` is `(">=", [3, 9])`.
type Comparison = (String, Vec<u32>);

/// Which candidate a range decides for: the preferred one where it is allowed, else the least above it,
/// else the greatest below it. Candidates are sorted; `part` says which number of a version they are.
pub fn choose(range: &str, candidates: &[u32], preferred: u32, part: Part) -> Option<u32> {
    let allowed = allowed(range, candidates, part);
    let above = allowed
        .iter()
        .copied()
        .find(|candidate| *candidate >= preferred);
    above.or(allowed.last().copied())
}

/// Those of the candidates that a range allows, as in [`choose`].
pub fn allowed(range: &str, candidates: &[u32], part: Part) -> Vec<u32> {
    let alternatives: Vec<_> = alternatives(range).map(comparisons).collect();
    let allowed = |candidate: u32| {
        alternatives.iter().any(|all| {
            all.iter()
                .all(|comparison| part.allows(comparison, candidate))
        })
    };
    candidates
        .iter()
        .copied()
        .filter(|candidate| allowed(*candidate))
        .collect()
}

/// Whether a range, or an exact version, allows a version; numbers that one of them leaves open agree with any.
pub fn allows(range: &str, version: &str) -> bool {
    let version = numbers(version);
    alternatives(range).any(|all| {
        comparisons(all)
            .iter()
            .all(|comparison| fits(comparison, &version))
    })
}

/// What a range allows one by one: `^16 || ^20`, and `^7.4|^8.0` as Composer has it.
fn alternatives(range: &str) -> impl Iterator<Item = &str> {
    let mut parts = range.split('|').filter(|part| !part.trim().is_empty());
    // All of it, where nothing is said.
    let first = parts.next().unwrap_or("");
    std::iter::once(first).chain(parts)
}

fn fits((operator, wanted): &Comparison, version: &[u32]) -> bool {
    let common = wanted.len().min(version.len());
    let order = version[..common].cmp(&wanted[..common]);
    let same = |count: usize| version.iter().zip(wanted).take(count).all(|(a, b)| a == b);
    match operator.as_str() {
        ">=" => order.is_ge(),
        "<=" => order.is_le(),
        ">" => order.is_gt() || (order.is_eq() && version.len() > wanted.len()),
        "<" => order.is_lt() || (order.is_eq() && wanted.len() > version.len()),
        "!=" => !order.is_eq() || version.len() < wanted.len(),
        "^" => order.is_ge() && same(1),
        "~" => order.is_ge() && same(2),
        "~=" => order.is_ge() && same(wanted.len().saturating_sub(1).max(1)),
        _ => order.is_eq(),
    }
}

/// Which number of a version the candidates stand for.
#[derive(Clone, Copy)]
pub enum Part {
    /// Node: `18`.
    Major,
    /// Python: the `11` of `3.11`.
    MinorOf(u32),
}

impl Part {
    fn allows(self, (operator, version): &Comparison, candidate: u32) -> bool {
        let (wanted, exact_beyond) = match self {
            Self::Major => (version.first().copied(), version.len() > 1),
            Self::MinorOf(major) => match version.first() {
                // Only what is said of this major version matters; `<4` and `>=2.7` allow all of it.
                Some(first) if *first != major => {
                    return match operator.as_str() {
                        "<" | "<=" | "!=" => *first > major || operator == "!=",
                        ">" | ">=" => *first < major,
                        _ => false,
                    };
                }
                _ => (version.get(1).copied(), version.len() > 2),
            },
        };
        let Some(wanted) = wanted else {
            return operator != "<" && operator != "!=";
        };
        match operator.as_str() {
            ">=" => candidate >= wanted,
            // 3.9.1 is above 3.9; Node's ranges mean the whole major version.
            ">" => {
                candidate > wanted
                    || (candidate == wanted && (exact_beyond || matches!(self, Self::MinorOf(_))))
            }
            "<=" => candidate <= wanted,
            "<" => candidate < wanted || (candidate == wanted && exact_beyond),
            "!=" => candidate != wanted || exact_beyond,
            "^" if matches!(self, Self::MinorOf(_)) => candidate >= wanted,
            "~=" if matches!(self, Self::MinorOf(_)) && !exact_beyond => candidate >= wanted,
            _ => candidate == wanted,
        }
    }
}

/// `>=3.9, <4` and `>=18 <21` and `18 - 20`, as comparisons; what is no version is left out.
fn comparisons(range: &str) -> Vec<Comparison> {
    if let Some((low, high)) = range.split_once(" - ") {
        return vec![
            (">=".to_owned(), numbers(low)),
            ("<=".to_owned(), numbers(high)),
        ];
    }
    let is_operator = |character: char| "<>=!~^".contains(character);
    let mut comparisons = Vec::new();
    let mut rest = range;
    while let Some(start) =
        rest.find(|character: char| is_operator(character) || character.is_ascii_digit())
    {
        let from_operator = &rest[start..];
        let digits = from_operator
            .find(|character: char| !is_operator(character) && character != ' ')
            .unwrap_or(0);
        let operator: String = from_operator[..digits]
            .chars()
            .filter(|character| *character != ' ')
            .collect();
        // Ruby and Elixir write it so.
        let operator = if operator == "~>" {
            "~=".to_owned()
        } else {
            operator
        };
        let version = &from_operator[digits..];
        let end = version.find([' ', ',']).unwrap_or(version.len());
        let numbers = numbers(&version[..end]);
        if !numbers.is_empty() {
            comparisons.push((operator, numbers));
        }
        rest = version.get(end.max(1)..).unwrap_or("");
    }
    comparisons
}

/// The numbers of a version up to the first that is none: `v3.9.x` is `[3, 9]`.
fn numbers(version: &str) -> Vec<u32> {
    let version = version.trim().trim_start_matches(['v', 'V', '=']);
    version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(range: &str) -> Option<u32> {
        choose(range, &[8, 9, 10, 11, 12, 13], 11, Part::MinorOf(3))
    }

    fn node(range: &str) -> Option<u32> {
        choose(range, &[14, 16, 18, 20, 22, 24], 18, Part::Major)
    }

    #[test]
    fn python_ranges() {
        assert_eq!(python(">=3.9"), Some(11));
        assert_eq!(python(">=3.12,<4"), Some(12));
        assert_eq!(python(">=3.8,<3.11"), Some(10));
        assert_eq!(python("==3.12.*"), Some(12));
        assert_eq!(python("~=3.10"), Some(11));
        assert_eq!(python("~=3.10.2"), Some(10));
        assert_eq!(python("^3.12"), Some(12));
        assert_eq!(python(">2.7, !=3.11.*"), Some(12));
        assert_eq!(python(">=4"), None);
    }

    #[test]
    fn what_a_range_allows() {
        for (range, version) in [
            (">=18", "18.17.0"),
            ("18", "18.17"),
            ("18.17.0", "18"),
            ("^16 || ^20", "20.1"),
            ("^7.4|^8.0", "8.1"),
            ("<18.3", "18"),
            ("~=3.10", "3.12"),
            ("", "3"),
            ("lts/*", "18"),
        ] {
            assert!(allows(range, version), "{range} {version}");
        }
        for (range, version) in [
            (">=20", "18"),
            ("18", "20"),
            ("<18", "18.1"),
            ("^3.12", "3.11"),
        ] {
            assert!(!allows(range, version), "{range} {version}");
        }
    }

    #[test]
    fn node_ranges() {
        assert_eq!(node(">=18"), Some(18));
        assert_eq!(node(">=20.1.0"), Some(20));
        assert_eq!(node("^16.2 || ^20"), Some(20));
        assert_eq!(node("16.x"), Some(16));
        assert_eq!(node(">= 14 <17"), Some(16));
        assert_eq!(node("14 - 18"), Some(18));
        assert_eq!(node("*"), Some(18));
        assert_eq!(node("<18.3"), Some(18));
        assert_eq!(node("lts/*"), Some(18));
    }
}
