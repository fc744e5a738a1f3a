//! Which folder is the site.

use crate::sources::Sources;
use crate::web_server::Fallback;

/// The folder that is served, and how that is known.
pub(super) struct Root {
    /// Relative to the program's folder; `.` is that itself.
    pub folder: String,
    /// The page that is shown first.
    pub page: Option<String>,
    /// `file:line`
    pub from: String,
    pub why: String,
    /// A file says so that is only there for that.
    pub explicit: bool,
    pub fallback: Fallback,
}

/// Folders that tools and people put a finished site in.
const USUAL: [&str; 10] = [
    "public",
    "dist",
    "site",
    "www",
    "html",
    "public_html",
    "build",
    "_site",
    "htdocs",
    "docs",
];

pub(super) fn of(sources: &Sources<'_>) -> Option<Root> {
    staticfile(sources)
        .or_else(|| static_json(sources))
        .or_else(|| configured(sources))
        .or_else(|| lying_there(sources))
}

/// `Staticfile`: `root: site`, `pushstate: enabled`.
fn staticfile(sources: &Sources<'_>) -> Option<Root> {
    let text = sources.text("Staticfile")?;
    let setting = |wanted: &str| {
        text.lines().enumerate().find_map(|(index, line)| {
            let (key, value) = line.split_once(':')?;
            let value = value.trim().trim_matches(['"', '\'']);
            (key.trim() == wanted && !value.is_empty()).then_some((value, index + 1))
        })
    };
    let fallback = match setting("pushstate") {
        Some(("enabled" | "true", _)) => Fallback::Page,
        _ => Fallback::NotFound,
    };
    let (folder, from, why) = match setting("root") {
        Some((root, line)) => {
            let folder = folder(root)?;
            (folder, format!("Staticfile:{line}"), "its root")
        }
        None => (
            usual(sources).unwrap_or(".").to_owned(),
            "Staticfile".to_owned(),
            "it names no other root",
        ),
    };
    Some(Root {
        page: page(sources, &folder),
        folder,
        from,
        why: why.to_owned(),
        explicit: true,
        fallback,
    })
}

/// `static.json`: `root`, and `routes` that lead everything to one page.
fn static_json(sources: &Sources<'_>) -> Option<Root> {
    let document = sources.document("static.json")?;
    let written = document.text(&["root"]);
    let folder = folder(written.unwrap_or("public_html"))?;
    let to_page = ["/**", "/*", "**"]
        .iter()
        .any(|route| document.text(&["routes", route]) == Some("index.html"));
    Some(Root {
        page: page(sources, &folder),
        folder,
        from: document.from(&["root"]),
        why: match written {
            Some(_) => "its root",
            None => "usual where it names no root",
        }
        .to_owned(),
        explicit: true,
        fallback: if to_page {
            Fallback::Page
        } else {
            Fallback::NotFound
        },
    })
}

/// `DocumentRoot "${APP_ROOT}/htdocs"` of Apache, `root /srv/htdocs;` of nginx: the folder that is there by that end.
fn configured(sources: &Sources<'_>) -> Option<Root> {
    let file = sources.first_of(&["httpd.conf", "nginx.conf"])?;
    let text = sources.text(file)?;
    // What only stands before a program serves no files.
    if ["proxy_pass", "fastcgi_pass", "ProxyPass"]
        .iter()
        .any(|word| text.contains(word))
    {
        return None;
    }
    let fallback = if text.contains("/index.html;") || text.contains("FallbackResource") {
        Fallback::Page
    } else {
        Fallback::NotFound
    };
    text.lines().enumerate().find_map(|(index, line)| {
        let line = line.trim();
        let path = line
            .strip_prefix("DocumentRoot ")
            .or_else(|| line.strip_prefix("root "))?
            .trim_matches([' ', '"', '\'', ';']);
        let ends =
            std::iter::once(path).chain(path.match_indices('/').map(|(at, _)| &path[at + 1..]));
        let (folder, page) = ends
            .filter(|end| !end.is_empty())
            .find_map(|end| Some((end.to_owned(), page(sources, end)?)))?;
        Some(Root {
            folder: self::folder(&folder)?,
            page: Some(page),
            from: format!("{file}:{}", index + 1),
            why: "the web server's settings say so".to_owned(),
            explicit: false,
            fallback,
        })
    })
}

/// Pages without anything that says how they are served.
fn lying_there(sources: &Sources<'_>) -> Option<Root> {
    let folder = usual(sources)?;
    let page = page(sources, folder)?;
    let runs_in_browser = sources.text(&page).is_some_and(|text| {
        ["<div id=\"root\">", "<div id=\"app\">", "<app-root>"]
            .iter()
            .any(|mount| text.contains(mount))
    });
    Some(Root {
        folder: folder.to_owned(),
        from: page.clone(),
        why: "its index.html is the first page".to_owned(),
        page: Some(page),
        explicit: false,
        fallback: if runs_in_browser {
            Fallback::Page
        } else {
            Fallback::NotFound
        },
    })
}

fn usual(sources: &Sources<'_>) -> Option<&'static str> {
    // A page of a program that has the folder for itself is built before it is served.
    let is_built = |folder: &str| sources.has(&format!("{folder}/package.json"));
    std::iter::once(".")
        .chain(USUAL)
        .find(|folder| page(sources, folder).is_some() && (*folder == "." || !is_built(folder)))
}

fn page(sources: &Sources<'_>, folder: &str) -> Option<String> {
    let page = if folder == "." {
        "index.html".to_owned()
    } else {
        format!("{folder}/index.html")
    };
    sources.has(&page).then_some(page)
}

/// A folder as people write it, as the server's settings can hold it; none outside of the project.
pub(super) fn folder(written: &str) -> Option<String> {
    let elements: Vec<_> = written
        .split('/')
        .filter(|element| !matches!(*element, "" | "."))
        .collect();
    let plain = |element: &str| {
        element != ".."
            && element
                .chars()
                .all(|one| one.is_alphanumeric() || "-_.@+".contains(one))
    };
    if written.starts_with('/') || !elements.iter().copied().all(plain) {
        return None;
    }
    Some(if elements.is_empty() {
        ".".to_owned()
    } else {
        elements.join("/")
    })
}
