//! Sites of files.

use ergon_detect::memory::MemoryTree;
use ergon_detect::plan::Step;
use ergon_manifest::Application;
use insta::assert_snapshot;

use crate::{detected, report};

/// The folder that the web server is told to serve.
fn served(files: &[(&str, &str)]) -> String {
    let application = detected(files);
    assert_eq!(application.language, "static");
    root(&application)
}

fn root(application: &Application) -> String {
    let configure = application.build_commands.last().unwrap();
    let (_, behind) = configure.split_once("root * ").unwrap();
    behind.split('\'').next().unwrap().to_owned()
}

#[test]
fn a_page_is_a_site() {
    let tree = MemoryTree::new([("index.html", "<h1>Hello</h1>")]);
    assert_snapshot!(report(&tree), @r"
    app · a site
    language: HTML [index.html, certain]
    run_command: caddy run --config Caddyfile --adapter caddyfile [index.html, likely] (serves this folder: its index.html is the first page)
    port: 8080 [-, assumed] (the server's own; nothing in the project says otherwise)
    ");
}

#[test]
fn the_site_may_lie_in_a_folder() {
    assert_eq!(served(&[("index.html", "")]), ".");
    assert_eq!(served(&[("public/index.html", "")]), "public");
    assert_eq!(served(&[("dist/index.html", "")]), "dist");
}

#[test]
fn a_staticfile_says_which() {
    assert_eq!(
        served(&[
            ("Staticfile", "root: site\n"),
            ("site/index.html", ""),
            ("index.html", "")
        ]),
        "site"
    );
    assert_eq!(
        served(&[("Staticfile", ""), ("public/index.html", "")]),
        "public"
    );
    assert_eq!(
        served(&[
            ("static.json", r#"{"root": "./out/"}"#),
            ("out/index.html", "")
        ]),
        "out"
    );
    // It never leads out of the project.
    let tree = MemoryTree::new([("Staticfile", "root: ../../etc\n")]);
    assert!(
        ergon_detect::analyse(&tree)
            .manifest
            .applications
            .is_empty()
    );
}

#[test]
fn a_program_in_the_browser_answers_every_path() {
    let falls_back = |files: &[(&str, &str)]| {
        let application = detected(files);
        application
            .build_commands
            .last()
            .unwrap()
            .contains(" /index.html'")
    };
    assert!(falls_back(&[(
        "dist/index.html",
        "<div id=\"root\"></div>"
    )]));
    assert!(falls_back(&[(
        "Staticfile",
        "root: x\npushstate: enabled\n"
    )]));
    assert!(falls_back(&[(
        "static.json",
        r#"{"routes": {"/**": "index.html"}}"#
    )]));
    assert!(!falls_back(&[("index.html", "<h1>Hello</h1>")]));
}

#[test]
fn a_page_beside_a_program_is_that_programs() {
    let language = |files: &[(&str, &str)]| {
        let mut all = vec![("index.html", "")];
        all.extend(files);
        detected(&all).language
    };
    assert_eq!(language(&[("go.mod", "module x\n")]), "go");
    assert_eq!(
        language(&[("package.json", r#"{"dependencies": {"left-pad": "1"}}"#)]),
        "javascript"
    );
    assert_eq!(
        language(&[("package.json", r#"{"devDependencies": {"prettier": "3"}}"#)]),
        "static"
    );
}

#[test]
fn generators_make_sites() {
    let made = |files: &[(&str, &str)]| {
        let application = detected(files);
        assert_eq!(application.language, "static");
        let commands = application.build_commands.len() - 1;
        format!(
            "{}: {}; serves {}",
            application.kind,
            application.build_commands[..commands].join(" && "),
            root(&application)
        )
    };
    assert_eq!(
        made(&[
            ("hugo.toml", "baseURL = 'https://x.test'\n"),
            ("content/a.md", "")
        ]),
        "hugo: hugo --minify; serves public"
    );
    assert_eq!(
        made(&[
            ("config.toml", "baseURL = 'https://x.test'\n"),
            ("archetypes/default.md", "")
        ]),
        "hugo: hugo --minify; serves public"
    );
    assert_eq!(
        made(&[
            ("config.toml", "base_url = 'https://x.test'\n"),
            ("content/a.md", "")
        ]),
        "zola: apk add --no-cache zola && zola build; serves public"
    );
    assert_eq!(
        made(&[
            ("book.toml", "[build]\nbuild-dir = \"out\"\n"),
            ("src/SUMMARY.md", "")
        ]),
        "mdbook: apk add --no-cache mdbook && mdbook build; serves out"
    );
    assert_eq!(
        made(&[
            ("mkdocs.yml", "site_name: x\ntheme:\n  name: material\n"),
            ("docs/index.md", "")
        ]),
        "mkdocs: pip install --no-cache-dir mkdocs-material && mkdocs build; serves site"
    );
    assert_eq!(
        made(&[
            ("source/conf.py", "project = 'x'\nhtml_theme = 'furo'\n"),
            ("source/index.rst", "")
        ]),
        "sphinx: pip install --no-cache-dir sphinx furo && sphinx-build -b html source build/html; serves build/html"
    );
    assert_eq!(
        made(&[
            ("pelicanconf.py", "PATH = 'content'\n"),
            ("publishconf.py", "from pelicanconf import *\n"),
            ("requirements.txt", "pelican==4.9\n")
        ]),
        "pelican: pip install --no-cache-dir -r requirements.txt && pelican content -o output -s publishconf.py; serves output"
    );
    assert_eq!(
        made(&[
            ("_config.yml", "theme: minima\nplugins:\n  - jekyll-feed\n"),
            ("index.md", "")
        ]),
        "jekyll: gem install --no-document minima jekyll-feed && jekyll build; serves _site"
    );
    assert_eq!(
        made(&[("conf.py", "BLOG_TITLE = 'x'\n")]),
        "nikola: pip install --no-cache-dir nikola && nikola build; serves output"
    );
    assert_eq!(
        made(&[("zensical.toml", "[project]\nsite_dir = \"out\"\n")]),
        "zensical: pip install --no-cache-dir zensical && zensical build; serves out"
    );
}

#[test]
fn documentation_beside_a_program_is_not_the_program() {
    let application = detected(&[
        ("pyproject.toml", "[project]\nname = \"x\"\n"),
        ("main.py", ""),
        ("source/conf.py", "project = 'x'\n"),
        ("source/index.rst", ""),
    ]);
    assert_eq!(application.language, "python");
}

#[test]
fn a_web_servers_settings_name_the_folder() {
    let told = |settings: (&'static str, &'static str)| {
        let tree = MemoryTree::new([settings, ("pages/index.html", "<p>")]);
        report(&tree)
    };
    let apache = told((
        "httpd.conf",
        "Listen 80\nDocumentRoot \"${APP_ROOT}/pages\"\n",
    ));
    assert!(
        apache.contains("[httpd.conf:2, likely] (serves pages: "),
        "{apache}"
    );
    let nginx = told(("nginx.conf", "server {\n  root /srv/pages;\n}\n"));
    assert!(
        nginx.contains("[nginx.conf:2, likely] (serves pages: "),
        "{nginx}"
    );
    let proxy = told(("nginx.conf", "root /srv/pages;\nproxy_pass http://api;\n"));
    assert!(!proxy.contains("nginx.conf"), "{proxy}");
}

#[test]
fn pages_of_jekyll_need_no_gemfile() {
    let site = detected(&[
        ("_config.yml", "title: shop\n"),
        ("_posts/a.md", "---\n---\n"),
    ]);
    assert_eq!(
        (site.kind.as_str(), &site.build_commands[0]),
        ("jekyll", &"jekyll build".to_owned())
    );
    assert_eq!(site.artifacts, ["_site", "Caddyfile"]);
}

#[test]
fn documentation_is_a_site_where_there_is_nothing_else() {
    let site = detected(&[("docs/index.html", "<p>"), ("README.md", "")]);
    assert_eq!(site.entrypoint.as_deref(), Some("docs/index.html"));
    let program = detected(&[("docs/index.html", "<p>"), ("main.py", "print(1)\n")]);
    assert_eq!(program.language, "python");
}

#[test]
fn settings_with_secrets_stay_out_of_a_sites_image() {
    let page = ("index.html", "<p>");
    let artifacts = |files: &[(&str, &str)]| detected(files).artifacts;
    assert!(artifacts(&[page, (".env.example", "")]).is_empty());
    let files = [page, (".env", ""), (".env.local", ""), ("css/a.css", "")];
    assert_eq!(artifacts(&files), ["css", "index.html", "Caddyfile"]);
    assert_eq!(
        artifacts(&[("public/index.html", ""), (".env", "")]),
        ["public", "Caddyfile"]
    );
    let tree = MemoryTree::new(files);
    let plans = ergon_detect::plan::plan(&ergon_detect::analyse(&tree).manifest, &tree).unwrap();
    let image = plans[0].stages.last().unwrap();
    let all = |step: &Step| matches!(step, Step::CopySources { .. });
    assert!(!image.steps.iter().any(all), "{image:?}");
    // What lies deeper is asked about.
    let report = report(&MemoryTree::new([page, ("css/.env", "")]));
    assert!(report.contains("? Does css/.env hold secrets?"), "{report}");
}
