//! What the tree says at a time, signed: <https://c2sp.org/tlog-checkpoint> as <https://c2sp.org/signed-note>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use signed_note::{Note, StandardSigner, StandardVerifier, VerifierList, key_id};
use tlog_tiles::{Checkpoint, Hash};

/// Ed25519, as signed notes number it.
const ED25519: u8 = 1;

/// Signs checkpoints of one log.
#[derive(Clone)]
pub struct CheckpointSigner {
    signer: StandardSigner,
    key: CheckpointKey,
}

/// Checks the signatures of one log.
#[derive(Clone)]
pub struct CheckpointKey {
    origin: String,
    public: [u8; 32],
    verifier: StandardVerifier,
}

/// A checkpoint whose signature was good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// So many entries there were.
    pub size: u64,
    /// What their tree hashed to.
    pub root: [u8; 32],
}

/// Why there is no signer, key or checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("`{0}` cannot be the name of a log: it holds white space or `+`, or is empty")]
    Origin(String),
    #[error("it is no signed checkpoint")]
    Malformed,
    #[error("its signature is not this log's")]
    Signature,
    #[error("it is of another log: {0}")]
    OtherLog(String),
}

impl CheckpointSigner {
    /// The signer of the log `origin` with an Ed25519 key.
    pub fn new(origin: &str, seed: &[u8; 32], public: &[u8; 32]) -> Result<Self, CheckpointError> {
        let key = CheckpointKey::new(origin, public)?;
        let id = key_id(origin, &tagged(public));
        let text = format!(
            "PRIVATE+KEY+{origin}+{id:08x}+{}",
            STANDARD.encode(tagged(seed))
        );
        let signer =
            StandardSigner::new(&text).map_err(|_| CheckpointError::Origin(origin.to_owned()))?;
        Ok(Self { signer, key })
    }

    pub const fn key(&self) -> &CheckpointKey {
        &self.key
    }

    /// The checkpoint's text with its signature.
    pub fn sign(&self, size: u64, root: Hash) -> Result<Vec<u8>, CheckpointError> {
        let checkpoint = Checkpoint::new(&self.key.origin, size, root, "")
            .map_err(|_| CheckpointError::Malformed)?;
        let mut note =
            Note::new(&checkpoint.to_bytes(), &[]).map_err(|_| CheckpointError::Malformed)?;
        note.add_sigs(&[&self.signer])
            .map_err(|_| CheckpointError::Malformed)?;
        Ok(note.to_bytes())
    }
}

impl CheckpointKey {
    /// The key of the log `origin`, from the 32 bytes of an Ed25519 public key.
    pub fn new(origin: &str, public: &[u8; 32]) -> Result<Self, CheckpointError> {
        let verifier = StandardVerifier::new(&verifier_text(origin, public))
            .map_err(|_| CheckpointError::Origin(origin.to_owned()))?;
        Ok(Self {
            origin: origin.to_owned(),
            public: *public,
            verifier,
        })
    }

    /// Reads a checkpoint, and checks its signature.
    pub fn open(&self, bytes: &[u8]) -> Result<SignedCheckpoint, CheckpointError> {
        let note = Note::from_bytes(bytes).map_err(|_| CheckpointError::Malformed)?;
        let known = VerifierList::new(vec![Box::new(self.verifier.clone())]);
        let checkpoint =
            Checkpoint::from_bytes(note.text()).map_err(|_| CheckpointError::Malformed)?;
        if checkpoint.origin() != self.origin {
            return Err(CheckpointError::OtherLog(checkpoint.origin().to_owned()));
        }
        let (good, _) = note
            .verify(&known)
            .map_err(|_| CheckpointError::Signature)?;
        if good.is_empty() {
            return Err(CheckpointError::Signature);
        }
        Ok(SignedCheckpoint {
            size: checkpoint.size(),
            root: checkpoint.hash().0,
        })
    }

    /// The key as other programs take it.
    pub fn text(&self) -> String {
        verifier_text(&self.origin, &self.public)
    }
}

impl std::fmt::Debug for CheckpointSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CheckpointSigner({})", self.key.origin)
    }
}

impl std::fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CheckpointKey({})", self.origin)
    }
}

fn verifier_text(origin: &str, public: &[u8; 32]) -> String {
    let key = tagged(public);
    let id = key_id(origin, &key);
    format!("{origin}+{id:08x}+{}", STANDARD.encode(key))
}

fn tagged(key: &[u8; 32]) -> Vec<u8> {
    let mut tagged = vec![ED25519];
    tagged.extend_from_slice(key);
    tagged
}
