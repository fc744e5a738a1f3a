//! What somebody asks a certificate for: the public key, and nothing that was not theirs to choose. Pure.

use rcgen::{
    CertificateSigningRequestParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, PublicKey,
    SanType,
};
use rustls::pki_types::CertificateSigningRequestDer;
use rustls::pki_types::pem::PemObject as _;

use super::spiffe::{Identity, TrustDomain};

/// The longest request that is read, in bytes.
const LONGEST: usize = 16 << 10;

/// Why no certificate is given for a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("the certificate request is longer than {LONGEST} bytes")]
    TooLong,
    #[error("it is no certificate request (PKCS#10, PEM)")]
    NotARequest,
    #[error("the certificate request is not signed with the key that it is for")]
    Signature,
    #[error("the certificate request asks for what Ergon gives nobody: {0}")]
    Extension(&'static str),
    #[error(
        "the certificate request is for `{asked}`, and this certificate would be for `{given}`"
    )]
    OtherName { asked: String, given: String },
}

impl RequestError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::TooLong | Self::NotARequest | Self::Signature => {
                "make one so: openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -subj / -out request.pem".to_owned()
            }
            Self::Extension(_) => {
                "leave it out; what a certificate may be used for is decided here".to_owned()
            }
            Self::OtherName { given, .. } => {
                format!("leave names out of the request, or ask for {given} alone")
            }
        }
    }
}

/// The key of a request for this identity. A request may leave the identity out; another one is refused, and so is
/// whatever would make the certificate more than a companion's.
pub fn read(
    pem: &str,
    stack: &TrustDomain,
    identity: &Identity,
) -> Result<PublicKey, RequestError> {
    if pem.len() > LONGEST {
        return Err(RequestError::TooLong);
    }
    let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| RequestError::NotARequest)?;
    let request = CertificateSigningRequestParams::from_der(&der).map_err(|error| match error {
        rcgen::Error::InvalidCertificationRequestSignature => RequestError::Signature,
        rcgen::Error::UnsupportedExtension | rcgen::Error::InvalidNameType => {
            RequestError::Extension("an extension that is not known here")
        }
        _ => RequestError::NotARequest,
    })?;
    let asked = &request.params;
    if !matches!(asked.is_ca, IsCa::NoCa | IsCa::ExplicitNoCa) {
        return Err(RequestError::Extension("to be an authority itself"));
    }
    let signs = |usage: &KeyUsagePurpose| {
        matches!(
            usage,
            KeyUsagePurpose::KeyCertSign | KeyUsagePurpose::CrlSign
        )
    };
    if asked.key_usages.iter().any(signs) {
        return Err(RequestError::Extension("to sign certificates"));
    }
    let mut usages = asked.extended_key_usages.iter();
    if usages.any(|usage| *usage != ExtendedKeyUsagePurpose::ClientAuth) {
        return Err(RequestError::Extension(
            "to be used for something else than showing who one is",
        ));
    }
    let given = stack.uri(identity);
    for name in &asked.subject_alt_names {
        let asked = alternative(name);
        if asked != given {
            return Err(RequestError::OtherName { asked, given });
        }
    }
    Ok(request.public_key)
}

fn alternative(name: &SanType) -> String {
    let text = match name {
        SanType::URI(text) | SanType::DnsName(text) | SanType::Rfc822Name(text) => {
            text.as_str().to_owned()
        }
        SanType::IpAddress(address) => address.to_string(),
        _ => "a name of another kind".to_owned(),
    };
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, KeyPair};

    use super::*;

    fn asked(change: impl FnOnce(&mut CertificateParams)) -> Result<PublicKey, RequestError> {
        let mut params = CertificateParams::default();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let request = params.serialize_request(&key).unwrap().pem().unwrap();
        read_pem(&request)
    }

    fn read_pem(pem: &str) -> Result<PublicKey, RequestError> {
        let identity = Identity::Companion("numa".to_owned());
        read(pem, &TrustDomain::of("bcdf"), &identity)
    }

    fn uri(text: &str) -> SanType {
        SanType::URI(text.try_into().unwrap())
    }

    #[test]
    fn a_request_names_nobody_or_who_it_is_for() {
        assert!(asked(|_| ()).is_ok());
        assert!(
            asked(|params| params.subject_alt_names = vec![uri("spiffe://bcdf/ci/numa")]).is_ok()
        );
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        assert!(asked(|params| params.extended_key_usages = vec![usage]).is_ok());
    }

    #[test]
    fn a_request_for_somebody_else_is_refused_and_says_whom() {
        for other in [
            uri("spiffe://bcdf/ci/apollo"),
            uri("spiffe://other/ci/numa"),
            uri("spiffe://bcdf/stack"),
            SanType::DnsName("localhost".try_into().unwrap()),
            SanType::IpAddress([127, 0, 0, 1].into()),
            SanType::Rfc822Name("numa@example.com".try_into().unwrap()),
        ] {
            let error = asked(|params| params.subject_alt_names = vec![other.clone()]).unwrap_err();
            let RequestError::OtherName { given, .. } = &error else {
                panic!("{other:?}: {error}")
            };
            assert_eq!(given, "spiffe://bcdf/ci/numa");
        }
        let both = vec![uri("spiffe://bcdf/ci/numa"), uri("spiffe://bcdf/ci/apollo")];
        assert!(asked(|params| params.subject_alt_names = both).is_err());
    }

    #[test]
    fn a_request_to_be_more_than_a_companion_is_refused() {
        let is_extension = |asked: Result<PublicKey, RequestError>| {
            assert!(
                matches!(asked, Err(RequestError::Extension(_))),
                "{asked:?}"
            );
        };
        is_extension(asked(|params| {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }));
        is_extension(asked(|params| {
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        }));
        for usage in [
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::Any,
            ExtendedKeyUsagePurpose::CodeSigning,
        ] {
            is_extension(asked(|params| {
                params.extended_key_usages = vec![usage.clone()];
            }));
        }
    }

    #[test]
    fn what_is_no_request_is_said_to_be_none() {
        let key = KeyPair::generate().unwrap();
        for text in [
            "",
            "x",
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        ] {
            assert_eq!(
                read_pem(text).unwrap_err(),
                RequestError::NotARequest,
                "{text}"
            );
        }
        assert_eq!(
            read_pem(&key.serialize_pem()).unwrap_err(),
            RequestError::NotARequest
        );
        let long = "A".repeat(LONGEST + 1);
        assert_eq!(read_pem(&long).unwrap_err(), RequestError::TooLong);
    }

    #[test]
    fn a_request_is_signed_with_its_own_key() {
        let key = KeyPair::generate().unwrap();
        let good = CertificateParams::default()
            .serialize_request(&key)
            .unwrap();
        let mut forged = good.der().to_vec();
        // Somebody else's public key in the place of the one that signed.
        let other = KeyPair::generate().unwrap();
        let place = forged
            .windows(key.public_key_raw().len())
            .position(|window| window == key.public_key_raw())
            .unwrap();
        let length = other.public_key_raw().len();
        forged[place..place + length].copy_from_slice(other.public_key_raw());
        let pem = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            base64_of(&forged)
        );
        assert_eq!(read_pem(&pem).unwrap_err(), RequestError::Signature);
    }

    fn base64_of(bytes: &[u8]) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }
}
