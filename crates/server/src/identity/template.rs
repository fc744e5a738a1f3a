//! What certificates of the stack's authority hold, and how long they last. Pure.

use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType, SerialNumber,
};
use time::OffsetDateTime;

use super::spiffe::{Identity, TrustDomain};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// Clocks of other machines may be behind by so much.
const SKEW: i64 = 5 * 60;

/// The root: it outlives every machine it was made on.
pub const ROOT: i64 = 3650 * DAY;
/// What signs day by day, so that the root's key can be kept elsewhere.
pub const ISSUING: i64 = 365 * DAY;
/// What the stack itself shows.
pub const STACK: i64 = DAY;
/// What a companion shows.
pub const COMPANION: i64 = HOUR;

/// From when until when something is good. Seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub from: i64,
    pub until: i64,
}

impl Validity {
    /// For so many seconds from now on.
    pub fn from_now(now: i64, seconds: i64) -> Self {
        Self {
            from: now - SKEW,
            until: now + seconds,
        }
    }

    /// No longer than what signs it.
    #[must_use]
    pub fn within(self, signer: Self) -> Self {
        Self {
            from: self.from.max(signer.from),
            until: self.until.min(signer.until),
        }
    }

    /// Whether half of it has passed, which is when it is renewed. So is what begins in the future, which only a clock
    /// that jumped can have made.
    pub fn is_half_over(self, now: i64) -> bool {
        now < self.from || now >= self.from + (self.until - self.from) / 2
    }

    pub fn holds(self, now: i64) -> bool {
        self.from <= now && now < self.until
    }
}

/// A number that no other certificate of this authority has.
pub fn serial(random: [u8; 16]) -> SerialNumber {
    let mut bytes = random;
    // Positive, and of the same length always.
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    SerialNumber::from_slice(&bytes)
}

/// The root certificate of a stack.
pub fn root(stack: &TrustDomain, validity: Validity, serial: SerialNumber) -> CertificateParams {
    let mut params = beginning(&format!("Ergon stack {stack}"), validity, serial);
    // Two steps: what issues, and what it issued.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.subject_alt_names = uri(stack.root());
    params
}

/// The certificate that issues others.
pub fn issuing(stack: &TrustDomain, validity: Validity, serial: SerialNumber) -> CertificateParams {
    let mut params = beginning(&format!("Ergon stack {stack}, issuing"), validity, serial);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.subject_alt_names = uri(stack.root());
    params
}

/// What the stack shows under its own names.
pub fn stack(
    stack: &TrustDomain,
    names: &[ServedName],
    validity: Validity,
    serial: SerialNumber,
) -> CertificateParams {
    let mut params = leaf(stack, &Identity::Stack, validity, serial);
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let names = names.iter().filter_map(ServedName::as_alternative);
    params.subject_alt_names.extend(names);
    params
}

/// What a companion shows.
pub fn companion(
    stack: &TrustDomain,
    identity: &Identity,
    validity: Validity,
    serial: SerialNumber,
) -> CertificateParams {
    let mut params = leaf(stack, identity, validity, serial);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// A name or address under which the stack is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServedName {
    Name(String),
    Address(IpAddr),
}

impl ServedName {
    pub fn read(text: &str) -> Self {
        match text.parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(text.to_ascii_lowercase()),
        }
    }

    fn as_alternative(&self) -> Option<SanType> {
        match self {
            Self::Name(name) => name.as_str().try_into().ok().map(SanType::DnsName),
            Self::Address(address) => Some(SanType::IpAddress(*address)),
        }
    }
}

fn leaf(
    stack: &TrustDomain,
    identity: &Identity,
    validity: Validity,
    serial: SerialNumber,
) -> CertificateParams {
    let name = match identity {
        Identity::Stack => format!("Ergon stack {stack}"),
        Identity::Companion(name) => name.clone(),
    };
    let mut params = beginning(&name, validity, serial);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.subject_alt_names = uri(stack.uri(identity));
    params
}

fn beginning(name: &str, validity: Validity, serial: SerialNumber) -> CertificateParams {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    let mut params = CertificateParams::default();
    params.not_before = moment(validity.from);
    params.not_after = moment(validity.until);
    params.serial_number = Some(serial);
    params.distinguished_name = subject;
    params.use_authority_key_identifier_extension = true;
    params
}

/// The identity as the one URI that SPIFFE asks for.
fn uri(uri: String) -> Vec<SanType> {
    uri.try_into().ok().map(SanType::URI).into_iter().collect()
}

fn moment(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outlives_what_signs_it() {
        let signer = Validity {
            from: 1000,
            until: 5000,
        };
        let leaf = Validity::from_now(4000, COMPANION).within(signer);
        assert_eq!(
            leaf,
            Validity {
                from: 3700,
                until: 5000
            }
        );
        assert!(leaf.holds(4999) && !leaf.holds(5000) && !leaf.holds(3699));
    }

    #[test]
    fn what_is_half_over_is_renewed_and_so_is_what_a_wrong_clock_made() {
        let validity = Validity {
            from: 0,
            until: 100,
        };
        assert!(!validity.is_half_over(49));
        assert!(validity.is_half_over(50) && validity.is_half_over(1000));
        assert!(validity.is_half_over(-1));
    }

    #[test]
    fn a_serial_number_is_positive_and_of_one_length() {
        for random in [[0; 16], [0xff; 16]] {
            let serial = serial(random).to_bytes();
            assert_eq!(serial.len(), 16);
            assert!((0x40..0x80).contains(&serial[0]), "{serial:?}");
        }
    }
}
