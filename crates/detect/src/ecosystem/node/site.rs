//! Packages whose build leaves a site: files that a web server serves, with no program behind them.

use super::package::Package;
use super::runner::Runner;
use crate::scan::Scan;
use crate::sources::Sources;
use crate::web_server::Fallback;

/// What a build leaves.
pub(super) struct Site {
    /// As `type` in the manifest.
    pub kind: &'static str,
    pub label: &'static str,
    /// The package that builds it.
    pub package: &'static str,
    /// The folder, relative to the package.
    pub output: String,
    pub fallback: Fallback,
    /// Where the folder is said; the package where nothing says.
    pub from: Option<String>,
    /// What builds it where no script called `build` does.
    pub build: Option<String>,
}

/// A builder of sites, and where it puts them by itself.
struct Builder {
    package: &'static str,
    kind: &'static str,
    label: &'static str,
    output: &'static str,
    fallback: Fallback,
    /// Packages with which there is a program behind the pages.
    unless: &'static [&'static str],
}

const fn builder(
    package: &'static str,
    kind: &'static str,
    label: &'static str,
    output: &'static str,
    fallback: Fallback,
    unless: &'static [&'static str],
) -> Builder {
    Builder {
        package,
        kind,
        label,
        output,
        fallback,
        unless,
    }
}

/// Frameworks that bring Vite along and answer requests themselves.
const SERVERS_ON_VITE: &[&str] = &[
    "@sveltejs/kit",
    "@remix-run/dev",
    "@react-router/dev",
    "@tanstack/react-start",
    "@tanstack/solid-start",
    "@tanstack/start",
    "@solidjs/start",
    "astro",
    "nuxt",
    "@builder.io/qwik-city",
    "@redwoodjs/core",
    "@analogjs/platform",
    "vinxi",
    "nitro",
    "@qwik.dev/router",
    "vike",
    "waku",
    "express",
    "fastify",
    "hono",
    "koa",
];

/// The more particular first: most of them stand on Vite or on React.
const BUILDERS: [Builder; 27] = [
    builder(
        "astro",
        "astro",
        "Astro",
        "dist",
        Fallback::NotFound,
        &[
            "@astrojs/node",
            "@astrojs/vercel",
            "@astrojs/netlify",
            "@astrojs/cloudflare",
            "@astrojs/deno",
        ],
    ),
    builder(
        "gatsby",
        "gatsby",
        "Gatsby",
        "public",
        Fallback::NotFound,
        &[],
    ),
    builder(
        "@docusaurus/core",
        "docusaurus",
        "Docusaurus",
        "build",
        Fallback::NotFound,
        &[],
    ),
    builder(
        "@11ty/eleventy",
        "eleventy",
        "Eleventy",
        "_site",
        Fallback::NotFound,
        &[],
    ),
    builder(
        "vitepress",
        "vitepress",
        "VitePress",
        ".vitepress/dist",
        Fallback::NotFound,
        &[],
    ),
    builder(
        "vuepress",
        "vuepress",
        "VuePress",
        ".vuepress/dist",
        Fallback::NotFound,
        &[],
    ),
    builder(
        "rspress",
        "rspress",
        "Rspress",
        "doc_build",
        Fallback::NotFound,
        &[],
    ),
    builder(
        "@rspress/core",
        "rspress",
        "Rspress",
        "doc_build",
        Fallback::NotFound,
        &[],
    ),
    builder(
        "@quasar/app-vite",
        "quasar",
        "Quasar",
        "dist/spa",
        Fallback::Page,
        &[],
    ),
    builder(
        "@quasar/app-webpack",
        "quasar",
        "Quasar",
        "dist/spa",
        Fallback::Page,
        &[],
    ),
    builder(
        "@stencil/core",
        "stencil",
        "Stencil",
        "www",
        Fallback::Page,
        &[],
    ),
    builder("create-elm-app", "elm", "Elm", "build", Fallback::Page, &[]),
    builder(
        "@sveltejs/adapter-static",
        "sveltekit",
        "SvelteKit",
        "build",
        Fallback::Page,
        &[],
    ),
    builder(
        "react-scripts",
        "create-react-app",
        "Create React App",
        "build",
        Fallback::Page,
        &["express"],
    ),
    builder(
        "@angular/core",
        "angular",
        "Angular",
        "dist",
        Fallback::Page,
        &[
            "@angular/ssr",
            "@nguniversal/express-engine",
            "@analogjs/platform",
        ],
    ),
    builder(
        "@vue/cli-service",
        "vue-cli",
        "Vue CLI",
        "dist",
        Fallback::Page,
        &[],
    ),
    builder("expo", "expo", "Expo", "dist", Fallback::Page, &[]),
    builder(
        "preact-cli",
        "preact",
        "Preact CLI",
        "build",
        Fallback::Page,
        &[],
    ),
    builder(
        "@ember/optional-features",
        "ember",
        "Ember",
        "dist",
        Fallback::Page,
        &[],
    ),
    builder("ember-cli", "ember", "Ember", "dist", Fallback::Page, &[]),
    builder(
        "@rsbuild/core",
        "rsbuild",
        "Rsbuild",
        "dist",
        Fallback::Page,
        &["express"],
    ),
    builder(
        "vite",
        "vite",
        "Vite",
        "dist",
        Fallback::Page,
        SERVERS_ON_VITE,
    ),
    builder(
        "parcel",
        "parcel",
        "Parcel",
        "dist",
        Fallback::Page,
        &["express"],
    ),
    builder("hexo", "hexo", "Hexo", "public", Fallback::NotFound, &[]),
    builder(
        "@slidev/cli",
        "slidev",
        "Slidev",
        "dist",
        Fallback::Page,
        &[],
    ),
    // Programs are bundled too; what writes a page is a site's.
    builder(
        "html-webpack-plugin",
        "webpack",
        "webpack",
        "dist",
        Fallback::Page,
        &["express", "fastify", "koa", "hono", "@nestjs/core"],
    ),
    builder(
        "storybook",
        "storybook",
        "Storybook",
        "storybook-static",
        Fallback::NotFound,
        &[],
    ),
];

/// The site that a package's build leaves, where it leaves one.
pub(super) fn of(sources: &Sources<'_>, package: &Package, runner: Runner) -> Option<Site> {
    if let Some(site) = exported(sources, package) {
        return Some(site);
    }
    let builder = BUILDERS.iter().find(|builder| {
        package.depends_on(builder.package)
            && !builder.unless.iter().any(|other| package.depends_on(other))
    })?;
    let (build, command) = build(sources, package, builder, runner)?;
    // A library is built by Vite too; a site has a page, or says that it serves one while it is worked on.
    if builder.package == "vite" && !has_page(sources, package) {
        return None;
    }
    // Most use it beside a program.
    if builder.package == "storybook" && !build.contains("storybook") {
        return None;
    }
    // A library of components is built by it too.
    if builder.package == "@stencil/core" && !sources.has("src/index.html") {
        return None;
    }
    if builder.kind == "quasar" && build.contains(" ssr") {
        return None;
    }
    if builder.package == "expo" && !package.depends_on("react-native-web") {
        return None;
    }
    if builder.package == "astro" && renders_on_demand(sources) {
        return None;
    }
    let said = match builder.package {
        "vite" => configured(sources, &["vite.config"], "outDir"),
        "astro" => configured(sources, &["astro.config"], "outDir"),
        "@vue/cli-service" => configured(sources, &["vue.config"], "outputDir"),
        "@angular/core" => angular_output(sources),
        "@sveltejs/adapter-static" => configured(sources, &["svelte.config"], "pages"),
        "vitepress" | "vuepress" => documents_output(builder, build),
        "@11ty/eleventy" => configured(sources, &["eleventy.config", ".eleventy"], "output"),
        _ => None,
    };
    let (output, from) = match said {
        Some((output, from)) => (output, Some(from)),
        None => (builder.output.to_owned(), None),
    };
    Some(Site {
        kind: builder.kind,
        label: builder.label,
        package: builder.package,
        output,
        fallback: builder.fallback,
        from,
        build: command,
    })
}

/// Scripts that build as `build` does elsewhere.
const BUILD_SCRIPTS: [&str; 4] = ["docs:build", "build:prod", "build:production", "build:web"];

/// Builders that need no script, and what shows that they build this very package.
const WITHOUT_SCRIPT: [(&str, &str, &[&str]); 10] = [
    ("expo", "expo export --platform web", &[]),
    ("@11ty/eleventy", "@11ty/eleventy", &[]),
    ("gatsby", "gatsby build", &[]),
    ("@docusaurus/core", "docusaurus build", &[]),
    (
        "astro",
        "astro build",
        &["astro.config.mjs", "src/pages/index.astro"],
    ),
    (
        "vitepress",
        "vitepress build",
        &[
            ".vitepress/config.mts",
            ".vitepress/config.ts",
            ".vitepress/config.mjs",
            ".vitepress/config.js",
            "index.md",
        ],
    ),
    ("vite", "vite build", &["index.html"]),
    (
        "react-scripts",
        "react-scripts build",
        &["public/index.html"],
    ),
    ("@angular/core", "ng build", &["angular.json"]),
    (
        "@vue/cli-service",
        "vue-cli-service build",
        &["public/index.html"],
    ),
];

/// The script that builds, and the command for it where it is not called `build`.
fn build<'p>(
    sources: &Sources<'_>,
    package: &'p Package,
    builder: &Builder,
    runner: Runner,
) -> Option<(&'p str, Option<String>)> {
    if let Some(script) = package.script("build") {
        // With Expo, that is what makes an app for telephones.
        let telephones = builder.package == "expo" && script.starts_with("eas ");
        if !telephones {
            return Some((script, None));
        }
    }
    let script = BUILD_SCRIPTS
        .iter()
        .find_map(|name| Some((*name, package.script(name)?)));
    if let Some((name, script)) = script {
        return Some((script, Some(runner.script(name))));
    }
    let (_, tool, signs) = WITHOUT_SCRIPT
        .iter()
        .find(|(name, ..)| *name == builder.package)?;
    let shows = signs.is_empty() || signs.iter().any(|file| sources.has(file));
    shows.then(|| ("", Some(runner.tool(tool))))
}

/// A framework that could answer requests, told to leave files instead.
pub(super) fn exported(sources: &Sources<'_>, package: &Package) -> Option<Site> {
    let site = |kind, label, package, output: &str, fallback, from| Site {
        kind,
        label,
        package,
        output: output.to_owned(),
        fallback,
        from: Some(from),
        build: None,
    };
    if package.depends_on("next")
        && let Some((value, from)) = configured(sources, &["next.config"], "output")
        && value == "export"
    {
        return Some(site(
            "next",
            "Next.js",
            "next",
            "out",
            Fallback::NotFound,
            from,
        ));
    }
    if package.depends_on("@react-router/dev")
        && let Some(from) = switched_off(sources, "react-router.config", "ssr")
    {
        let label = "React Router";
        return Some(site(
            "react-router",
            label,
            "@react-router/dev",
            "build/client",
            Fallback::Page,
            from,
        ));
    }
    if package.depends_on("@remix-run/dev")
        && let Some(from) = switched_off(sources, "vite.config", "ssr")
    {
        return Some(site(
            "remix",
            "Remix",
            "@remix-run/dev",
            "build/client",
            Fallback::Page,
            from,
        ));
    }
    if package.depends_on("nuxt") {
        let generates = package.script("build").is_some_and(|script| {
            script.contains("nuxt generate") || script.contains("nuxi generate")
        });
        if generates {
            let from = package.document.from(&["scripts", "build"]);
            return Some(site(
                "nuxt",
                "Nuxt",
                "nuxt",
                ".output/public",
                Fallback::Page,
                from,
            ));
        }
    }
    None
}

fn has_page(sources: &Sources<'_>, package: &Package) -> bool {
    let says = |field: &str| package.document.get(&[field]).is_some();
    let is_library = says("exports") || (says("types") && says("main"));
    sources.has("index.html")
        || sources.has("src/index.html")
        || sources.has("app/index.html")
        || !is_library
            && ["dev", "start", "preview"]
                .iter()
                .filter_map(|name| package.script(name))
                .any(|script| script.contains("vite"))
}

/// Astro's own word for pages that are made when they are asked for.
fn renders_on_demand(sources: &Sources<'_>) -> bool {
    configured(sources, &["astro.config"], "output")
        .is_some_and(|(value, _)| matches!(value.as_str(), "server" | "hybrid"))
}

/// What a configuration written in JavaScript says as a plain text after a name, and where.
pub(super) fn configured(
    sources: &Sources<'_>,
    files: &[&str],
    name: &str,
) -> Option<(String, String)> {
    let (file, text) = configuration(sources, files)?;
    Scan::behind(&text, name, &["//", "*"]).find_map(|mut scan| {
        let line = scan.line();
        if !scan.eat(":") {
            return None;
        }
        let value = scan.string(&['"', '\'', '`'])?;
        let value = value.trim_start_matches("./").trim_end_matches('/');
        let stays = !value.is_empty() && !value.starts_with(['/', '.']) && !value.contains("..");
        stays.then(|| (value.to_owned(), format!("{file}:{line}")))
    })
}

/// Where a configuration sets a name to `false`.
fn switched_off(sources: &Sources<'_>, file: &str, name: &str) -> Option<String> {
    let (file, text) = configuration(sources, &[file])?;
    Scan::behind(&text, name, &["//", "*"]).find_map(|mut scan| {
        let line = scan.line();
        (scan.eat(":") && scan.word() == Some("false")).then(|| format!("{file}:{line}"))
    })
}

fn configuration(sources: &Sources<'_>, files: &[&str]) -> Option<(String, std::rc::Rc<str>)> {
    let endings = ["ts", "js", "mjs", "mts", "cjs"];
    files.iter().find_map(|file| {
        let named = endings.iter().map(|ending| format!("{file}.{ending}"));
        named
            .filter(|name| sources.has(name))
            .find_map(|name| Some((name.clone(), sources.text(&name)?)))
    })
}

/// What `angular.json` says of its project, or of the one it names first.
pub(super) fn angular_output(sources: &Sources<'_>) -> Option<(String, String)> {
    let document = sources.document("angular.json")?;
    let default = document.text(&["defaultProject"]);
    let project = default
        .map(str::to_owned)
        .or_else(|| Some(document.table(&["projects"]).next()?.0.to_owned()))?;
    let build = ["projects", &project, "architect", "build"];
    let keys = |more: &[&'static str]| -> Vec<String> {
        build
            .iter()
            .copied()
            .chain(more.iter().copied())
            .map(str::to_owned)
            .collect()
    };
    let text = |more: &[&'static str]| {
        let keys = keys(more);
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        Some((document.text(&keys)?.to_owned(), document.from(&keys)))
    };
    let (builder, from) = text(&["builder"])?;
    // The newer builders put what the browser gets into a folder of its own.
    let below = if builder.ends_with(":application") {
        "/browser"
    } else {
        ""
    };
    let said =
        text(&["options", "outputPath"]).or_else(|| text(&["options", "outputPath", "base"]));
    let (output, from) = said.unwrap_or((format!("dist/{project}"), from));
    let output = output.trim_start_matches("./").trim_end_matches('/');
    let stays = !output.starts_with('/') && !output.contains("..");
    stays.then(|| (format!("{output}{below}"), from))
}

/// `vitepress build docs` leaves its pages in `docs/.vitepress/dist`.
fn documents_output(builder: &Builder, build: &str) -> Option<(String, String)> {
    let mut words = build.split_whitespace();
    words.find(|word| *word == builder.package)?;
    let folder = words.nth(1).filter(|word| !word.starts_with('-'))?;
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    let stays = !folder.is_empty() && !folder.starts_with('/') && !folder.contains("..");
    stays.then(|| {
        (
            format!("{folder}/{}", builder.output),
            "package.json".to_owned(),
        )
    })
}
