//! What Rust says: the port it listens on, its routes, the variables it reads.

use super::package::Dependency;
use crate::ecosystem::kept::Reading;
use crate::ecosystem::loopback::{self, Listening};
use crate::ecosystem::{Port, Report};
use crate::environment::{Need, Read};
use crate::scan::{self, Route, Scan};
use crate::sources::{Sources, Text};

const COMMENT: &[&str] = &["//"];
const QUOTES: &[char] = &['"'];

/// How it reads files.
pub(super) const READING: Reading = Reading {
    comments: COMMENT,
    function: "fn ",
    calls: &[
        ("File::open", 0),
        ("NamedFile::open", 0),
        ("fs::read", 0),
        ("fs::read_dir", 0),
        ("fs::read_to_string", 0),
        ("ServeDir::new", 0),
        ("ServeFile::new", 0),
        ("StaticDir::create", 0),
        ("Tera::new", 0),
        ("FileServer::from", 0),
        ("Files::new", 1),
        ("fs::dir", 0),
        ("fs::file", 0),
    ],
    around: &[
        "Path::new(",
        "PathBuf::from(",
        "String::from(",
        "format!(",
        "relative!(",
        "concat!(env!(\"CARGO_MANIFEST_DIR\"),",
    ],
    nobody_knows: &["current_exe", "current_dir"],
    embeds: &[
        "include_str!",
        "include_bytes!",
        "include_dir!",
        "#[folder",
        "#[template",
        "migrate!(",
        "embed_migrations!",
    ],
    is_source: |path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let of_cargo = [
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain",
            "rust-toolchain.toml",
            "rustfmt.toml",
            "clippy.toml",
        ];
        name.ends_with(".rs") || of_cargo.contains(&name)
    },
};

/// How it begins to listen.
const LISTENING: Listening = Listening {
    comments: COMMENT,
    calls: &["TcpListener::bind(", "Server::bind(", ".bind("],
    by_url: false,
};

/// What crates read without being told.
pub(super) fn usual(dependencies: &[&Dependency]) -> Vec<&'static str> {
    let has = |names: &[&str]| {
        dependencies
            .iter()
            .any(|one| one.runs && names.contains(&one.name.as_str()))
    };
    let mut usual = Vec::new();
    if has(&["rocket"]) {
        usual.push("Rocket.toml");
    }
    if has(&["rocket_dyn_templates", "rocket_contrib"]) {
        usual.push("templates");
    }
    if has(&["dotenv", "dotenvy"]) {
        usual.push(".env");
    }
    usual
}

/// What stands before the port in an address, and whether only the machine itself reaches it.
const ADDRESSES: [(&str, bool); 11] = [
    ("\"0.0.0.0:", false),
    ("\"[::]:", false),
    ("([0, 0, 0, 0],", false),
    ("([0,0,0,0],", false),
    ("(\"0.0.0.0\",", false),
    ("Ipv4Addr::UNSPECIFIED,", false),
    ("\"127.0.0.1:", true),
    ("\"[::1]:", true),
    ("\"localhost:", true),
    ("([127, 0, 0, 1],", true),
    ("(\"127.0.0.1\",", true),
];

/// Whether a text has what begins to answer.
pub(super) fn listens(text: &str) -> bool {
    const BEGINNINGS: [&str; 10] = [
        "TcpListener::bind",
        "axum::serve",
        "axum::Server",
        "HttpServer::new",
        "rocket::build",
        "rocket::ignite",
        "#[launch]",
        "warp::serve",
        "Server::bind",
        "tide::new",
    ];
    BEGINNINGS
        .iter()
        .any(|beginning| Scan::behind(text, beginning, COMMENT).next().is_some())
}

/// The port: what the code falls back to where `PORT` is not set, else the address it binds.
pub(super) fn port(
    sources: &Sources<'_>,
    texts: &[Text<'_>],
    reads: &[Read],
    report: &mut Report,
) -> Option<Port> {
    let fallback = reads.iter().find_map(|read| match &read.need {
        Need::Default(default) if read.name == "PORT" => {
            Some(Port::fallback(scan::port(default)?, &read.from))
        }
        _ => None,
    });
    if let Some(fallback) = fallback {
        loopback::ask(sources, texts, &LISTENING, report);
        return Some(fallback);
    }
    let (port, from, only_local) = texts.iter().find_map(|(path, text)| {
        ADDRESSES.iter().find_map(|(address, only_local)| {
            Scan::behind(text, address, COMMENT).find_map(|mut scan| {
                let port = scan.number().and_then(scan::port)?;
                // Tests ask for any port, clients for another one's.
                let line = scan.line_before();
                let asks = line.contains("connect") || line.contains("://");
                (!asks).then(|| (port, format!("{path}:{}", scan.line()), *only_local))
            })
        })
    })?;
    if only_local {
        loopback::ask_of(sources, &from, report);
    }
    Some(Port::written(port, from))
}

/// The paths that are answered to GET.
pub(super) fn routes(path: &str, text: &str) -> Vec<Route> {
    let found = [".route", "#[get", ".service"]
        .into_iter()
        .flat_map(|call| {
            Scan::behind(text, call, COMMENT).filter_map(move |mut scan| {
                let line = scan.line();
                if !scan.eat("(") {
                    return None;
                }
                let answered = scan.string(QUOTES)?;
                let rest = scan.rest().lines().next().unwrap_or("");
                let by_get = call != ".route" || rest.contains("get(");
                let fixed = answered.starts_with('/') && !answered.contains(['{', ':', '<', '*']);
                (fixed && by_get).then(|| Route {
                    path: answered.to_owned(),
                    from: format!("{path}:{line}"),
                })
            })
        });
    found.collect()
}

/// Every variable that the text reads from its environment.
pub(super) fn environment(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    for call in ["env::var", "env::var_os"] {
        for scan in Scan::behind(text, call, COMMENT) {
            let mut inside = scan;
            if !inside.eat("(") {
                continue;
            }
            let Some(name) = inside.string(QUOTES) else {
                continue;
            };
            inside.eat(")");
            let need = need(inside);
            reads.push((
                scan.line(),
                Read {
                    name: name.to_owned(),
                    need,
                    from: format!("{path}:{}", scan.line()),
                },
            ));
        }
    }
    reads.extend(of_arguments(path, text));
    reads.sort_by_key(|(line, _)| *line);
    reads.into_iter().map(|(_, read)| read).collect()
}

/// What clap's arguments read where they are not given: `#[arg(long, env = "PORT", default_value = "80")]`.
fn of_arguments(path: &str, text: &str) -> Vec<(usize, Read)> {
    let mut reads = Vec::new();
    for scan in Scan::behind(text, "env", COMMENT) {
        let mut inside = scan;
        let before = scan.line_before();
        let in_attribute = ["#[arg(", "#[clap(", "#[structopt("]
            .iter()
            .any(|attribute| before.contains(attribute));
        if !in_attribute || !inside.eat("=") {
            continue;
        }
        let Some(name) = inside.string(QUOTES) else {
            continue;
        };
        let line = inside.rest().lines().next().unwrap_or("");
        let line = format!("{before}{line}");
        let default = line.split("default_value").nth(1).and_then(|rest| {
            let value = rest
                .trim_start_matches("_t")
                .trim_start()
                .strip_prefix('=')?;
            let value = value.trim_start();
            match value.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next(),
                None => value.split([')', ',', ']']).next(),
            }
        });
        let need = default
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .map_or(Need::Optional, Need::Default);
        let from = format!("{path}:{}", scan.line());
        let name = name.to_owned();
        reads.push((scan.line(), Read { name, need, from }));
    }
    reads
}

/// What is done with a variable that is not set, up to the end of the statement.
fn need(behind: Scan<'_>) -> Need {
    let statement = behind.rest().split(';').next().unwrap_or("");
    let mut scan = behind;
    if scan.eat("?") || scan.eat(".expect(") || scan.eat(".unwrap()") {
        return Need::Required;
    }
    if let Some(at) = statement.find(".unwrap_or") {
        let rest = &statement[at..];
        let quoted = rest
            .split_once('"')
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(text, _)| text);
        let number = || {
            let inside = rest.split_once(['(', '|'])?.1;
            let digits: String = inside
                .trim_start_matches(['|', '_', ' '])
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            (!digits.is_empty()).then_some(digits)
        };
        if let Some(default) = quoted.map(str::to_owned).or_else(number) {
            return Need::Default(default);
        }
    }
    // match env::var("PORT") { Ok(port) => port, Err(_) => "8000".into() }
    if behind.line_before().contains("match ")
        && let Some((_, other)) = statement.split_once("Err(_) =>")
    {
        let other = other.trim_start();
        let quoted = other
            .strip_prefix('"')
            .or_else(|| other.strip_prefix("String::from(\""))
            .and_then(|rest| rest.split_once('"'))
            .map(|(text, _)| text.to_owned());
        let digits = || {
            let digits: String = other.chars().take_while(char::is_ascii_digit).collect();
            (!digits.is_empty()).then_some(digits)
        };
        if let Some(default) = quoted.or_else(digits) {
            return Need::Default(default);
        }
        if other.starts_with("panic!") {
            return Need::Required;
        }
    }
    Need::Optional
}
