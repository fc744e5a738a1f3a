//! The paths that a program answers to GET.

use crate::scan::{Route, Scan};
use crate::sources::{Sources, Text};

const COMMENT: &[&str] = &["//", "*", "/*"];
const QUOTES: &[char] = &['"', '\'', '`'];

/// All that the code and the names of its files say.
pub(super) fn of(texts: &[Text<'_>], framework: Option<&str>) -> Vec<Route> {
    let written = texts.iter().flat_map(|(path, text)| called(path, text));
    let mut routes: Vec<_> = written.collect();
    match framework {
        Some("nest") => routes.extend(of_controllers(texts)),
        Some(framework) => {
            let named = texts
                .iter()
                .filter_map(|(path, _)| of_file(path, framework));
            routes.extend(named);
        }
        None => {}
    }
    routes
}

/// `app.get("/path", …)`
fn called(path: &str, text: &str) -> Vec<Route> {
    // These are written as one chain of calls.
    let chained = ["new Elysia(", "new Hono("]
        .iter()
        .any(|new| text.contains(new));
    let found = Scan::behind(text, ".get", COMMENT).filter_map(|mut scan| {
        let line = scan.line();
        let object = scan.line_before().trim_end_matches(".get").trim_end();
        let servers = ["app", "server", "fastify", "api"];
        let is_server = servers.iter().any(|name| object.ends_with(name))
            || (chained && (object.is_empty() || object.ends_with(')')));
        if !is_server || !scan.eat("(") {
            return None;
        }
        let answered = scan.string(QUOTES)?;
        // `app.get("setting")` has no handler.
        (is_fixed(answered) && scan.eat(",")).then(|| Route {
            path: answered.to_owned(),
            from: format!("{path}:{line}"),
        })
    });
    found.collect()
}

fn is_fixed(path: &str) -> bool {
    path.starts_with('/') && !path.contains([':', '*', '(', '$', '['])
}

/// `@Controller("path")` and the `@Get("path")` after it, below what is set for all of them.
fn of_controllers(texts: &[Text<'_>]) -> Vec<Route> {
    let prefix = texts.iter().find_map(|(_, text)| {
        Scan::behind(text, "setGlobalPrefix", COMMENT)
            .find_map(|mut scan| scan.eat("(").then(|| scan.string(QUOTES)).flatten())
    });
    let mut routes = Vec::new();
    for (path, text) in texts {
        let of_decorator = |name: &'static str| {
            Scan::behind(text, name, COMMENT).filter_map(|mut scan| {
                let line = scan.line();
                if !scan.eat("(") {
                    return None;
                }
                let said = scan.string(QUOTES);
                (said.is_some() || scan.eat(")")).then(|| (line, said.unwrap_or("")))
            })
        };
        let controllers: Vec<_> = of_decorator("@Controller").collect();
        for (line, own) in of_decorator("@Get") {
            let before = controllers.iter().rfind(|(above, _)| *above < line);
            let Some((_, controller)) = before else {
                continue;
            };
            let parts = [prefix.unwrap_or(""), *controller, own];
            let parts = parts.iter().map(|part| part.trim_matches('/'));
            let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
            let answered = format!("/{}", parts.join("/"));
            if is_fixed(&answered) {
                routes.push(Route {
                    path: answered,
                    from: format!("{path}:{line}"),
                });
            }
        }
    }
    routes
}

/// Where a framework has files for paths, and how such a file ends.
const FOLDERS: [(&str, &str, &str); 11] = [
    ("next", "app/", "/route"),
    ("next", "src/app/", "/route"),
    ("next", "pages/api/", ""),
    ("next", "src/pages/api/", ""),
    ("nuxt", "server/api/", ""),
    ("nuxt", "server/routes/", ""),
    ("sveltekit", "src/routes/", "/+server"),
    ("astro", "src/pages/", ""),
    ("remix", "app/routes/", ""),
    ("react-router", "app/routes/", ""),
    ("solid-start", "src/routes/", ""),
];

/// The path that a file is for by its name.
fn of_file(file: &str, framework: &str) -> Option<Route> {
    let (stem, _) = file.rsplit_once('.')?;
    let path = FOLDERS.iter().find_map(|(of, folder, end)| {
        let inside = stem.strip_prefix(folder).filter(|_| *of == framework)?;
        let inside = inside.strip_suffix(end)?;
        let inside = inside.strip_suffix(".get").unwrap_or(inside);
        let inside = inside.strip_suffix("/index").unwrap_or(inside);
        let api = if folder.ends_with("/api/") {
            "/api"
        } else {
            ""
        };
        Some(format!("{api}/{inside}"))
    })?;
    let plain = path
        .chars()
        .all(|one| one.is_ascii_alphanumeric() || "/-_".contains(one));
    plain.then(|| Route {
        path,
        from: file.to_owned(),
    })
}

/// Where a framework has the page that is shown first.
const FRONT_PAGES: [(&str, &[&str]); 8] = [
    (
        "next",
        &[
            "app/page.tsx",
            "app/page.jsx",
            "app/page.js",
            "src/app/page.tsx",
            "src/app/page.jsx",
            "src/app/page.js",
            "pages/index.tsx",
            "pages/index.jsx",
            "pages/index.js",
            "src/pages/index.tsx",
            "src/pages/index.jsx",
            "src/pages/index.js",
        ],
    ),
    (
        "nuxt",
        &[
            "app.vue",
            "app/app.vue",
            "pages/index.vue",
            "app/pages/index.vue",
        ],
    ),
    (
        "sveltekit",
        &["src/routes/+page.svelte", "src/routes/(app)/+page.svelte"],
    ),
    (
        "react-router",
        &[
            "app/routes/home.tsx",
            "app/routes/home.jsx",
            "app/routes/_index.tsx",
            "app/routes/_index.jsx",
        ],
    ),
    ("remix", &["app/routes/_index.tsx", "app/routes/_index.jsx"]),
    (
        "astro",
        &[
            "src/pages/index.astro",
            "src/pages/index.md",
            "src/pages/index.mdx",
        ],
    ),
    (
        "solid-start",
        &["src/routes/index.tsx", "src/routes/index.jsx"],
    ),
    (
        "tanstack-start",
        &["src/routes/index.tsx", "app/routes/index.tsx"],
    ),
];

/// Where a framework is told to answer somewhere below `/`.
const SETTINGS: [&str; 8] = [
    "next.config.ts",
    "next.config.js",
    "next.config.mjs",
    "nuxt.config.ts",
    "svelte.config.js",
    "react-router.config.ts",
    "astro.config.mjs",
    "vite.config.ts",
];

/// The page that is shown first, by the name of its file.
pub(super) fn front_page(sources: &Sources<'_>, framework: &str) -> Option<Route> {
    let elsewhere = SETTINGS
        .iter()
        .filter(|file| sources.has(file))
        .any(|file| {
            let text = sources.text(file).unwrap_or_default();
            ["basePath", "baseURL", "basename", "base:"]
                .iter()
                .any(|setting| text.contains(setting))
        });
    if elsewhere {
        return None;
    }
    let (_, files) = FRONT_PAGES.iter().find(|(of, _)| *of == framework)?;
    let file = sources.first_of(files)?;
    Some(Route {
        path: "/".to_owned(),
        from: file.to_owned(),
    })
}
