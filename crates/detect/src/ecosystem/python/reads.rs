//! The variables that Python code reads from its environment, by hand or by a settings library.

use super::ports::arguments;
use crate::environment::{Need, Read};
use crate::scan::Scan;

const COMMENT: &[&str] = &["#"];
const QUOTES: &[char] = &['"', '\''];

/// Every variable that the text reads from its environment.
pub(super) fn environment(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    for scan in Scan::behind(text, "environ", COMMENT) {
        reads.extend(environ(path, scan).map(|read| (scan.line(), read)));
    }
    for scan in Scan::behind(text, "getenv", COMMENT) {
        let mut inside = scan;
        if inside.eat("(") {
            reads.extend(lookup(path, scan.line(), inside).map(|read| (scan.line(), read)));
        }
    }
    reads.sort_by_key(|(line, _)| *line);
    reads.into_iter().map(|(_, read)| read).collect()
}

fn environ(path: &str, scan: Scan<'_>) -> Option<Read> {
    let line = scan.line();
    let mut inside = scan;
    if inside.eat("[") {
        let name = inside.string(QUOTES)?;
        let closed = inside.eat("]");
        let deleted = scan.line_before().trim_start().starts_with("del ");
        let assigned = inside.eat("=") && !inside.rest().starts_with('=');
        let need = Need::Required;
        return (closed && !deleted && !assigned).then(|| Read {
            name: name.to_owned(),
            need,
            from: format!("{path}:{line}"),
        });
    }
    if !inside.eat(".") || inside.word() != Some("get") || !inside.eat("(") {
        return None;
    }
    lookup(path, line, inside)
}

/// The arguments of a lookup that does not fail: a name and perhaps a default.
fn lookup(path: &str, line: usize, mut scan: Scan<'_>) -> Option<Read> {
    let name = scan.string(QUOTES)?;
    let mut default = None;
    if scan.eat(",") {
        scan.eat("default=");
        default = literal(&mut scan);
    }
    if default.is_none() && scan.eat(")") && scan.eat("or ") {
        default = literal(&mut scan);
    }
    let need = default.map_or(Need::Optional, |default| Need::Default(default.to_owned()));
    Some(Read {
        name: name.to_owned(),
        need,
        from: format!("{path}:{line}"),
    })
}

fn literal<'a>(scan: &mut Scan<'a>) -> Option<&'a str> {
    if let Some(text) = scan.string(QUOTES) {
        return Some(text);
    }
    if let Some(number) = scan.number() {
        return Some(number);
    }
    ["True", "False"].into_iter().find(|word| scan.eat(word))
}

/// What a settings library reads: decouple, django-environ, environs, Starlette's `Config`, pydantic's settings.
///
/// `known` says that the text uses one of them, where it is but a part of a file.
pub(super) fn settings(path: &str, text: &str, known: bool) -> Vec<Read> {
    let mut reads = Vec::new();
    let uses = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if known || uses(&["decouple", "starlette.config"]) {
        for mut scan in Scan::behind(text, "config", COMMENT) {
            let line = scan.line();
            if !scan.line_before().ends_with(".config") && scan.eat("(") {
                reads.extend(setting(path, line, scan));
            }
        }
    }
    if uses(&["import environ", "from environ", "environs"]) {
        let declared = declared(text);
        for mut scan in Scan::behind(text, "env", COMMENT) {
            let line = scan.line();
            let kind = if scan.eat(".") { scan.word() } else { None };
            if !scan.eat("(") {
                continue;
            }
            let usual = match kind {
                Some("db" | "db_url") => Some("DATABASE_URL"),
                Some("cache" | "cache_url") => Some("CACHE_URL"),
                Some("email" | "email_url") => Some("EMAIL_URL"),
                Some("read_env" | "prefixed") => continue,
                _ => None,
            };
            let mut read = setting(path, line, scan);
            if read.is_none()
                && let Some(name) = usual
            {
                read = Some(Read {
                    name: name.to_owned(),
                    need: Need::Required,
                    from: format!("{path}:{line}"),
                });
            }
            let Some(mut read) = read else { continue };
            let default = declared.iter().find(|(name, _)| *name == read.name);
            if let (Need::Required, Some((_, default))) = (&read.need, default) {
                read.need = default.clone().map_or(Need::Optional, Need::Default);
            }
            reads.push(read);
        }
    }
    if text.contains("dj_database_url") {
        for mut scan in Scan::behind(text, "dj_database_url.config", COMMENT) {
            let line = scan.line();
            if scan.eat("(") {
                let named = named_argument(scan.rest(), "env").unwrap_or("DATABASE_URL");
                reads.push(Read {
                    name: named.to_owned(),
                    need: Need::Optional,
                    from: format!("{path}:{line}"),
                });
            }
        }
    }
    if text.contains("BaseSettings") {
        reads.extend(fields(path, text));
    }
    reads
}

/// `("NAME", default=…)`: it fails where there is no default.
fn setting(path: &str, line: usize, mut scan: Scan<'_>) -> Option<Read> {
    let name = scan.string(QUOTES)?;
    let call: String = scan.rest().chars().take(300).collect();
    let call = call.split([')', '\n']).next().unwrap_or("");
    let said = if let Some((_, rest)) = call.split_once("default") {
        rest.trim_start().strip_prefix('=')
    } else {
        // The second argument by place is a default, unless it has a name or is a type.
        let rest = call.trim_start().strip_prefix(',');
        let types = ["int", "bool", "str", "float", "list"];
        rest.filter(|rest| {
            !rest.contains('=') && !types.contains(&rest.trim()) && !rest.trim().is_empty()
        })
    };
    let need = match said {
        None => Need::Required,
        Some(rest) => value_of(rest).map_or(Need::Optional, Need::Default),
    };
    Some(Read {
        name: name.to_owned(),
        need,
        from: format!("{path}:{line}"),
    })
}

/// A literal at the beginning of a text.
fn value_of(text: &str) -> Option<String> {
    let text = text.trim_start();
    let quote = text.chars().next()?;
    if QUOTES.contains(&quote) {
        let inside = &text[1..];
        let end = inside.find([quote, '\\'])?;
        return inside[end..]
            .starts_with(quote)
            .then(|| inside[..end].to_owned());
    }
    let end = text
        .find(|character: char| !character.is_ascii_alphanumeric() && character != '.')
        .unwrap_or(text.len());
    let word = &text[..end];
    let number = word.starts_with(|first: char| first.is_ascii_digit());
    (number || matches!(word, "True" | "False")).then(|| word.to_owned())
}

/// What `Env(DEBUG=(bool, False))` declares, and the defaults.
fn declared(text: &str) -> Vec<(String, Option<String>)> {
    let mut declared = Vec::new();
    for mut scan in Scan::behind(text, "Env", COMMENT) {
        if !scan.eat("(") {
            continue;
        }
        let call = arguments(scan.rest());
        for (place, _) in call.match_indices("=(") {
            let name = call[..place].rsplit([',', '\n', ' ']).next().unwrap_or("");
            let inside = arguments(&call[place + 2..]);
            let default = inside
                .split_once(',')
                .and_then(|(_, value)| value_of(value));
            declared.push((name.to_owned(), default));
        }
    }
    declared
}

/// A string that is given by name.
fn named_argument<'t>(call: &'t str, name: &str) -> Option<&'t str> {
    let call = &call[..call.find(')').unwrap_or(call.len())];
    let (_, rest) = call.split_once(name)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|quote| QUOTES.contains(quote))?;
    rest[1..].split(quote).next()
}

/// The fields of pydantic's settings classes.
fn fields(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    // Where a class begins: its place among what was read, and its prefix once that is known.
    let mut class: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if !line.starts_with([' ', '\t']) && !trimmed.is_empty() {
            let begins = trimmed.starts_with("class ") && trimmed.contains("BaseSettings");
            class = begins.then(|| (reads.len(), String::new()));
            continue;
        }
        let Some((first, prefix)) = &mut class else {
            continue;
        };
        if let Some(said) = named_argument(trimmed, "env_prefix") {
            said.clone_into(prefix);
            for read in reads.iter_mut().skip(*first) {
                let read: &mut Read = read;
                read.name = format!("{}{}", said.to_uppercase(), read.name);
            }
            continue;
        }
        let indented = line.len() - line.trim_start().len();
        let Some((name, rest)) = trimmed.split_once(':') else {
            continue;
        };
        let is_field = indented <= 4
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name
                .chars()
                .all(|one| one == '_' || one.is_ascii_alphanumeric())
            && !matches!(name, "class" | "else" | "try" | "finally" | "model_config");
        if !is_field || rest.trim().is_empty() || rest.contains("ClassVar") {
            continue;
        }
        let (kind, default) = rest
            .split_once('=')
            .map_or((rest, None), |(kind, value)| (kind, Some(value.trim())));
        let alias = ["validation_alias", "env", "alias"]
            .iter()
            .find_map(|key| default.and_then(|value| named_argument(value, key)));
        let need = match default {
            None if kind.contains("Optional") && text.contains("pydantic.v1") => Need::Optional,
            None => Need::Required,
            Some(value) => {
                let given = match value.strip_prefix("Field(") {
                    Some(inside) if inside.trim_start().starts_with("...") => None,
                    Some(inside) => match inside.split_once("default") {
                        Some((_, rest)) => Some(
                            rest.trim_start_matches("_factory")
                                .trim_start()
                                .trim_start_matches('='),
                        ),
                        None if inside.trim_start().starts_with(QUOTES)
                            || !inside.contains('=') =>
                        {
                            Some(inside)
                        }
                        None => None,
                    },
                    None => Some(value),
                };
                given.map_or(Need::Required, |given| {
                    value_of(given).map_or(Need::Optional, Need::Default)
                })
            }
        };
        let prefix = if alias.is_some() { "" } else { prefix.as_str() };
        reads.push(Read {
            name: alias.map_or_else(|| format!("{prefix}{name}").to_uppercase(), str::to_owned),
            need,
            from: format!("{path}:{}", index + 1),
        });
    }
    reads
}

/// Names that an example of an environment file lists and the code mentions.
pub(super) fn examples(path: &str, example: &str, mentioned: impl Fn(&str) -> bool) -> Vec<Read> {
    let lines = example.lines().enumerate();
    let named = lines.filter_map(|(index, line)| {
        let line = line.trim();
        let (name, _) = line.trim_start_matches("export ").split_once('=')?;
        let name = name.trim();
        (!line.starts_with('#') && !name.is_empty() && mentioned(name)).then(|| Read {
            name: name.to_owned(),
            need: Need::Optional,
            from: format!("{path}:{}", index + 1),
        })
    });
    named.collect()
}
