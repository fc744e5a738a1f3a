//! What was probably meant.

/// Longer texts are not compared: nobody mistypes them, and comparing takes time.
const LONGEST: usize = 64;
/// Below this, two names have nothing to do with each other.
const ALIKE: f64 = 0.6;

/// The one of `known` that is most like `written`, if any is.
///
/// Case and `-` for `_` count for nothing.
pub(crate) fn nearest<'k, T>(
    written: &str,
    known: impl IntoIterator<Item = (&'k str, T)>,
) -> Option<T> {
    if written.len() > LONGEST {
        return None;
    }
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let written = plain(written);
    known
        .into_iter()
        .filter(|(name, _)| name.len() <= LONGEST)
        .map(|(name, item)| {
            (
                strsim::normalized_damerau_levenshtein(&written, &plain(name)),
                item,
            )
        })
        .filter(|(similarity, _)| *similarity >= ALIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, item)| item)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggest(written: &str) -> Option<&'static str> {
        let known = ["ports", "sports", "base_image", "applications", "tier"];
        nearest(written, known.map(|name| (name, name)))
    }

    #[test]
    fn the_nearest_name_is_found_whatever_its_case() {
        assert_eq!(suggest("port"), Some("ports"));
        assert_eq!(suggest("Base-Image"), Some("base_image"));
        assert_eq!(suggest("aplications"), Some("applications"));
        assert_eq!(suggest("volumes"), None);
        assert_eq!(suggest(&"ports".repeat(20)), None);
    }
}
