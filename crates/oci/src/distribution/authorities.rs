//! Authorities that vouch for one registry, where Docker and Podman are told of them.
//!
//! `/etc/docker/certs.d/HOST:PORT/ca.crt`, `/etc/containers/certs.d/…`, `~/.config/containers/certs.d/…`: whoever can pull
//! with these can with Ergon.

use std::path::PathBuf;

/// No authority has more bytes.
const LONGEST: u64 = 1 << 20;

/// Where they are kept, the first that is found counts.
pub(super) fn folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(home) = std::env::var_os("HOME").filter(|home| !home.is_empty()) {
        folders.push(PathBuf::from(home).join(".config/containers/certs.d"));
    }
    folders.push("/etc/containers/certs.d".into());
    folders.push("/etc/docker/certs.d".into());
    folders
}

/// The authority for a registry, as PEM.
pub(super) fn of(registry: &str, folders: Vec<PathBuf>) -> Option<String> {
    // It is one folder's name, whatever is asked for.
    if registry.is_empty() || registry.contains('/') || registry.starts_with('.') {
        return None;
    }
    folders.into_iter().find_map(|folder| {
        let path = folder.join(registry).join("ca.crt");
        let length = std::fs::metadata(&path).ok()?.len();
        let text = (length <= LONGEST).then(|| std::fs::read_to_string(&path).ok())?;
        text.filter(|text| text.contains("-----BEGIN CERTIFICATE-----"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_for_its_registry_alone() {
        let folder = tempfile::tempdir().unwrap();
        let pem = "-----BEGIN CERTIFICATE-----\n";
        for (registry, text) in [("localhost:7411", pem), ("broken:1", "nothing")] {
            std::fs::create_dir(folder.path().join(registry)).unwrap();
            std::fs::write(folder.path().join(registry).join("ca.crt"), text).unwrap();
        }
        std::fs::write(folder.path().join("ca.crt"), pem).unwrap();
        let of = |registry: &str| of(registry, vec!["/nowhere".into(), folder.path().into()]);
        assert_eq!(of("localhost:7411").as_deref(), Some(pem));
        for other in [
            "localhost",
            "localhost:7412",
            "broken:1",
            "",
            ".",
            "..",
            "a/..",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
