//! What Ruby source says: routes, the port, the variables that it reads.

use crate::ecosystem::Port;
use crate::environment::{Need, Read};
use crate::scan::{Route, Scan, port as port_number};

const COMMENT: &[&str] = &["#"];
const QUOTES: &[char] = &['"', '\''];
/// How far the routes of a program as a whole are indented; what stands deeper may be below another path.
const DEEPEST_ROUTE: usize = 4;

/// Every variable that the text reads from its environment.
pub(super) fn environment(path: &str, text: &str) -> Vec<Read> {
    let scans = Scan::behind(text, "ENV", COMMENT);
    scans
        .filter_map(|scan| {
            let (name, need) = lookup(scan)?;
            Some(Read {
                name: name.to_owned(),
                need,
                from: format!("{path}:{}", scan.line()),
            })
        })
        .collect()
}

fn lookup(mut scan: Scan<'_>) -> Option<(&str, Need)> {
    if scan.rest().starts_with('[') {
        scan.eat("[");
        let name = scan.string(QUOTES)?;
        if !scan.eat("]") {
            return None;
        }
        let mut after = scan;
        let assigned = after.eat("=") && !after.rest().starts_with(['=', '~']);
        if assigned || after.eat("||=") {
            return None;
        }
        let default = if after.eat("||") {
            literal(&mut after)
        } else {
            None
        };
        return Some((name, default.map_or(Need::Optional, Need::Default)));
    }
    if !scan.rest().starts_with('.') || !scan.eat(".") {
        return None;
    }
    match scan.word()? {
        "fetch" => {
            scan.eat("(");
            let name = scan.string(QUOTES)?;
            let given = scan.eat(",");
            let block = !given && {
                scan.eat(")");
                scan.eat("{")
            };
            let need = match (given || block, literal(&mut scan)) {
                (true, Some(default)) => Need::Default(default),
                (true, None) => Need::Optional,
                (false, _) => Need::Required,
            };
            Some((name, need))
        }
        "key" | "has_key" | "include" => {
            (scan.eat("?") && scan.eat("(")).then_some(())?;
            Some((scan.string(QUOTES)?, Need::Optional))
        }
        _ => None,
    }
}

fn literal(scan: &mut Scan<'_>) -> Option<String> {
    if let Some(text) = scan.string(QUOTES) {
        return (!text.contains("#{")).then(|| text.to_owned());
    }
    if let Some(number) = scan.number() {
        return Some(number.to_owned());
    }
    ["true", "false"]
        .into_iter()
        .find(|word| scan.eat(word))
        .map(str::to_owned)
}

/// The paths that are answered to GET: `get "/health" do`, `get "up" => …`, `root "…"`.
pub(super) fn routes(path: &str, text: &str) -> Vec<Route> {
    let begins_line = |scan: &Scan<'_>, word: &str| {
        let before = scan.line_before();
        before.trim_start() == word && before.len() - word.len() <= DEEPEST_ROUTE
    };
    let gets = Scan::behind(text, "get", COMMENT).filter_map(|scan| {
        let mut inside = scan;
        inside.eat("(");
        let answered = inside.string(QUOTES)?;
        let fixed = !answered.contains([':', '*', '(', '#']);
        (fixed && begins_line(&scan, "get")).then(|| Route {
            path: format!("/{}", answered.trim_start_matches('/')),
            from: format!("{path}:{}", scan.line()),
        })
    });
    let roots = Scan::behind(text, "root", COMMENT)
        .filter(|scan| path.ends_with("routes.rb") && begins_line(scan, "root"))
        .filter(|scan| scan.rest().starts_with([' ', '(']))
        .map(|scan| Route {
            path: "/".to_owned(),
            from: format!("{path}:{}", scan.line()),
        });
    gets.chain(roots).collect()
}

/// The port that a server's configuration gives it: `port ENV.fetch("PORT", 3000)`, `bind "tcp://…:3000"`.
pub(super) fn server_port(path: &str, text: &str) -> Option<Port> {
    ["port", "bind", "listen"].into_iter().find_map(|word| {
        Scan::behind(text, word, COMMENT).find_map(|scan| {
            if scan.line_before().trim() != word || !scan.rest().starts_with([' ', '(']) {
                return None;
            }
            let line = scan.rest().lines().next().unwrap_or("");
            let line = line.split(" do").next().unwrap_or(line);
            port_of(line, format!("{path}:{}", scan.line()))
        })
    })
}

/// The port that a classic Sinatra program sets: `set :port, 3000`.
pub(super) fn set_port(path: &str, text: &str) -> Option<Port> {
    Scan::behind(text, "set", COMMENT).find_map(|mut scan| {
        let from = format!("{path}:{}", scan.line());
        if !scan.eat(":port") || !scan.eat(",") {
            return None;
        }
        port_of(scan.rest().lines().next().unwrap_or(""), from)
    })
}

/// The last number of an expression that is a port.
fn port_of(expression: &str, from: String) -> Option<Port> {
    let numbers = expression.split(|character: char| !character.is_ascii_digit());
    let number = numbers.filter_map(port_number).rfind(|port| *port > 9)?;
    Some(if expression.contains("PORT") {
        Port::fallback(number, from)
    } else {
        Port::written(number, from)
    })
}
