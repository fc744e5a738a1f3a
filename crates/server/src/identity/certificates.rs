//! What the authority gave, to whom, and what of it is refused before it expires.

use std::sync::Arc;

use ergon_hermes::{Name, NameError};
use ergon_store::{CertificateRow, NewEvent, Store, StoreError};
use rcgen::KeyPair;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;

use super::authority::{Authority, AuthorityError, Issued};
use super::peer::{PeerCertificate, Refused, Verifier};
use super::request::{self, RequestError};
use super::spiffe::Identity;
use super::template::{self, ServedName};

/// What has expired is remembered for so long. Milliseconds.
const REMEMBERED: i64 = 7 * 24 * 60 * 60 * 1000;

/// Why no certificate is given, or refused.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("`{name}` cannot be a companion's name: {reason}")]
    Name { name: String, reason: NameError },
    #[error("there is no companion `{0}` that was registered from outside")]
    NobodyThere(String),
    #[error("`{name}` was registered by {by}, and a certificate for it is theirs to ask for")]
    NotTheirs { name: String, by: String },
    #[error("no certificate with the serial number `{0}` is remembered")]
    NotFound(String),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CertificateError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Name { .. } => None,
            Self::NobodyThere(_) => Some(
                "register it first (POST /api/registry/register); what the stack runs itself needs none".to_owned(),
            ),
            Self::NotTheirs { .. } => Some("choose another name".to_owned()),
            Self::NotFound(_) => Some("ergon ca list says which there are".to_owned()),
            Self::Request(error) => Some(error.remedy()),
            Self::Authority(error) => Some(error.remedy()),
            Self::Store(error) => error.remedy(),
        }
    }
}

/// All certificates of the stack. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Certificates {
    authority: Arc<Authority>,
    store: Store,
    refused: Refused,
}

impl Certificates {
    /// Reads which are refused, and forgets those that nobody can show any more.
    pub async fn open(authority: Authority, store: Store) -> Result<Self, StoreError> {
        let now = ergon_store::now();
        let mut change = store.unobserved().await?;
        change.forget_certificates(now - REMEMBERED).await?;
        change.commit().await?;
        let refused = Refused::default();
        let rows = store.certificates().await?;
        let rows = rows.into_iter().filter(|row| row.refused_at.is_some());
        refused.add(
            rows.map(|row| (row.serial, row.expires_at / 1000)),
            now / 1000,
        );
        Ok(Self {
            authority: Arc::new(authority),
            store,
            refused,
        })
    }

    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What looks at the certificates of clients.
    pub fn verifier(&self) -> Result<Arc<Verifier>, AuthorityError> {
        let stack = self.authority.trust_domain().clone();
        let verifier = Verifier::new(self.authority.root()?, stack, self.refused.clone());
        verifier
            .map(Arc::new)
            .map_err(|error| AuthorityError::Damaged {
                path: "root.pem".into(),
                reason: error.to_string(),
            })
    }

    /// Whether a certificate that a connection began with is still good: it may have expired or been refused since.
    pub fn is_good(&self, peer: &PeerCertificate) -> bool {
        ergon_store::now() / 1000 < peer.not_after && !self.refused.has(&peer.serial)
    }

    /// What the stack itself shows under these names, with its key.
    pub fn for_stack(
        &self,
        names: &[ServedName],
    ) -> Result<(Issued, PrivateKeyDer<'static>), AuthorityError> {
        let key = KeyPair::generate()?;
        let issued = self.authority.issue(
            template::STACK,
            ergon_store::now() / 1000,
            |stack, validity, serial| template::stack(stack, names, validity, serial),
            &key,
        )?;
        Ok((issued, key.into()))
    }

    /// Remembers a certificate of the stack itself.
    pub async fn remember_own(&self, issued: Issued) {
        let identity = Identity::Stack;
        if let Err(error) = self
            .remember(&issued, &identity, "stack", Told::Nobody)
            .await
        {
            tracing::error!(%error, "a certificate of the stack was not written down");
        }
    }

    /// Gives a companion a certificate for the key of a request.
    pub async fn give(
        &self,
        name: &str,
        request: &str,
        to: &str,
    ) -> Result<Issued, CertificateError> {
        let parsed = name
            .parse::<Name>()
            .map_err(|reason| CertificateError::Name {
                name: name.chars().take(80).collect(),
                reason,
            })?;
        let identity = Identity::of(&parsed);
        let key = request::read(request, self.authority.trust_domain(), &identity)?;
        let issued = self.authority.issue(
            template::COMPANION,
            ergon_store::now() / 1000,
            |stack, validity, serial| template::companion(stack, &identity, validity, serial),
            &key,
        )?;
        self.remember(&issued, &identity, to, Told::Everybody)
            .await?;
        Ok(issued)
    }

    async fn remember(
        &self,
        issued: &Issued,
        identity: &Identity,
        to: &str,
        told: Told,
    ) -> Result<(), StoreError> {
        let row = CertificateRow {
            serial: issued.serial.clone(),
            identity: self.authority.trust_domain().uri(identity),
            issued_to: to.to_owned(),
            issued_at: ergon_store::now(),
            expires_at: issued.validity.until * 1000,
            refused_at: None,
            refused_because: None,
        };
        let mut change = match (told, identity) {
            (Told::Everybody, Identity::Companion(name)) => {
                let event = NewEvent::new(
                    "dev.ergon.certificate.issued",
                    format!("companion/{name}"),
                    json!({ "serial": row.serial, "by": to }),
                );
                self.store.change(event).await?
            }
            _ => self.store.unobserved().await?,
        };
        change.add_certificate(&row).await?;
        change
            .forget_certificates(row.issued_at - REMEMBERED)
            .await?;
        change.commit().await
    }

    /// Every certificate that is remembered, the newest first.
    pub async fn list(&self) -> Result<Vec<CertificateRow>, StoreError> {
        self.store.certificates().await
    }

    /// Has a certificate refused from now on. To ask for it twice is to ask for it once.
    pub async fn refuse(&self, serial: &str, because: &str) -> Result<(), CertificateError> {
        let rows = self.store.certificates().await?;
        let row = rows.into_iter().find(|row| row.serial == serial);
        let row =
            row.ok_or_else(|| CertificateError::NotFound(serial.chars().take(80).collect()))?;
        self.refuse_rows(vec![row], because).await?;
        Ok(())
    }

    /// Has every certificate of a companion refused from now on: it is not there any more, or somebody else is.
    pub async fn refuse_of(&self, name: &str, because: &str) -> Result<(), StoreError> {
        let identity = Identity::Companion(name.to_ascii_lowercase());
        let uri = self.authority.trust_domain().uri(&identity);
        let mut rows = self.store.certificates().await?;
        rows.retain(|row| row.identity == uri);
        self.refuse_rows(rows, because).await
    }

    async fn refuse_rows(
        &self,
        mut rows: Vec<CertificateRow>,
        because: &str,
    ) -> Result<(), StoreError> {
        let now = ergon_store::now();
        rows.retain(|row| row.refused_at.is_none() && row.expires_at > now);
        if rows.is_empty() {
            return Ok(());
        }
        // Refused in this process first: whatever becomes of the disk, it is not let in again.
        let serials = rows
            .iter()
            .map(|row| (row.serial.clone(), row.expires_at / 1000));
        self.refused.add(serials, now / 1000);
        let event = |row: &CertificateRow| {
            let name = row.identity.rsplit('/').next().unwrap_or_default();
            NewEvent::new(
                "dev.ergon.certificate.refused",
                format!("companion/{name}"),
                json!({ "serial": row.serial, "because": because }),
            )
        };
        let mut change = self.store.unobserved().await?;
        for row in &rows {
            change.refuse_certificate(&row.serial, because, now).await?;
            change.tell(event(row));
        }
        change.commit().await
    }
}

/// Who learns of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Everybody,
    /// The stack renews its own, which changes nothing for anybody.
    Nobody,
}
