//! Certificate authorities that build steps need and layers must never hold.

use std::path::PathBuf;

/// Which extra authorities steps with a network trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ExtraAuthority {
    /// What the host trusts, where it differs from what the base trusts.
    #[default]
    Host,
    /// This PEM bundle.
    File(PathBuf),
    None,
}

/// Where a Debian base keeps what it trusts.
pub const BASE_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

impl ExtraAuthority {
    /// The setting as people write it: `none`, or a file. Empty means the default.
    pub fn from_setting(setting: &str) -> Self {
        match setting.trim() {
            "" | "host" => Self::Host,
            "none" => Self::None,
            path => Self::File(PathBuf::from(path)),
        }
    }

    /// The host's file to mount, if any.
    pub fn bundle(&self) -> Option<PathBuf> {
        match self {
            Self::None => None,
            Self::File(path) => Some(path.clone()),
            Self::Host => std::env::var_os("SSL_CERT_FILE")
                .map(PathBuf::from)
                .into_iter()
                .chain([PathBuf::from(BASE_BUNDLE)])
                .find(|path| path.is_file()),
        }
    }
}
