//! Pages that a platform is told to publish: `vercel.json`, `netlify.toml`.

use super::package::Package;
use super::site::Site;
use crate::sources::Sources;
use crate::web_server::Fallback;

/// Each file, and what in it names the folder.
const FILES: [(&str, &[&str]); 2] = [
    ("vercel.json", &["outputDirectory"]),
    ("netlify.toml", &["build", "publish"]),
];

/// The site that a package builds for a platform, where nothing else says what its build leaves.
pub(super) fn site(sources: &Sources<'_>, package: &Package) -> Option<Site> {
    package.script("build")?;
    FILES.iter().find_map(|(file, keys)| {
        let document = sources
            .has(file)
            .then(|| sources.document(file))
            .flatten()?;
        let folder = document.text(keys)?.trim_matches('/');
        let folder = folder.strip_prefix("./").unwrap_or(folder);
        let plain = !folder.is_empty()
            && folder.split('/').all(|element| {
                !matches!(element, "" | "." | "..")
                    && element
                        .chars()
                        .all(|one| one.is_ascii_alphanumeric() || "-_.".contains(one))
            });
        plain.then(|| Site {
            kind: "static",
            label: "the build",
            package: "",
            output: folder.to_owned(),
            fallback: Fallback::NotFound,
            from: Some(document.from(keys)),
            build: None,
        })
    })
}
