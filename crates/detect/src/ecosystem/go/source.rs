//! What Go says: the port it listens on, its routes, the variables it reads.

use super::module::Module;
use crate::ecosystem::Port;
use crate::ecosystem::kept::Reading;
use crate::ecosystem::loopback::Listening;
use crate::environment::{Need, Read};
use crate::scan::{self, Route, Scan};
use crate::sources::Text;

pub(super) const COMMENT: &[&str] = &["//"];
const QUOTES: &[char] = &['"', '`'];

/// How it reads files.
pub(super) const READING: Reading = Reading {
    comments: COMMENT,
    function: "func ",
    calls: &[
        ("os.Open", 0),
        ("os.ReadFile", 0),
        ("os.ReadDir", 0),
        ("os.DirFS", 0),
        ("ioutil.ReadFile", 0),
        ("ioutil.ReadDir", 0),
        ("http.Dir", 0),
        ("http.ServeFile", 2),
        ("template.ParseFiles", 0),
        ("template.ParseGlob", 0),
        ("LoadHTMLGlob", 0),
        ("LoadHTMLFiles", 0),
        ("filepath.Walk", 0),
        ("filepath.WalkDir", 0),
        ("filepath.Glob", 0),
    ],
    around: &["filepath.Join(", "path.Join(", "fmt.Sprintf(", "http.Dir("],
    nobody_knows: &["os.Executable", "os.Getwd", "runtime.Caller"],
    embeds: &["//go:embed "],
    is_source: |path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_module = matches!(name, "go.mod" | "go.sum" | "go.work" | "go.work.sum");
        is_module || name.ends_with(".go") || name.ends_with(".templ")
    },
};

/// How it begins to listen.
pub(super) const LISTENING: Listening = Listening {
    comments: COMMENT,
    calls: &[
        "ListenAndServe(",
        "ListenAndServeTLS(",
        "net.Listen(",
        ".Listen(",
        ".Run(",
        ".Start(",
        "Addr:",
    ],
    by_url: false,
};

/// What libraries read without being told.
pub(super) fn usual(kind: &str, module: &Module) -> Vec<&'static str> {
    let mut usual = match kind {
        "beego" => vec!["conf", "views", "static"],
        "pocketbase" => vec!["pb_public", "pb_migrations", "pb_hooks"],
        _ => Vec::new(),
    };
    let reads_env = |(path, ..): &(String, _, _)| path.ends_with("/godotenv");
    if module.requires.iter().any(reads_env) {
        usual.push(".env");
    }
    usual
}

/// The port: what the code falls back to where `PORT` is not set, else what it listens on.
pub(super) fn port(texts: &[Text<'_>], reads: &[Read]) -> Option<Port> {
    let fallback = reads.iter().find_map(|read| match &read.need {
        Need::Default(default) if read.name == "PORT" => Some(Port::fallback(
            scan::port(default.trim_start_matches(':'))?,
            &read.from,
        )),
        _ => None,
    });
    let calls = [
        "ListenAndServe",
        "ListenAndServeTLS",
        ".Run",
        ".Start",
        ".Listen",
        "Addr",
    ];
    let listened = || {
        texts.iter().find_map(|(path, text)| {
            let places = calls
                .iter()
                .flat_map(|call| Scan::behind(text, call, COMMENT));
            let mut ports = places.filter_map(|mut scan| {
                if !scan.eat("(") && !scan.eat(":") {
                    return None;
                }
                // net.Listen("tcp", …)
                if scan.eat("\"tcp\"") || scan.eat("\"tcp4\"") {
                    scan.eat(",");
                }
                // It only leads elsewhere, or proves whose the name is.
                let told = told(scan.rest());
                if ["edirect", "HTTPHandler("]
                    .iter()
                    .any(|word| told.contains(word))
                {
                    return None;
                }
                let from = format!("{path}:{}", scan.line());
                let port = address(scan, text)?;
                Some(Port::written(port, from))
            });
            ports.next()
        })
    };
    fallback.or_else(listened).or_else(|| of_option(texts))
}

/// What a call is given, whose beginning was read.
fn told(rest: &str) -> &str {
    const LONGEST: usize = 600;
    let mut depth = 1_u32;
    let end = rest.char_indices().take(LONGEST).find(|(_, one)| {
        match one {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    end.map_or("", |(end, _)| &rest[..end])
}

/// What an option or a setting called `port` is where nobody gives it: `flags.Int("port", 8081, "…")` and the like,
/// which read `PORT` only where the program says so.
fn of_option(texts: &[Text<'_>]) -> Option<Port> {
    let calls = [
        "SetDefault(",
        ".Int(",
        ".IntP(",
        ".Uint16(",
        ".IntVar(",
        ".IntVarP(",
    ];
    texts.iter().find_map(|(path, text)| {
        let mut places = calls
            .iter()
            .flat_map(|call| Scan::behind(text, call, COMMENT));
        places.find_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            if scan.eat("&") {
                scan.word()?;
                while scan.eat(".") {
                    scan.word()?;
                }
                scan.eat(",");
            }
            let name = scan.string(QUOTES)?;
            let is_port = matches!(name, "port" | "http-port" | "http_port" | "listen-port");
            scan.eat(",");
            // A letter for the option.
            if scan.string(QUOTES).is_some() {
                scan.eat(",");
            }
            let number = scan.number().and_then(scan::port)?;
            (is_port && number > 0).then(|| Port::written(number, from))
        })
    })
}

/// The port of an address, as it is written or as the file sets it: `":8080"`, `fmt.Sprintf(":%d", *port)`, `":" + port`.
fn address(mut scan: Scan<'_>, text: &str) -> Option<u16> {
    let formatted = scan.eat("fmt.Sprintf(");
    let mut ahead = scan;
    if let Some(written) = ahead.string(QUOTES) {
        let port = written.rsplit_once(':')?.1;
        if let Some(port) = scan::port(port) {
            return Some(port);
        }
        let goes_on = if formatted {
            ahead.eat(",")
        } else {
            port.is_empty() && ahead.eat("+")
        };
        if !goes_on {
            return None;
        }
        scan = ahead;
    }
    scan.eat("*");
    let converts = scan.eat("strconv.Itoa(");
    if converts {
        scan.eat("*");
    }
    value(scan.word()?, text)
}

/// What a variable is set to where it is made: `port = "3550"`, `addr := flag.String("addr", ":8080", "…")`.
fn value(name: &str, text: &str) -> Option<u16> {
    Scan::behind(text, name, COMMENT).find_map(|mut scan| {
        scan.eat("string");
        scan.eat("int");
        if !(scan.eat(":=") || scan.eat("=")) {
            return None;
        }
        for call in ["flag.Int(", "flag.String(", "pflag.Int(", "pflag.String("] {
            if scan.eat(call) {
                scan.string(QUOTES)?;
                scan.eat(",");
            }
        }
        let number = match scan.string(QUOTES) {
            Some(written) => scan::port(written.rsplit(':').next().unwrap_or(written)),
            None => scan.number().and_then(scan::port),
        };
        number.filter(|number| *number > 0)
    })
}

/// The paths that are answered to GET.
pub(super) fn routes(path: &str, text: &str) -> Vec<Route> {
    let calls = ["HandleFunc", ".Handle", ".GET", ".Get"];
    let found = calls.into_iter().flat_map(|call| {
        Scan::behind(text, call, COMMENT).filter_map(move |mut scan| {
            let line = scan.line();
            if !scan.eat("(") {
                return None;
            }
            let pattern = scan.string(QUOTES)?;
            // Go 1.22: `GET /healthz`, `/{$}`.
            let pattern = pattern
                .strip_prefix("GET ")
                .unwrap_or(pattern)
                .trim_end_matches("{$}");
            let fixed = pattern.starts_with('/') && !pattern.contains(['{', ':', '*']);
            fixed.then(|| Route {
                path: pattern.to_owned(),
                from: format!("{path}:{line}"),
            })
        })
    });
    found.collect()
}

/// Every variable that the text reads from its environment.
pub(super) fn environment(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    for call in ["os.Getenv", "os.LookupEnv"] {
        for scan in Scan::behind(text, call, COMMENT) {
            let mut inside = scan;
            if !inside.eat("(") {
                continue;
            }
            let Some(name) = inside.string(QUOTES) else {
                continue;
            };
            let need = need(scan, inside, call);
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
    reads.extend(helped(path, text));
    reads.sort_by_key(|(line, _)| *line);
    reads.into_iter().map(|(_, read)| read).collect()
}

/// What is read by a function of the project's own, or by the tags of a structure:
/// `getEnv("PORT", "8080")`, `` `env:"PORT" envDefault:"8080"` ``.
fn helped(path: &str, text: &str) -> Vec<(usize, Read)> {
    let mut reads = Vec::new();
    let is_name = |name: &str| {
        name.len() > 1
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && name
                .chars()
                .all(|one| one == '_' || one.is_ascii_uppercase() || one.is_ascii_digit())
    };
    let mut add = |scan: &Scan<'_>, name: &str, default: &str| {
        let read = Read {
            name: name.to_owned(),
            need: Need::Default(default.to_owned()),
            from: format!("{path}:{}", scan.line()),
        };
        reads.push((scan.line(), read));
    };
    for scan in Scan::behind(text, "(\"", COMMENT) {
        let before = scan.line_before().trim_end_matches("(\"");
        let function = before
            .rsplit(|one: char| !(one.is_ascii_alphanumeric() || one == '_'))
            .next()
            .unwrap_or("");
        if !function.to_ascii_lowercase().contains("env") {
            continue;
        }
        let mut inside = scan;
        if let Some(name) = inside.word().filter(|name| is_name(name))
            && inside.eat("\"")
            && inside.eat(",")
            && let Some(default) = inside.string(QUOTES).or_else(|| inside.number())
            && inside.eat(")")
        {
            add(&scan, name, default);
        }
    }
    for tag in ["env", "envconfig"] {
        for scan in Scan::behind(text, tag, COMMENT) {
            let mut inside = scan;
            if !inside.rest().starts_with(":\"") || !inside.eat(":") {
                continue;
            }
            let Some(name) = inside.string(&['"']) else {
                continue;
            };
            let name = name.split(',').next().unwrap_or(name);
            let rest = inside.rest().lines().next().unwrap_or("");
            let default = ["envDefault:\"", "default:\"", "env-default:\""]
                .iter()
                .find_map(|word| rest.split_once(word)?.1.split('"').next());
            if let Some(default) = default.filter(|_| is_name(name)) {
                add(&scan, name, default);
            }
        }
    }
    reads
}

/// What was there before, where a variable only takes its place if it is set:
/// `port := "8080"`, then `if p := os.Getenv("PORT"); p != "" { port = p }`.
fn before_it(read: Scan<'_>, value: &str, behind: &[&str]) -> Need {
    let above = read.text_before();
    let is_set = format!("{value} != \"\"");
    let same_line = behind.first().is_some_and(|line| line.contains(&is_set));
    let taker = if same_line {
        let line = behind.get(1).map_or("", |line| line.trim());
        let taken = line.split_once('=').filter(|(_, right)| {
            right
                .split(|one: char| !(one.is_ascii_alphanumeric() || one == '_'))
                .any(|word| word == value)
        });
        taken.map_or("", |(left, _)| left.trim_end_matches(':').trim())
    } else if read.line_before().contains(":=") {
        ""
    } else {
        value
    };
    let is_name = !taker.is_empty()
        && taker
            .chars()
            .all(|one| one == '_' || one.is_ascii_alphanumeric());
    let default = is_name.then(|| value_of(taker, above)).flatten();
    default.map_or(Need::Optional, |default| Need::Default(default.to_owned()))
}

/// The text that a variable is set to where it is made.
fn value_of<'t>(name: &'t str, text: &'t str) -> Option<&'t str> {
    let places = Scan::behind(text, name, COMMENT).collect::<Vec<_>>();
    places.into_iter().rev().find_map(|mut scan| {
        scan.eat("string");
        (scan.eat(":=") || scan.eat("=")).then(|| scan.string(QUOTES))?
    })
}

/// What the lines behind a read do where the variable is empty.
fn need(before: Scan<'_>, mut behind: Scan<'_>, call: &str) -> Need {
    // cmp.Or(os.Getenv("PORT"), "8080")
    if before
        .line_before()
        .trim_end_matches(call)
        .trim_end()
        .ends_with("cmp.Or(")
        && behind.eat(")")
        && behind.eat(",")
        && let Some(default) = behind.string(QUOTES)
    {
        return Need::Default(default.to_owned());
    }
    let assigned = before.line_before().trim_end_matches(call);
    let Some((variable, _)) = assigned.split_once('=') else {
        return Need::Optional;
    };
    let variable = variable
        .trim_end_matches(':')
        .trim()
        .trim_start_matches("var ");
    let (value, found) = variable
        .split_once(',')
        .map_or((variable, ""), |(value, found)| {
            (value.trim(), found.trim())
        });
    let value = value.trim_start_matches("if ").trim();
    let rest: Vec<_> = behind.rest().lines().take(6).collect();
    let empty = [
        format!("{value} == \"\""),
        format!("len({value}) == 0"),
        format!("!{found}"),
    ];
    let asked = rest.iter().position(|line| {
        line.contains("if ")
            && empty
                .iter()
                .any(|test| test.len() > 1 && line.contains(test.as_str()))
            || line.trim_start().starts_with(')') && line.contains(&empty[2]) && !found.is_empty()
    });
    let Some(asked) = asked else {
        return before_it(before, value, &rest);
    };
    for line in rest.iter().skip(asked + 1).take(2) {
        let line = line.trim();
        if ["log.Fatal", "panic(", "os.Exit", "log.Panic"]
            .iter()
            .any(|end| line.starts_with(end))
        {
            return Need::Required;
        }
        let default = line
            .strip_prefix(value)
            .and_then(|rest| rest.trim_start().strip_prefix('='))
            .map(str::trim);
        if let Some(default) = default.and_then(|text| text.strip_prefix('"')?.strip_suffix('"')) {
            return Need::Default(default.to_owned());
        }
    }
    Need::Optional
}
