//! Generators of static sites.

use super::Project;

/// A generator by its gem, and what its build leaves.
pub(super) struct Generator {
    gem: &'static str,
    /// As `type` in the manifest.
    pub kind: &'static str,
    pub label: &'static str,
    pub build: &'static str,
    folder: &'static str,
}

const GENERATORS: [Generator; 5] = [
    Generator {
        gem: "bridgetown",
        kind: "bridgetown",
        label: "Bridgetown",
        build: "bundle exec bridgetown build",
        folder: "output",
    },
    Generator {
        gem: "jekyll",
        kind: "jekyll",
        label: "Jekyll",
        build: "bundle exec jekyll build",
        folder: "_site",
    },
    Generator {
        gem: "github-pages",
        kind: "jekyll",
        label: "Jekyll",
        build: "bundle exec jekyll build",
        folder: "_site",
    },
    Generator {
        gem: "middleman",
        kind: "middleman",
        label: "Middleman",
        build: "bundle exec middleman build",
        folder: "build",
    },
    Generator {
        gem: "nanoc",
        kind: "nanoc",
        label: "nanoc",
        build: "bundle exec nanoc compile",
        folder: "output",
    },
];

/// A site that is generated.
pub(super) struct Site {
    pub generator: &'static Generator,
    /// Where the generator is listed.
    pub from: String,
    /// The folder that its build leaves.
    pub folder: String,
}

pub(super) fn site(project: &Project<'_, '_>) -> Option<Site> {
    let sources = project.sources;
    // A program of its own may only have its pages generated.
    if sources.has("config.ru")
        && !sources.has("bridgetown.config.yml")
        && !sources.has("_config.yml")
    {
        return None;
    }
    let (generator, from) = GENERATORS
        .iter()
        .find_map(|generator| Some((generator, project.gem(generator.gem)?)))?;
    let config = ["_config.yml", "bridgetown.config.yml"]
        .into_iter()
        .find(|file| sources.has(file));
    let said = config.and_then(|file| {
        let destination = sources.document(file)?.text(&["destination"])?.to_owned();
        let plain = destination.trim_start_matches("./").trim_end_matches('/');
        let inside = !plain.is_empty() && !plain.starts_with(['/', '.', '~']);
        inside.then(|| plain.to_owned())
    });
    Some(Site {
        generator,
        from,
        folder: said.unwrap_or_else(|| generator.folder.to_owned()),
    })
}
