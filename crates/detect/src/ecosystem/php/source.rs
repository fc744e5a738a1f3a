//! What PHP source says: the extensions it uses, routes, the variables it reads.

use crate::ecosystem::Port;
use crate::environment::{Need, Read};
use crate::scan::{Route, Scan, port};
use crate::sources::Text;

const COMMENT: &[&str] = &["//", "#", "*", "/*"];
const QUOTES: &[char] = &['"', '\''];

/// A use of an extension that nothing needs to declare.
pub(super) struct Use {
    pub extension: &'static str,
    pub from: String,
    pub why: &'static str,
}

/// What code calls, and the extension that has it.
const CALLS: [(&str, &str); 18] = [
    ("mysqli_connect", "mysqli"),
    ("new mysqli", "mysqli"),
    ("new \\mysqli", "mysqli"),
    ("mysql:host", "pdo_mysql"),
    ("mysql:dbname", "pdo_mysql"),
    ("mysql:unix_socket", "pdo_mysql"),
    ("pgsql:host", "pdo_pgsql"),
    ("pgsql:dbname", "pdo_pgsql"),
    ("pg_connect", "pgsql"),
    ("new Redis(", "redis"),
    ("new \\Redis(", "redis"),
    ("new MongoDB\\Driver", "mongodb"),
    ("new Memcached(", "memcached"),
    ("new ZipArchive", "zip"),
    ("imagecreate", "gd"),
    ("new Imagick", "imagick"),
    ("bcadd(", "bcmath"),
    ("new SoapClient", "soap"),
];

/// The extensions that code uses.
pub(super) fn uses(texts: &[Text<'_>]) -> Vec<Use> {
    let mut found: Vec<Use> = Vec::new();
    for (path, text) in texts {
        for (call, extension) in CALLS {
            if found.iter().any(|known| known.extension == extension) {
                continue;
            }
            if let Some(scan) = Scan::behind(text, call, COMMENT).next() {
                found.push(Use {
                    extension,
                    from: format!("{path}:{}", scan.line()),
                    why: "the code uses it",
                });
            }
        }
    }
    found
}

/// Every variable that the text reads from its environment.
pub(super) fn environment(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    for function in ["getenv", "env"] {
        for scan in Scan::behind(text, function, COMMENT) {
            // A method, or a property, of something else.
            let before = scan.line_before();
            let before = before.get(..before.len() - function.len()).unwrap_or("");
            if before.ends_with("->") || before.ends_with('$') || before.ends_with("function ") {
                continue;
            }
            reads.extend(call(scan).map(|(name, need)| (scan.line(), name, need)));
        }
    }
    for array in ["$_ENV", "$_SERVER"] {
        for scan in Scan::behind(text, array, COMMENT) {
            let Some((name, need)) = element(scan) else {
                continue;
            };
            // The server's own variables are in the same array.
            if array == "$_ENV" || need != Need::Optional && !is_servers(name) {
                reads.push((scan.line(), name, need));
            }
        }
    }
    reads.sort_by_key(|(line, ..)| *line);
    let reads = reads.into_iter();
    reads
        .map(|(line, name, need)| Read {
            name: name.to_owned(),
            need,
            from: format!("{path}:{line}"),
        })
        .collect()
}

fn is_servers(name: &str) -> bool {
    [
        "HTTP", "REQUEST", "SERVER", "REMOTE", "SCRIPT", "PHP", "DOCUMENT", "QUERY", "PATH",
        "argv", "argc", "CONTENT",
    ]
    .iter()
    .any(|beginning| name.starts_with(beginning))
}

/// `getenv('X') ?: 'd'`, `env('X', 'd')`
fn call(mut scan: Scan<'_>) -> Option<(&str, Need)> {
    if !scan.rest().starts_with('(') || !scan.eat("(") {
        return None;
    }
    let name = scan.string(QUOTES)?;
    if scan.eat(",") {
        return Some((
            name,
            literal(&mut scan).map_or(Need::Optional, Need::Default),
        ));
    }
    let closed = scan.eat(")");
    let falls_back = closed && (scan.eat("?:") || scan.eat("??"));
    let default = if falls_back { literal(&mut scan) } else { None };
    Some((name, default.map_or(Need::Optional, Need::Default)))
}

/// `$_ENV['X'] ?? 'd'`
fn element(mut scan: Scan<'_>) -> Option<(&str, Need)> {
    if !scan.eat("[") {
        return None;
    }
    let name = scan.string(QUOTES)?;
    if !scan.eat("]") {
        return None;
    }
    let assigned = scan.eat("=") && !scan.rest().starts_with(['=', '>']);
    if assigned {
        return None;
    }
    let falls_back = scan.eat("??") || scan.eat("?:");
    let default = if falls_back { literal(&mut scan) } else { None };
    Some((name, default.map_or(Need::Optional, Need::Default)))
}

/// A value that is written down, and not put together.
fn literal(scan: &mut Scan<'_>) -> Option<String> {
    let found = scan
        .string(QUOTES)
        .or_else(|| scan.number())
        .or_else(|| ["true", "false"].into_iter().find(|word| scan.eat(word)));
    let mut after = *scan;
    found.filter(|_| !after.eat(".")).map(str::to_owned)
}

/// What Symfony's configuration reads: `%env(resolve:DATABASE_URL)%`.
pub(super) fn symfony_environment(path: &str, text: &str) -> Vec<Read> {
    let places = Scan::behind(text, "%env(", &["#"]);
    places
        .filter_map(|scan| {
            let inside = scan.rest().split(')').next()?;
            Some(Read {
                name: inside.rsplit(':').next()?.to_owned(),
                need: Need::Optional,
                from: format!("{path}:{}", scan.line()),
            })
        })
        .collect()
}

/// The port that a program of its own listens on: `0.0.0.0:8080`, `'0.0.0.0', 9501`.
pub(super) fn listens(path: &str, text: &str) -> Option<Port> {
    ["0.0.0.0", "127.0.0.1", "[::]"].iter().find_map(|address| {
        text.lines().enumerate().find_map(|(index, line)| {
            let rest = line.split_once(address)?.1;
            let digits = rest.trim_start_matches([':', '"', '\'', ',', ' ']);
            let end = digits.find(|character: char| !character.is_ascii_digit());
            let number = port(digits.get(..end.unwrap_or(digits.len()))?)?;
            Some(Port::written(number, format!("{path}:{}", index + 1)))
        })
    })
}

/// The paths that are answered to GET: `Route::get('/health'`, `$app->get('/health'`, `#[Route('/health'`.
pub(super) fn routes(path: &str, text: &str) -> Vec<Route> {
    let below = if path.ends_with("routes/api.php") {
        "/api"
    } else {
        ""
    };
    let calls = ["Route::get", "Route::view", "->get"].into_iter();
    let called = calls.flat_map(|call| Scan::behind(text, call, COMMENT));
    let attributes = ["#[Route", "#[Get"].into_iter();
    let attributes = attributes.flat_map(|attribute| Scan::behind(text, attribute, &["//"]));
    called
        .chain(attributes)
        .filter_map(|scan| {
            let mut inside = scan;
            if !inside.eat("(") {
                return None;
            }
            inside.eat("path:");
            let answered = inside.string(QUOTES)?;
            let fixed = !answered.contains(['{', '(', '[', '*', ':']);
            // Much else is got: `$request->get('name')`.
            let routed = answered.starts_with('/') || scan.line_before().contains("Route");
            let whole = format!("{below}/{}", answered.trim_matches('/'));
            (fixed && routed).then(|| Route {
                path: match whole.trim_end_matches('/') {
                    "" => "/".to_owned(),
                    path => path.to_owned(),
                },
                from: format!("{path}:{}", scan.line()),
            })
        })
        .collect()
}

/// Laravel's own: `health: '/up'`.
pub(super) fn laravel_health(path: &str, text: &str) -> Option<Route> {
    Scan::behind(text, "health:", COMMENT).find_map(|mut scan| {
        let from = format!("{path}:{}", scan.line());
        Some(Route {
            path: scan.string(QUOTES)?.to_owned(),
            from,
        })
    })
}
