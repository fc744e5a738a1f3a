//! The stack's own authority, and what it gave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A wish for a certificate.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RequestCertificate {
    /// The companion it is for, as it is registered.
    pub name: String,
    /// The public key, signed with the other half: a certificate request (PKCS#10), PEM. It may ask for nothing that is
    /// not the companion's.
    pub request: String,
}

/// A certificate, for whoever has the key.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct IssuedCertificate {
    /// `spiffe://STACK/ci/NAME`.
    pub identity: String,
    /// In hexadecimal digits.
    pub serial: String,
    /// The certificate, and what signed it: PEM.
    pub certificate: String,
    /// The certificate of the authority, which the stack's own certificate is checked with: PEM.
    pub authority: String,
    /// RFC 3339.
    pub not_before: String,
    /// RFC 3339.
    pub not_after: String,
    /// It is time for another one after so many seconds.
    pub renew_in: i64,
}

/// A certificate that was given, without itself.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GivenCertificate {
    /// In hexadecimal digits.
    pub serial: String,
    /// `spiffe://STACK/ci/NAME`.
    pub identity: String,
    /// Who asked for it.
    pub issued_to: String,
    /// RFC 3339.
    pub issued_at: String,
    /// RFC 3339.
    pub expires_at: String,
    /// `good`, `expired` or `revoked`.
    pub state: String,
    /// Why it is refused although it may not have expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The stack's own authority.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Authority {
    /// What identities of this stack begin with: `spiffe://STACK`.
    pub trust_domain: String,
    /// The SHA-256 of the root's certificate, as other programs show it.
    pub fingerprint: String,
    /// RFC 3339.
    pub root_expires_at: String,
    /// When what issues certificates expires. RFC 3339.
    pub issuing_expires_at: String,
    /// Whether the root's key is on the stack's machine.
    pub has_root_key: bool,
}
