//! Keeps secrets out of what is shown: the values of secret variables, and passwords in URLs.

use std::collections::BTreeMap;

const HIDDEN: &str = "•••";

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
            if TELLING.iter().any(|word| name.contains(word)) {
                secrets.push(value.clone());
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
        let mut clean = text.to_owned();
        for secret in &self.secrets {
            if clean.contains(secret) {
                clean = clean.replace(secret, HIDDEN);
            }
        }
        let mut from = 0;
        while let Some((start, end)) = clean.get(from..).and_then(password_in_url) {
            clean.replace_range(from + start..from + end, HIDDEN);
            from += start + HIDDEN.len();
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

    proptest::proptest! {
        #[test]
        fn any_text_can_be_cleaned(text in ".*", secret in ".{6,9}") {
            let clean = redactor(&[("MY_SECRET", &secret)]).clean(&text);
            proptest::prop_assert!(!clean.contains(&secret) || HIDDEN.contains(&secret));
        }
    }
}
