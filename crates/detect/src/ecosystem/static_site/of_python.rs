//! Generators of sites that pip installs: MkDocs, Sphinx, Pelican, Nikola, Zensical.

use crate::scan::Scan;
use crate::sources::Sources;

const COMMENT: &[&str] = &["#"];
const QUOTES: &[char] = &['"', '\''];

/// Settings written in Python, by whose they are.
pub(super) fn by_settings(sources: &Sources<'_>) -> Option<(&'static str, &'static str)> {
    if sources.has("pelicanconf.py") {
        return Some(("pelican", "pelicanconf.py"));
    }
    let file = sources.first_of(&["conf.py", "source/conf.py"])?;
    let text = sources.text(file)?;
    let sets =
        |name: &'static str| Scan::behind(&text, name, COMMENT).any(|mut scan| scan.eat("="));
    if file == "conf.py" && sets("BLOG_TITLE") {
        return Some(("nikola", file));
    }
    let folder = file.strip_suffix("conf.py").unwrap_or("");
    let pages = ["index.rst", "index.md"];
    let has_pages = pages
        .iter()
        .any(|page| sources.has(&format!("{folder}{page}")));
    (has_pages && sets("project")).then_some(("sphinx", file))
}

/// What installs the generator and makes the site, and where that lies; none where it only documents a program.
pub(super) fn made(
    sources: &Sources<'_>,
    kind: &str,
    file: &str,
    beside: bool,
) -> Option<(Vec<String>, Option<String>)> {
    let requirements = "requirements.txt";
    let listed = sources
        .text(requirements)
        .is_some_and(|text| text.to_ascii_lowercase().contains(kind));
    if beside && !listed && matches!(kind, "mkdocs" | "sphinx") {
        return None;
    }
    let install = if listed {
        format!("pip install --no-cache-dir -r {requirements}")
    } else {
        format!(
            "pip install --no-cache-dir {}",
            packages(sources, kind, file)
        )
    };
    let (build, folder) = match kind {
        "sphinx" => {
            let (source, output) = match file.strip_suffix("/conf.py") {
                Some(source) => (source, "build/html"),
                None => (".", "_build/html"),
            };
            (
                format!("sphinx-build -b html {source} {output}"),
                Some(output.to_owned()),
            )
        }
        "pelican" => {
            // What is published has settings of its own.
            let settings = sources.first_of(&["publishconf.py"]).unwrap_or(file);
            (format!("pelican content -o output -s {settings}"), None)
        }
        kind => (format!("{kind} build"), None),
    };
    Some((vec![install, build], folder))
}

/// The generator, and the theme that is not its own.
fn packages(sources: &Sources<'_>, kind: &str, file: &str) -> String {
    let text = sources.text(file).unwrap_or_default();
    match kind {
        "mkdocs" => {
            let is_material = text.lines().any(|line| {
                let line = line.trim();
                line == "name: material" || line == "theme: material"
            });
            if is_material {
                "mkdocs-material"
            } else {
                "mkdocs"
            }
            .to_owned()
        }
        "sphinx" => {
            let theme = Scan::behind(&text, "html_theme", COMMENT)
                .find_map(|mut scan| scan.eat("=").then(|| scan.string(QUOTES)).flatten());
            let package = THEMES.iter().find(|(name, _)| Some(*name) == theme);
            package.map_or("sphinx".to_owned(), |(_, package)| {
                format!("sphinx {package}")
            })
        }
        "pelican" => "'pelican[markdown]'".to_owned(),
        kind => kind.to_owned(),
    }
}

/// Sphinx's themes that are packages of their own.
const THEMES: [(&str, &str); 6] = [
    ("furo", "furo"),
    ("press", "sphinx-press-theme"),
    ("pydata_sphinx_theme", "pydata-sphinx-theme"),
    ("sphinx_book_theme", "sphinx-book-theme"),
    ("sphinx_material", "sphinx-material"),
    ("sphinx_rtd_theme", "sphinx-rtd-theme"),
];
