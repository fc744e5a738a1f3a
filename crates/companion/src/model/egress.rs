//! The one way out: whatever a model is sent has passed here.
//!
//! Secrets are taken out for good. What names people, machines and networks is replaced by a pseudonym and put
//! back into what the model says. Only this file can make a [`Sealed`] text, and nothing else can be sent.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde::Serialize;

use crate::redact::{HIDDEN, Redactor};
use crate::{Observation, Subject};

/// A text without secrets and without names; the only kind of text that may leave the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// A text of the program's own, in which nothing is to be hidden.
    pub(super) fn fixed(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// Sealed texts in the order and with the names that JSON gives them. Inside JSON, no line of a log can end
    /// what it stands in. Whatever in it comes from a container must have been sealed.
    pub(super) fn json(texts: &serde_json::Value) -> Self {
        Self(texts.to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first `most` bytes, at a character's end.
    pub(super) fn cut(mut self, most: usize) -> Self {
        if self.0.len() > most {
            let end = (0..=most)
                .rev()
                .find(|end| self.0.is_char_boundary(*end))
                .unwrap_or(0);
            self.0.truncate(end);
            self.0.push('…');
        }
        self
    }
}

/// What is replaced, each named by the pseudonym it gets. The first alternative that fits counts.
const FORMS: &str = concat!(
    // A text that looks like a pseudonym is replaced by one, so that each can be put back without doubt.
    r"(?P<NAME>(?:NAME|USER|HOST|MAIL|MAC|IP|ID)_[0-9]+)",
    r#"|(?P<before>[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^\s/@"'<>]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/:"'<>`?#,;)\]}]+)"#,
    r"|(?P<MAIL>[A-Za-z0-9._%+-]+@[A-Za-z0-9._-]+)",
    r"|(?P<ID>[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|[0-9a-f]{12,})",
    r"|(?P<MAC>(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})",
    r"|(?P<IP>[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*|[0-9]{1,3}(?:\.[0-9]{1,3}){3})",
    r#"|(?P<home>/home/|/Users/)(?P<owner>[^/\s:"'`,;)]+)"#,
    r"|(?P<HOST>(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|org|net|io|dev|app|cloud|internal|intranet|local|lan|corp|home|arpa|svc|example|test|de|eu|uk|fr|ch|at|nl|be|dk|se|no|fi|pl|cz|it|es|pt|us|ca|mx|br|jp|cn|in|au|co|ai|info|biz|gov|edu|mil))",
);

static UNNAMED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(FORMS).ok());

static PSEUDONYM: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:NAME|USER|HOST|MAIL|MAC|IP|ID)_[0-9]+").ok());

static KEY_BLOCK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-[^-])*(?:-----END [A-Z ]*-----)?").ok()
});

/// A long run of letters and digits.
static RUN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z0-9_+=-]{20,}").ok());

/// Names that everybody uses say nothing about anybody, and a model needs them.
const COMMON: [&str; 56] = [
    "web",
    "app",
    "api",
    "db",
    "database",
    "postgres",
    "postgresql",
    "redis",
    "mysql",
    "mariadb",
    "mongo",
    "mongodb",
    "nginx",
    "apache",
    "apache2",
    "httpd",
    "rabbitmq",
    "memcached",
    "haproxy",
    "worker",
    "cache",
    "queue",
    "proxy",
    "frontend",
    "backend",
    "server",
    "client",
    "service",
    "python",
    "node",
    "java",
    "ruby",
    "php",
    "go",
    "rust",
    "fastapi",
    "flask",
    "django",
    "rails",
    "express",
    "spring",
    "celery",
    "gunicorn",
    "uvicorn",
    "puma",
    "debian",
    "ubuntu",
    "alpine",
    "bridge",
    "host",
    "none",
    "default",
    "test",
    "main",
    "root",
    "localhost",
];

/// Takes out what must not leave, and puts names back into what comes in.
#[derive(Debug)]
pub(super) struct Egress {
    redactor: Redactor,
    /// Values of variables that are nobody's business, the longest first.
    values: Vec<String>,
    names: Option<Regex>,
    /// What stands for what, in the order of giving.
    given: Vec<(String, String)>,
}

impl Egress {
    /// Knows what a container's own things are called.
    pub(super) fn of(observation: &Observation) -> Self {
        let nothing = BTreeMap::new();
        let environment = observation.state().map_or(&nothing, |state| &state.env);
        let mut values: Vec<String> = environment
            .values()
            .filter(|value| tells(value))
            .cloned()
            .collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self {
            redactor: Redactor::new(environment),
            values,
            names: names(observation),
            given: Vec::new(),
        }
    }

    /// The text as it may leave.
    pub(super) fn seal(&mut self, text: &str) -> Sealed {
        let clean = self.clean(text);
        let unnamed = match UNNAMED.as_ref() {
            Some(forms) => self.replace(forms, &clean),
            // Without its forms nothing may leave.
            None => return Sealed(HIDDEN.to_owned()),
        };
        // What stands for something is not looked into again.
        let names = self.names.take();
        let mut sealed = String::with_capacity(unnamed.len());
        let mut at = 0;
        if let (Some(names), Some(pseudonyms)) = (&names, PSEUDONYM.as_ref()) {
            for found in pseudonyms.find_iter(&unnamed) {
                sealed.push_str(&self.replace_names(names, &unnamed[at..found.start()]));
                sealed.push_str(found.as_str());
                at = found.end();
            }
            sealed.push_str(&self.replace_names(names, &unnamed[at..]));
        } else {
            sealed = unnamed;
        }
        self.names = names;
        Sealed(sealed)
    }

    /// The text without secrets.
    pub(super) fn clean(&self, text: &str) -> String {
        let text = match KEY_BLOCK.as_ref() {
            Some(block) => block.replace_all(text, HIDDEN),
            None => Cow::Borrowed(text),
        };
        let mut clean = self.redactor.clean(&text);
        for value in &self.values {
            if clean.contains(value.as_str()) {
                clean = clean.replace(value.as_str(), HIDDEN);
            }
        }
        match RUN.as_ref() {
            Some(run) => run
                .replace_all(&clean, |found: &Captures| {
                    let run = &found[0];
                    if is_random(run) {
                        HIDDEN.to_owned()
                    } else {
                        run.to_owned()
                    }
                })
                .into_owned(),
            None => clean,
        }
    }

    /// The text with names where pseudonyms were. What was never given stays as it is.
    pub(super) fn restore(&self, text: &str) -> String {
        let Some(pseudonyms) = PSEUDONYM.as_ref() else {
            return text.to_owned();
        };
        pseudonyms
            .replace_all(text, |found: &Captures| {
                let given = self.given.iter().find(|(_, given)| *given == found[0]);
                given.map_or_else(|| found[0].to_owned(), |(name, _)| name.clone())
            })
            .into_owned()
    }

    /// What stands for what.
    pub(super) fn pseudonyms(&self) -> BTreeMap<String, String> {
        let given = self.given.iter();
        given
            .map(|(name, pseudonym)| (pseudonym.clone(), name.clone()))
            .collect()
    }

    fn replace(&mut self, forms: &Regex, text: &str) -> String {
        forms
            .replace_all(text, |found: &Captures| {
                let Some(whole) = found.get(0) else {
                    return String::new();
                };
                let alone = stands_alone(text, whole.start(), whole.end());
                let part = |name| found.name(name).map(|part| part.as_str());
                if let (Some(before), Some(host)) = (part("before"), part("host")) {
                    let user = part("user").map(|user| self.pseudonym("USER", user) + "@");
                    let host = self.host(host);
                    return format!("{before}{}{host}", user.unwrap_or_default());
                }
                if let (Some(home), Some(owner)) = (part("home"), part("owner")) {
                    return format!("{home}{}", self.pseudonym("USER", owner));
                }
                let kind = ["NAME", "MAIL", "ID", "MAC", "IP", "HOST"]
                    .into_iter()
                    .find(|kind| part(kind).is_some());
                match kind {
                    Some(kind @ ("NAME" | "MAIL")) => self.pseudonym(kind, whole.as_str()),
                    Some(kind)
                        if alone && tells_who(kind, whole.as_str(), &text[whole.end()..]) =>
                    {
                        self.pseudonym(kind, whole.as_str())
                    }
                    _ => whole.as_str().to_owned(),
                }
            })
            .into_owned()
    }

    fn replace_names(&mut self, names: &Regex, text: &str) -> String {
        names
            .replace_all(text, |found: &Captures| {
                let Some(whole) = found.get(0) else {
                    return String::new();
                };
                if stands_alone(text, whole.start(), whole.end()) {
                    self.pseudonym("NAME", whole.as_str())
                } else {
                    whole.as_str().to_owned()
                }
            })
            .into_owned()
    }

    fn host(&mut self, host: &str) -> String {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        match address {
            Ok(address) if address.is_loopback() || address.is_unspecified() => host.to_owned(),
            Ok(_) => self.pseudonym("IP", host),
            Err(_) if is_common(host) || host.contains(HIDDEN) => host.to_owned(),
            Err(_) => self.pseudonym("HOST", host),
        }
    }

    /// The pseudonym of a name; the same name always has the same.
    fn pseudonym(&mut self, kind: &str, name: &str) -> String {
        let name = name.trim_end_matches('@');
        if let Some((_, given)) = self.given.iter().find(|(known, _)| known == name) {
            return given.clone();
        }
        let number = self
            .given
            .iter()
            .filter(|(_, given)| given.starts_with(kind))
            .count()
            + 1;
        let given = format!("{kind}_{number}");
        self.given.push((name.to_owned(), given.clone()));
        given
    }
}

/// Whether what looks like an address or a name says whom it belongs to.
fn tells_who(kind: &str, text: &str, after: &str) -> bool {
    match kind {
        "IP" => {
            let v4 = text.parse::<Ipv4Addr>().map(IpAddr::V4);
            let address = v4.or_else(|_| text.parse::<Ipv6Addr>().map(IpAddr::V6));
            // `a::b` is a path in many languages.
            text.bytes().any(|byte| byte.is_ascii_digit())
                && address.is_ok_and(|address| !address.is_loopback() && !address.is_unspecified())
        }
        // A number is none; a name of more than digits is.
        "ID" => text.bytes().any(|byte| !byte.is_ascii_digit()),
        // `java.net.SocketException`, `socket.io()`
        "HOST" => !after.starts_with('(') && !goes_on(after) && !is_common(text),
        _ => true,
    }
}

/// Whether `.something` follows.
fn goes_on(after: &str) -> bool {
    let mut letters = after.chars();
    letters.next() == Some('.') && letters.next().is_some_and(char::is_alphanumeric)
}

fn is_common(name: &str) -> bool {
    COMMON.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether neither a letter nor a digit stands beside it.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    let joined = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    !joined(before) && !joined(after)
}

/// Whether a variable's value may be more than a setting: letters and digits, and no path.
fn tells(value: &str) -> bool {
    value.len() >= 8
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !value.contains(|c: char| c.is_whitespace() || c == '/')
}

/// Whether a run of letters and digits is more likely a key than a word: nobody writes in such a mixture.
fn is_random(run: &str) -> bool {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => Some(0_u8),
        b'A'..=b'Z' => Some(1),
        b'0'..=b'9' => Some(2),
        _ => None,
    };
    let classes: Vec<u8> = run.bytes().filter_map(class).collect();
    let kinds: BTreeSet<u8> = classes.iter().copied().collect();
    let changes = classes.windows(2).filter(|pair| pair[0] != pair[1]).count();
    kinds.len() == 3 && changes * 3 >= classes.len()
}

/// What a container's own things are called, the longest first; absent where nothing has a name of its own.
fn names(observation: &Observation) -> Option<Regex> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut know = |name: &str| {
        if name.len() >= 2 && !is_common(name) {
            names.insert(name.to_owned());
        }
    };
    let Subject {
        companion,
        container_id,
        container,
        meant,
        ..
    } = &observation.subject;
    for name in [companion, container, container_id] {
        know(name);
    }
    if let Some(meant) = meant {
        know(&meant.container);
        meant.applications().for_each(|(name, _)| know(name));
    }
    if let Some(state) = observation.state() {
        know(&state.name);
        know(&state.image);
        let repository = state.image.split('@').next().unwrap_or_default();
        let repository = repository
            .rsplit_once(':')
            .filter(|(_, tag)| !tag.contains('/'))
            .map_or(repository, |(repository, _)| repository);
        repository.split('/').for_each(&mut know);
        state.networks.keys().for_each(|name| know(name));
        for attachment in &state.attachments {
            know(&attachment.network);
            attachment.aliases.iter().for_each(|name| know(name));
        }
        if let Some(host) = state.env.get("HOSTNAME") {
            know(host);
        }
    }
    for neighbour in &observation.neighbours {
        know(&neighbour.name);
        neighbour.names.iter().for_each(|name| know(name));
        if let Some(companion) = &neighbour.companion {
            know(companion);
        }
    }
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let names: Vec<String> = names.iter().map(|name| regex::escape(name)).collect();
    if names.is_empty() {
        return None;
    }
    Regex::new(&names.join("|")).ok()
}

#[cfg(test)]
mod tests;
