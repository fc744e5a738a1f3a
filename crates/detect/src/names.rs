//! Names for applications and containers, made of what packages are called.

/// The name where nothing in the package's metadata gives one. Never the folder's: the same sources
/// make the same manifest wherever they lie.
pub const NO_NAME: &str = "app";

const LONGEST: usize = 60;

/// `text` as a manifest's name: lowercase letters, digits and single dashes; none where too little is left.
pub fn from_package(text: &str) -> Option<String> {
    // An npm scope says who published it, not what it is.
    let text = match text.split_once('/') {
        Some((scope, name)) if scope.starts_with('@') => name,
        _ => text,
    };
    let words = text.split(|character: char| !character.is_ascii_alphanumeric());
    let words: Vec<_> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let mut name = words.join("-");
    name.truncate(LONGEST);
    let name = name.trim_end_matches('-');
    // Docker wants two characters.
    (name.len() > 1).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::from_package;

    #[test]
    fn names_come_out_as_manifests_want_them() {
        assert_eq!(
            from_package("@acme/Web_Shop.2"),
            Some("web-shop-2".to_owned())
        );
        assert_eq!(from_package("fastapi"), Some("fastapi".to_owned()));
        assert_eq!(from_package("-x-"), None);
        assert_eq!(from_package("日本"), None);
    }
}
