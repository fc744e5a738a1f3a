//! What makes a site of pages that are not HTML.

use super::of_python;
use super::root::folder;
use crate::document::Document;
use crate::ecosystem::Toolchain;
use crate::sources::Sources;

/// A generator of sites.
pub(super) struct Generator {
    /// As `type` in the manifest.
    pub kind: &'static str,
    pub label: &'static str,
    /// Its settings, which have this name only for it.
    files: &'static [&'static str],
    /// Where it leaves the site, and the setting that says otherwise.
    folder: &'static str,
    folder_setting: &'static [&'static str],
    /// What its stage starts from, and the packages that Debian has.
    image: &'static str,
    pub packages: &'static [&'static str],
    install: Option<&'static str>,
    build: &'static str,
}

const GENERATORS: [Generator; 9] = [
    Generator {
        kind: "hugo",
        label: "Hugo",
        files: &["hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json"],
        folder: "public",
        folder_setting: &["publishDir"],
        image: "debian:bookworm-slim",
        packages: &["hugo"],
        install: None,
        build: "hugo --minify",
    },
    Generator {
        kind: "zola",
        label: "Zola",
        files: &["zola.toml"],
        folder: "public",
        folder_setting: &["output_dir"],
        image: "alpine:3",
        packages: &[],
        install: Some("apk add --no-cache zola"),
        build: "zola build",
    },
    Generator {
        kind: "mdbook",
        label: "mdBook",
        files: &["book.toml"],
        folder: "book",
        folder_setting: &["build", "build-dir"],
        image: "alpine:3",
        packages: &[],
        install: Some("apk add --no-cache mdbook"),
        build: "mdbook build",
    },
    Generator {
        kind: "jekyll",
        label: "Jekyll",
        // Others have settings of this name, too.
        files: &[],
        folder: "_site",
        folder_setting: &["destination"],
        image: "debian:bookworm-slim",
        packages: &["jekyll"],
        install: None,
        build: "jekyll build",
    },
    Generator {
        kind: "mkdocs",
        label: "MkDocs",
        files: &["mkdocs.yml", "mkdocs.yaml"],
        folder: "site",
        folder_setting: &["site_dir"],
        ..PYTHON
    },
    Generator {
        kind: "zensical",
        label: "Zensical",
        files: &["zensical.toml"],
        folder: "site",
        folder_setting: &["project", "site_dir"],
        ..PYTHON
    },
    Generator {
        kind: "sphinx",
        label: "Sphinx",
        ..PYTHON
    },
    Generator {
        kind: "pelican",
        label: "Pelican",
        ..PYTHON
    },
    Generator {
        kind: "nikola",
        label: "Nikola",
        ..PYTHON
    },
];

/// One that pip installs.
const PYTHON: Generator = Generator {
    kind: "",
    label: "",
    files: &[],
    folder: "output",
    folder_setting: &[],
    image: PYTHON_IMAGE,
    packages: &[],
    install: None,
    build: "",
};

const PYTHON_IMAGE: &str = "python:3.11-slim";

/// A site that is made.
pub(super) struct Generated {
    pub generator: &'static Generator,
    pub from: String,
    pub commands: Vec<String>,
    pub folder: String,
}

pub(super) fn of(sources: &Sources<'_>) -> Option<Generated> {
    let (generator, file) = GENERATORS
        .iter()
        .find_map(|generator| Some((generator, sources.first_of(generator.files)?)))
        .or_else(|| by_settings(sources))
        .or_else(|| jekyll(sources))?;
    // Documentation is often beside the program that it is about.
    let beside = super::is_beside_a_program(sources);
    if beside && generator.kind == "mdbook" {
        return None;
    }
    // MkDocs' tags are Python's, which no reader of YAML knows.
    let settings = (generator.kind != "mkdocs" && !file.ends_with(".py"))
        .then(|| sources.document(file))
        .flatten();
    let said = settings
        .as_ref()
        .and_then(|settings| settings.text(generator.folder_setting))
        .and_then(folder);
    let (commands, made) = if generator.image == PYTHON_IMAGE {
        of_python::made(sources, generator.kind, file, beside)?
    } else {
        let gems = settings
            .as_ref()
            .filter(|_| generator.kind == "jekyll")
            .and_then(jekyll_gems);
        let install = generator.install.map(str::to_owned).or(gems);
        let build = generator.build.to_owned();
        (install.into_iter().chain([build]).collect(), None)
    };
    Some(Generated {
        generator,
        from: file.to_owned(),
        commands,
        folder: said.or(made).unwrap_or_else(|| generator.folder.to_owned()),
    })
}

/// `config.toml` is Hugo's or Zola's by what is in it and beside it, `conf.py` Sphinx's or Nikola's.
fn by_settings(sources: &Sources<'_>) -> Option<(&'static Generator, &'static str)> {
    let of_kind = |kind: &str| GENERATORS.iter().find(|generator| generator.kind == kind);
    if let Some((kind, file)) = of_python::by_settings(sources) {
        return Some((of_kind(kind)?, file));
    }
    let file = sources.first_of(&["config.toml", "config.yaml", "config.yml"])?;
    let pages = ["content", "themes", "layouts", "templates", "archetypes"];
    if !pages.iter().any(|folder| sources.has_folder(folder)) {
        return None;
    }
    let settings = sources.document(file)?;
    let says = |settings: &Document, key: &str| settings.get(&[key]).is_some();
    let kind = if says(&settings, "base_url") && file == "config.toml" {
        "zola"
    } else if says(&settings, "baseURL") || says(&settings, "baseurl") {
        "hugo"
    } else {
        return None;
    };
    Some((of_kind(kind)?, file))
}

/// Pages for Jekyll, as they are written where nobody needs more than it is: without a `Gemfile`.
fn jekyll(sources: &Sources<'_>) -> Option<(&'static Generator, &'static str)> {
    let file = sources.first_of(&["_config.yml", "_config.yaml"])?;
    let has_pages = ["_posts", "_layouts", "_includes", "_pages"]
        .iter()
        .any(|folder| sources.has_folder(folder))
        || sources.first_of(&["index.md", "index.markdown"]).is_some();
    let generator = GENERATORS
        .iter()
        .find(|generator| generator.kind == "jekyll")?;
    let alone = !sources.has("Gemfile") && !sources.has("package.json");
    (has_pages && alone).then_some((generator, file))
}

/// What brings the gems that Jekyll's settings name: its theme and its plugins.
fn jekyll_gems(settings: &Document) -> Option<String> {
    let plugins = settings
        .get(&["plugins"])
        .and_then(|value| value.as_array());
    let plugins = plugins.into_iter().flatten().filter_map(|one| one.as_str());
    let gems: Vec<_> = settings
        .text(&["theme"])
        .into_iter()
        .chain(plugins)
        .filter(|name| {
            name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name
                    .chars()
                    .all(|one| one.is_ascii_alphanumeric() || "-_".contains(one))
        })
        .collect();
    (!gems.is_empty()).then(|| format!("gem install --no-document {}", gems.join(" ")))
}

/// The stage that makes a site of this kind; none for files that are served as they are.
pub(super) fn toolchain(kind: &str) -> Option<Toolchain> {
    let generator = GENERATORS.iter().find(|generator| generator.kind == kind)?;
    Some(Toolchain {
        image: generator.image.to_owned(),
        env: Vec::new(),
        source_only: &[],
    })
}
