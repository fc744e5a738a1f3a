//! Which files hold secrets, by where they lie and what they are called. Their content is never shown.

/// Folders in which nothing else lies.
const FOLDERS: [&str; 5] = [
    "/run/secrets/",
    "/var/run/secrets/",
    "/root/.ssh/",
    "/etc/ssl/private/",
    "/root/.gnupg/",
];
/// Names, and parts of names.
const NAMES: [&str; 14] = [
    "shadow",
    "shadow-",
    "gshadow",
    "gshadow-",
    ".env",
    ".pgpass",
    ".netrc",
    ".htpasswd",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".dockerconfigjson",
    "krb5.keytab",
    ".my.cnf",
];
const PARTS: [&str; 6] = [
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    "credentials",
    "secret",
    "password",
];
const ENDINGS: [&str; 9] = [
    ".key",
    ".pem",
    ".p12",
    ".pfx",
    ".jks",
    ".keystore",
    ".kdbx",
    ".keytab",
    ".asc",
];

/// Whether the file at this path holds a secret, as far as its name tells.
pub(super) fn is_one(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    FOLDERS.iter().any(|folder| path.starts_with(folder))
        || path.contains("/.ssh/")
        || path.contains("/.aws/")
        || path.contains("/.docker/config.json")
        || NAMES.contains(&name)
        || name.starts_with(".env.")
        || PARTS.iter().any(|part| name.contains(part))
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_places_and_names() {
        for path in [
            "/run/secrets/db",
            "/etc/shadow",
            "/app/.env",
            "/app/.env.production",
            "/srv/app/.ssh/config",
            "/etc/tls/server.KEY",
            "/srv/id_rsa.bak",
            "/app/client_secret.json",
            "/srv/app/.aws/config",
        ] {
            assert!(is_one(path), "{path}");
        }
        for path in [
            "/etc/passwd",
            "/app/main.py",
            "/etc/hosts",
            "/app/keyboard.js",
            "/etc/nginx/nginx.conf",
        ] {
            assert!(!is_one(path), "{path}");
        }
    }
}
