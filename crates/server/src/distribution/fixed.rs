//! Tags that stay what they are: those of a repository whose owner wants it so, and always those of builds.

use ergon_oci::ContentDigest;
use ergon_oci::registry::{Code, Refusal};
use ergon_store::{Change, StoreError};

/// So many digits of a build's hash are its image's tag.
const HASH_TAG: usize = 12;

/// What a tag means and goes on to mean, where it is not free to mean this digest.
pub async fn meaning_against(
    change: &mut Change,
    repository: &str,
    tag: &str,
    digest: &str,
) -> Result<Option<String>, StoreError> {
    let tagged = change.tagged(repository, tag).await?;
    if tagged.as_deref() == Some(digest) {
        return Ok(None);
    }
    if is_hash_tag(tag) {
        let built = change.built_as(&format!("{repository}:{tag}")).await?;
        if !built.is_empty() {
            // Also once it was taken away, it is for nothing else.
            let first = if built.iter().any(|own| own == digest) {
                None
            } else {
                built.into_iter().next()
            };
            return Ok(tagged.or(first));
        }
    }
    match tagged {
        Some(tagged) if change.has_immutable_tags(repository).await? => Ok(Some(tagged)),
        _ => Ok(None),
    }
}

/// Refuses to let a tag mean something else.
pub fn refused(repository: &str, tag: &str, meant: &str) -> Refusal {
    let message = format!(
        "the tag `{tag}` of `{repository}` means {meant} and stays what it is: choose another tag"
    );
    Refusal::new(403, Code::Denied, message)
}

/// Refuses to take tags away that stay.
pub fn kept(repository: &str, tags: &[String]) -> Refusal {
    let message = format!(
        "tags of `{repository}` stay what they are, and {} would go: first `ergon registry repository set {repository} --immutable-tags off`",
        tags.join(", ")
    );
    Refusal::new(403, Code::Denied, message)
}

/// Refuses to take away what a tag may need that stays.
pub fn part_kept(repository: &str, digest: &ContentDigest) -> Refusal {
    let message = format!(
        "tags of `{repository}` stay what they are, and {digest} may be a part of that: `ergon registry gc` removes what no tag needs"
    );
    Refusal::new(403, Code::Denied, message)
}

/// Whether it could be a build's: twelve hexadecimal digits.
fn is_hash_tag(tag: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    tag.len() == HASH_TAG && tag.bytes().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_tag_is_twelve_hexadecimal_digits() {
        assert!(is_hash_tag("0123456789ab"));
        for tag in [
            "0123456789a",
            "0123456789abc",
            "0123456789AB",
            "0123456789ag",
            "latest",
        ] {
            assert!(!is_hash_tag(tag), "{tag}");
        }
    }
}
