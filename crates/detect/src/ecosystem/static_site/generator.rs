//! What makes a site of pages that are not HTML.

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

const GENERATORS: [Generator; 5] = [
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
        image: "python:3.11-slim",
        packages: &[],
        install: Some("pip install --no-cache-dir mkdocs"),
        build: "mkdocs build",
    },
];

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
    let beside =
        matches!(generator.kind, "mdbook" | "mkdocs") && super::is_beside_a_program(sources);
    if beside && generator.kind == "mdbook" {
        return None;
    }
    let settings = if generator.kind == "mkdocs" {
        // Its tags are Python's, which no reader of YAML knows.
        None
    } else {
        sources.document(file)
    };
    let said = settings
        .as_ref()
        .and_then(|settings| settings.text(generator.folder_setting))
        .and_then(folder);
    let mut commands = Vec::new();
    if generator.kind == "mkdocs" {
        let listed = sources
            .text("requirements.txt")
            .is_some_and(|text| text.to_ascii_lowercase().contains("mkdocs"));
        if beside && !listed {
            return None;
        }
        commands.push(if listed {
            "pip install --no-cache-dir -r requirements.txt".to_owned()
        } else {
            mkdocs_install(sources, file)
        });
    } else {
        commands.extend(generator.install.map(str::to_owned));
    }
    commands.push(generator.build.to_owned());
    Some(Generated {
        generator,
        from: file.to_owned(),
        commands,
        folder: said.unwrap_or_else(|| generator.folder.to_owned()),
    })
}

/// `config.toml` is Hugo's or Zola's by what is in it and beside it.
fn by_settings(sources: &Sources<'_>) -> Option<(&'static Generator, &'static str)> {
    let file = sources.first_of(&["config.toml", "config.yaml", "config.yml"])?;
    let pages = ["content", "themes", "layouts", "templates"];
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
    let generator = GENERATORS.iter().find(|generator| generator.kind == kind)?;
    Some((generator, file))
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

/// MkDocs with its usual theme, where the settings name that.
fn mkdocs_install(sources: &Sources<'_>, file: &str) -> String {
    let material = sources.text(file).is_some_and(|text| {
        text.lines().any(|line| {
            let line = line.trim();
            line == "name: material" || line == "theme: material"
        })
    });
    if material {
        "pip install --no-cache-dir mkdocs-material".to_owned()
    } else {
        "pip install --no-cache-dir mkdocs".to_owned()
    }
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
