//! Keeps secrets out of what is stored and shown: the values that are known to be secret, those of secret variables, passwords in URLs, and what
//! looks like a key, a token or a password wherever it stands.

mod forms;
mod keys;
mod known;
mod lines;
mod stream;
mod views;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::{Captures, Regex};

pub(crate) use keys::{KeyLines, hide_headless};
pub use known::{hide_known, hide_known_in, know};
pub use lines::Lines;
pub use stream::Cleaner;

pub(crate) const HIDDEN: &str = "•••";

/// Words in a variable's name that make its value a secret.
const TELLING: [&str; 9] = [
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "API_KEY",
    "PRIVATE_KEY",
    "CREDENTIAL",
    "ACCESS_KEY",
];

/// The same, where a name ends so.
const ENDINGS: [&str; 4] = ["_PASS", "_PWD", "_KEY", "PASSPHRASE"];

/// Where none of these stands, no pattern below can match; most lines are done with after this one pass.
static SIGNS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build([
            "passw",
            "pwd",
            "secret",
            "token",
            "api",
            "access",
            "private",
            "credential",
            "authorization",
            "bearer",
            "basic ",
            "cookie",
            "eyj",
            "akia",
            "asia",
            "ghp_",
            "gho_",
            "ghs_",
            "ghu_",
            "github_pat_",
            "glpat-",
            "xox",
            "sk-",
            "sk_",
            "rk_",
            "npm_",
            "pypi-",
            "aiza",
            "hooks.slack",
        ])
        .ok()
});

/// What is secret by its form. The first group stays, the rest of the match is hidden.
static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // Authorization: Bearer …, "Authorization": "Basic …"
        r#"((?i-u:\bauthorization)["']?\s*[:=]\s*["']?(?:[A-Za-z][A-Za-z0-9-]*\s+)?)[^\s"',;]+"#,
        // Every cookie of the line.
        r#"((?i-u:\bcookie)["']?\s*[:=]\s*["']?)[^"'\r\n]+"#,
        r"((?i-u:\bbearer)\s+)[A-Za-z0-9._~+/=-]{8,}",
        // password=…, "api_key": "…", client_secret: …; never the word in a sentence.
        r#"((?i-u:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)(?i-u:[_-]?(?:id|value|hash))?["']?\s?(?:=>|=|:)\s?)(?:"[^"]+"|'[^']+'|[^\s"',;&)}\]]+)"#,
        r#"(--(?:[a-z-]*-)?(?:password|token|secret|api-key)\s+)[^\s"']+"#,
        // JSON web tokens, and keys of well-known services by their beginnings.
        r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.?[A-Za-z0-9_-]*",
        r"()\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}|[sr]k[-_](?:live_|test_|proj-|ant-)?[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{40,}|AIza[A-Za-z0-9_-]{30,})",
        r"(hooks\.slack\.com/services/)[A-Za-z0-9/]+",
    ]
    .iter()
    .filter_map(|form| Regex::new(form).ok())
    .collect()
});

/// Hides secrets of one container.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    /// Knows the secrets in a container's environment.
    pub(crate) fn new(environment: &BTreeMap<String, String>) -> Self {
        let mut secrets: Vec<String> = Vec::new();
        for (name, value) in environment {
            let name = name.to_ascii_uppercase();
            let ends = ENDINGS.iter().any(|end| name.ends_with(end));
            if ends || TELLING.iter().any(|word| name.contains(word)) {
                secrets.push(value.clone());
                // A key of several lines is printed line by line.
                secrets.extend(
                    value
                        .lines()
                        .filter(|line| line.len() >= 16)
                        .map(str::to_owned),
                );
            }
            secrets.extend(password_in_url(value).map(|(start, end)| value[start..end].to_owned()));
        }
        // A short value would be found in every second word.
        secrets.retain(|secret| secret.len() >= 6);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets }
    }

    pub(crate) fn clean(&self, text: &str) -> String {
        self.cleaned(text).into_owned()
    }

    /// The text without secrets; the same text where it has none.
    pub(crate) fn cleaned<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = match hide_known(text) {
            Cow::Borrowed(text) => keys::without_keys(text),
            Cow::Owned(hidden) => Cow::Owned(keys::without_keys(&hidden).into_owned()),
        };
        for secret in &self.secrets {
            if clean.contains(secret) {
                clean = Cow::Owned(clean.replace(secret, HIDDEN));
            }
        }
        let mut from = 0;
        while let Some((start, end)) = clean.get(from..).and_then(password_in_url) {
            clean
                .to_mut()
                .replace_range(from + start..from + end, HIDDEN);
            from += start + HIDDEN.len();
        }
        if SIGNS
            .as_ref()
            .is_none_or(|signs| signs.is_match(clean.as_bytes()))
        {
            for form in FORMS.iter() {
                let hidden = form.replace_all(&clean, |found: &Captures| {
                    format!("{}{HIDDEN}", found.get(1).map_or("", |kept| kept.as_str()))
                });
                if let Cow::Owned(hidden) = hidden {
                    clean = Cow::Owned(hidden);
                }
            }
        }
        clean
    }
}

/// Where the password of the first `scheme://user:password@host` stands.
fn password_in_url(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("://") {
        let authority = from + at + 3;
        let end = text[authority..]
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>' | '`'))
            .map_or(text.len(), |length| authority + length);
        if let Some(host) = text[authority..end].rfind('@')
            && let Some(colon) = text[authority..authority + host].find(':')
            && colon + 1 < host
        {
            return Some((authority + colon + 1, authority + host));
        }
        from = authority;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(pairs: &[(&str, &str)]) -> Redactor {
        Redactor::new(
            &pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn values_of_secret_variables_are_hidden() {
        let redactor = redactor(&[
            ("DB_PASSWORD", "hunter22"),
            ("LOG_LEVEL", "information"),
            ("API_TOKEN", "x"),
        ]);
        assert_eq!(
            redactor.clean("login with hunter22 at information x"),
            "login with ••• at information x"
        );
    }

    #[test]
    fn passwords_in_urls_are_hidden_wherever_they_stand() {
        let redactor = redactor(&[("DATABASE_URL", "postgres://web:verysecret@db/web")]);
        assert_eq!(
            redactor.clean(
                "to postgres://web:verysecret@db/web and redis://:other@cache, key verysecret"
            ),
            "to postgres://web:•••@db/web and redis://:•••@cache, key •••"
        );
        assert_eq!(
            redactor.clean("see http://host:80/x@y and a://b"),
            "see http://host:80/x@y and a://b"
        );
    }

    #[test]
    fn what_looks_like_a_secret_is_hidden_where_nobody_declared_it() {
        assert_eq!(FORMS.len(), 8, "every form is an expression");
        assert!(SIGNS.is_some());
        let redactor = redactor(&[]);
        for (text, clean) in [
            (
                "Authorization: Bearer abc.def-ghi",
                "Authorization: Bearer •••",
            ),
            ("sent bearer abcdefgh12", "sent bearer •••"),
            (
                r#"{"user":"a","password":"pass word","n":1}"#,
                r#"{"user":"a","password":•••,"n":1}"#,
            ),
            (
                "connect host=db password=hunter2 user=web",
                "connect host=db password=••• user=web",
            ),
            ("GET /x?api_key=12345&page=2", "GET /x?api_key=•••&page=2"),
            ("run --token abcdef now", "run --token ••• now"),
            (
                "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln end",
                "got ••• end",
            ),
            ("key AKIAIOSFODNN7EXAMPLE used", "key ••• used"),
            ("-----BEGIN RSA PRIVATE KEY-----", HIDDEN),
        ] {
            assert_eq!(redactor.clean(text), clean);
        }
    }

    #[test]
    fn words_about_secrets_are_no_secrets() {
        let redactor = redactor(&[]);
        for text in [
            "password authentication failed for user \"web\"",
            "invalid token",
            "the secret is not set",
            "unexpected token } in JSON at position 4",
            "basic health check passed",
            "access log enabled",
        ] {
            assert_eq!(redactor.clean(text), text);
        }
    }

    #[test]
    fn what_is_known_is_hidden_by_everybody_in_every_form() {
        let value = "kn0wn-to-the-stack";
        know("redact", [value.as_bytes()]);
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, value);
        let text = format!("{value} {encoded} {}", hex::encode(value));
        for clean in [
            redactor(&[]).clean(&text),
            hide_known(&text).into_owned(),
            {
                let mut document = serde_json::json!({ "said": [&text] });
                hide_known_in(&mut document);
                document["said"][0].as_str().unwrap().to_owned()
            },
        ] {
            assert_eq!(clean, "••• ••• •••");
        }
        assert!(matches!(hide_known("nothing of it"), Cow::Borrowed(_)));
        // Whoever says it takes it back, and nobody else does.
        know("another", []);
        assert_eq!(hide_known(value), HIDDEN);
        know("redact", []);
        assert_eq!(hide_known(value), value);
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_cleaned(text in ".*", secret in ".{6,9}") {
            let clean = redactor(&[("MY_SECRET", &secret)]).clean(&text);
            proptest::prop_assert!(!clean.contains(&secret) || HIDDEN.contains(&secret));
        }
    }
}
