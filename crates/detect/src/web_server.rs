//! Files of a site, served by Caddy: the right types, compression, caching, and a page for what is not there.

use ergon_manifest::{Application, EnvironmentVariable, Health};

use crate::ecosystem::{Packing, Probe, Toolchain};
use crate::plan::shell_quoted;

/// What a site's container starts from.
pub const BASE_IMAGE: &str = "caddy:2";
/// Starts the server; `PORT` says where.
pub const RUN_COMMAND: &str = "caddy run --config Caddyfile --adapter caddyfile";
/// Where the server listens when `PORT` is not set.
pub const PORT: u16 = 8080;
/// What the container needs beside the site's files.
pub const CONFIG_FILE: &str = "Caddyfile";

/// What a path without a file is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// 404, with the site's own `404.html` where it has one.
    NotFound,
    /// The page of a program that runs in the browser and knows its paths itself: `index.html`.
    Page,
}

/// The build command that writes the server's configuration for the files in `root`, relative to the application.
///
/// Files whose names carry a hash of their content, as build tools write them below `assets`, may be kept for
/// ever; pages are asked for again each time.
pub fn configure(root: &str, fallback: Fallback) -> String {
    let mut lines = vec![
        "{".to_owned(),
        "  admin off".to_owned(),
        "  auto_https off".to_owned(),
        "}".to_owned(),
        format!(":{{$PORT:{PORT}}} {{"),
        format!("  root * {root}"),
        "  encode gzip".to_owned(),
        "  header X-Content-Type-Options nosniff".to_owned(),
        "  @hashed path /assets/* /_astro/* /_app/immutable/* /static/js/* /static/css/*"
            .to_owned(),
        "  header @hashed Cache-Control \"public, max-age=31536000, immutable\"".to_owned(),
        "  @pages path / *.html".to_owned(),
        "  header @pages Cache-Control no-cache".to_owned(),
    ];
    match fallback {
        Fallback::Page => {
            lines.push("  try_files {path} {path}.html {path}/index.html /index.html".to_owned());
        }
        Fallback::NotFound => {
            lines.push("  try_files {path} {path}.html {path}/index.html".to_owned());
            lines.push("  handle_errors {".to_owned());
            lines.push("    rewrite * /404.html".to_owned());
            lines.push("    file_server".to_owned());
            lines.push("  }".to_owned());
        }
    }
    // A site that is its whole project has files beside its pages that are nobody's business.
    lines.push("  file_server {".to_owned());
    lines.push(format!("    hide .* {CONFIG_FILE}"));
    lines.push("  }".to_owned());
    lines.push("}".to_owned());
    // Caddy reads the variable, not the shell.
    let quoted = |line: &String| {
        if line.contains('$') {
            let line = line.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{}\"", line.replace('$', "\\$"))
        } else {
            shell_quoted(line)
        }
    };
    let words: Vec<_> = lines.iter().map(quoted).collect();
    format!("printf '%s\\n' {} > {CONFIG_FILE}", words.join(" "))
}

/// Has the server serve an application's files, `configure` being the build command that [`configure`] gives.
pub fn serve(configure: String, application: &mut Application) {
    application.build_commands.push(configure);
    application.run_command = Some(RUN_COMMAND.to_owned());
    application.ports = vec![PORT];
    // The site's own page is the sign that it is there.
    application.health = Some(Health {
        path: "/".to_owned(),
        port: None,
    });
    let port = EnvironmentVariable {
        default: Some(PORT.to_string()),
        ..EnvironmentVariable::default()
    };
    application.env.insert("PORT".to_owned(), port);
}

/// Whether the server serves an application.
pub fn serves(application: &Application) -> bool {
    application.run_command.as_deref() == Some(RUN_COMMAND)
}

/// How a site becomes an image; `toolchain` builds its files, where anything does.
pub fn packing(toolchain: Option<Toolchain>) -> Packing {
    Packing {
        toolchain,
        env: vec![
            ("XDG_CONFIG_HOME", "/tmp/caddy".to_owned()),
            ("XDG_DATA_HOME", "/tmp/caddy".to_owned()),
        ],
        probe: Some(probe),
        ..Packing::default()
    }
}

/// Asks with what the server's image has.
fn probe(probe: &Probe<'_>) -> Vec<String> {
    let port = if probe.port_variable {
        format!("${{PORT:-{}}}", probe.port)
    } else {
        probe.port.to_string()
    };
    let path = shell_quoted(probe.path);
    let line = format!("wget -q -T 3 -O /dev/null http://127.0.0.1:{port}{path}");
    vec!["/bin/sh".to_owned(), "-c".to_owned(), line]
}
