//! What a build is known by, and what of that a text may mean. Pure.

use ergon_oci::Image;
use ergon_pack::BuildRecord;
use ergon_store::BuildName;

/// A shorter beginning of a name is no reference.
pub const SHORTEST_PREFIX: usize = 4;

/// In what role something leads to a build; where one name has several, the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Build,
    Image,
    /// The image's configuration: what engines call the image id.
    Config,
    /// The index that an image was put into with those of other platforms.
    Index,
    Tag,
    Manifest,
    Source,
    Commit,
    Base,
    BaseName,
    Layer,
}

const ROLES: &[(Role, &str)] = &[
    (Role::Build, "build"),
    (Role::Image, "image"),
    (Role::Config, "config"),
    (Role::Index, "index"),
    (Role::Tag, "tag"),
    (Role::Manifest, "manifest"),
    (Role::Source, "source"),
    (Role::Commit, "commit"),
    (Role::Base, "base"),
    (Role::BaseName, "base-name"),
    (Role::Layer, "layer"),
];

impl Role {
    /// The word in the store.
    pub fn word(self) -> &'static str {
        let known = ROLES.iter().find(|(role, _)| *role == self);
        known.map_or("build", |(_, word)| word)
    }

    fn of(word: &str) -> Option<Self> {
        let known = ROLES.iter().find(|(_, known)| *known == word);
        known.map(|(role, _)| *role)
    }

    pub fn named(self, name: impl ToString) -> BuildName {
        BuildName {
            role: self.word().to_owned(),
            name: name.to_string(),
        }
    }
}

/// Everything that leads to a build: what it is called, what it was made of, what it made.
pub fn names_of(record: &BuildRecord, images: &[Image]) -> Vec<BuildName> {
    let inputs = &record.inputs;
    let mut names = vec![
        Role::Build.named(record.build_hash),
        Role::Manifest.named(inputs.manifest),
        Role::Source.named(inputs.source),
    ];
    names.extend(record.git.iter().map(|git| Role::Commit.named(&git.commit)));
    for (reference, digest) in &inputs.bases {
        names.extend([Role::Base.named(digest), Role::BaseName.named(reference)]);
    }
    for image in &record.images {
        names.extend([
            Role::Image.named(image.digest),
            Role::Config.named(image.config_digest),
        ]);
        names.extend(image.tags.iter().map(|tag| Role::Tag.named(tag)));
    }
    for index in &record.indexes {
        names.push(Role::Index.named(index.digest));
        names.extend(index.tags.iter().map(|tag| Role::Tag.named(tag)));
    }
    let layers = images.iter().flat_map(Image::layers);
    names.extend(layers.map(|layer| Role::Layer.named(layer.digest)));
    names.sort();
    names.dedup();
    names
}

/// Text that may be the beginning of a digest, a build hash or a commit: its hex digits.
pub fn as_hex(text: &str) -> Option<&str> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    let is_hex = hex
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex && (SHORTEST_PREFIX..=64).contains(&hex.len())).then_some(hex)
}

/// What a text means among what it may mean.
#[derive(Debug, PartialEq, Eq)]
pub enum Meant {
    Nothing,
    One(Role, String),
    Several(Vec<String>),
}

/// Chooses. A whole name is not made unclear by a longer one, nor by a tag that begins with it.
pub fn choose(text: &str, digests: &[BuildName], tags: &[BuildName]) -> Meant {
    let is_whole =
        |known: &&BuildName| known.name == text || known.name.strip_prefix("sha256:") == Some(text);
    let known = |names: &[BuildName]| -> Vec<(String, Role)> {
        let mut known: Vec<_> = names
            .iter()
            .filter_map(|known| Some((known.name.clone(), Role::of(&known.role)?)))
            .collect();
        known.sort();
        known.dedup_by(|later, first| later.0 == first.0);
        known
    };
    let whole = |names: &[BuildName]| {
        let names: Vec<_> = names.iter().filter(is_whole).cloned().collect();
        known(&names)
    };
    let stages = [
        whole(digests),
        whole(tags),
        // A tag carries the beginning of the build hash, or of a commit; it counts where no digest does.
        known(digests),
        known(tags),
    ];
    for mut found in stages {
        match (found.pop(), found.is_empty()) {
            (None, _) => {}
            (Some((name, role)), true) => return Meant::One(role, name),
            (Some(last), false) => {
                found.push(last);
                return Meant::Several(found.into_iter().map(|(name, _)| name).collect());
            }
        }
    }
    Meant::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str, names: &[BuildName]) -> Meant {
        let is_tag = |known: &&BuildName| known.role == "tag" || known.role == "base-name";
        let tags: Vec<_> = names.iter().filter(is_tag).cloned().collect();
        let digests: Vec<_> = names.iter().filter(|n| !is_tag(n)).cloned().collect();
        choose(text, &digests, &tags)
    }

    #[test]
    fn a_digest_counts_before_a_tag_that_carries_its_beginning() {
        let names = [
            Role::Build.named("4f1c09ab77e2aa"),
            Role::Tag.named("web:4f1c09ab77e2"),
        ];
        let build = Meant::One(Role::Build, "4f1c09ab77e2aa".to_owned());
        assert_eq!(chosen("4f1c09ab77e2", &names), build);
        let tag = Meant::One(Role::Tag, "web:4f1c09ab77e2".to_owned());
        assert_eq!(chosen("web:4f1c09ab77e2", &names), tag);
        assert_eq!(chosen("4f1c", &names[1..]), tag);
        assert_eq!(chosen("4f1c", &[]), Meant::Nothing);
    }

    #[test]
    fn a_whole_name_is_not_made_unclear_by_a_longer_one() {
        let names = [Role::Tag.named("web:v1"), Role::Tag.named("web:v1.2")];
        let short = Meant::One(Role::Tag, "web:v1".to_owned());
        assert_eq!(chosen("web:v1", &names), short);
        let both = vec!["web:v1".to_owned(), "web:v1.2".to_owned()];
        assert_eq!(chosen("web:v", &names), Meant::Several(both));
    }

    #[test]
    fn an_image_that_is_a_base_elsewhere_is_an_image_first() {
        let names = [
            Role::Base.named("sha256:8be2"),
            Role::Image.named("sha256:8be2"),
        ];
        let image = Meant::One(Role::Image, "sha256:8be2".to_owned());
        assert_eq!(chosen("8be2", &names), image);
    }

    #[test]
    fn hex_digits_are_told_from_words() {
        assert_eq!(as_hex("sha256:4f1c"), Some("4f1c"));
        assert_eq!(as_hex("4f1c"), Some("4f1c"));
        for text in ["4f1", "python:3.11", "4F1C", "sha256:", &"a".repeat(65)] {
            assert_eq!(as_hex(text), None, "{text}");
        }
    }
}
