//! Where a web server finds a PHP program, and how Apache is told.

use crate::plan::{APP_ROOT, shell_quoted};
use crate::sources::Sources;

/// Starts Apache in the official image.
pub(super) const RUN_COMMAND: &str = "apache2-foreground";
/// Where it listens when `PORT` is not set.
pub(super) const PORT: u16 = 8080;

/// Folders that hold what everybody may ask for, the usual first.
const ROOTS: [&str; 11] = [
    "public",
    "web",
    "webroot",
    "htdocs",
    "public_html",
    "html",
    "www",
    "docroot",
    "pub",
    "httpdocs",
    "src/public",
];

/// The folder that is served, empty for the application's own; none where there is no page to serve.
pub(super) fn root(sources: &Sources<'_>) -> Option<&'static str> {
    let below = ROOTS
        .into_iter()
        .find(|folder| sources.has(&format!("{folder}/index.php")));
    if below.is_some() {
        return below;
    }
    if sources.has("index.php") {
        return Some("");
    }
    // Pages without a first one among them: `contact.php` beside `index.html`.
    let served = |folder: &str| {
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let page = ["index.html", "index.phtml", "home.php"];
        page.iter()
            .any(|page| sources.has(&format!("{prefix}{page}")))
            && sources.files().iter().any(|path| {
                path.strip_prefix(prefix.as_str())
                    .is_some_and(|name| !name.contains('/') && name.ends_with(".php"))
            })
    };
    std::iter::once("")
        .chain(ROOTS)
        .find(|folder| served(folder))
}

/// The command that tells Apache which folder to serve and where to listen; `front` answers what is no file.
pub(super) fn configure(folder: &str, root: &str, front: bool) -> String {
    let mut served = APP_ROOT.to_owned();
    for part in [folder, root].into_iter().filter(|part| !part.is_empty()) {
        served.push('/');
        served.push_str(part);
    }
    // Quotes and what Apache would read as a variable.
    let written = served.replace(['"', '\\', '$'], "?");
    let mut lines = vec![
        "ServerName localhost".to_owned(),
        "<VirtualHost *>".to_owned(),
        format!("  DocumentRoot \"{written}\""),
        "  php_flag display_errors off".to_owned(),
        // Settings and a repository's own files are nobody's business.
        "  RedirectMatch 404 \"/\\.(?!well-known)\"".to_owned(),
        format!("  <Directory \"{written}\">"),
        "    Options -Indexes +FollowSymLinks".to_owned(),
        "    AllowOverride All".to_owned(),
        "    Require all granted".to_owned(),
    ];
    if front {
        lines.push("    FallbackResource /index.php".to_owned());
    }
    lines.push("  </Directory>".to_owned());
    lines.push("</VirtualHost>".to_owned());
    let words: Vec<_> = lines.iter().map(|line| shell_quoted(line)).collect();
    format!(
        "echo \"Listen \\${{PORT}}\" > /etc/apache2/ports.conf && printf '%s\\n' {} > \
         /etc/apache2/sites-available/000-default.conf && a2enmod -q rewrite",
        words.join(" ")
    )
}

/// Whether a build command is one that sets up the image, not the application.
pub(super) fn sets_up_image(command: &str) -> bool {
    ["docker-php-ext-", "pecl install", "/etc/apache2/"]
        .iter()
        .any(|mark| command.contains(mark))
}
