//! An authenticator in a few lines: it makes passkeys and shows them, and on request one thing that it should not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// What is not as it should be of what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    /// A page of another site had it ask.
    Origin,
    /// The same site on another port.
    Port,
    /// For another name.
    Party,
    /// Nobody touched it.
    Presence,
    /// It did not ask who touched it.
    Verification,
    /// Adding instead of signing in, or the other way round.
    Kind,
    Challenge,
    Signature,
    /// The counter stands still.
    Counter,
    /// Somebody else's.
    Handle,
    /// It is one that nobody knows.
    Id,
    /// It was asked from within a frame of another site.
    Frame,
    Truncated,
}

pub struct Authenticator {
    key: EcdsaKeyPair,
    other: EcdsaKeyPair,
    pub id: Vec<u8>,
    handle: Vec<u8>,
    counter: u32,
}

const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const ATTESTED: u8 = 1 << 6;

fn key() -> EcdsaKeyPair {
    let (algorithm, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn client_data(kind: &str, challenge: &str, origin: &str, is_framed: bool) -> String {
    let data =
        json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": is_framed });
    data.to_string()
}

impl Authenticator {
    pub fn new() -> Self {
        let mut id = vec![0; 32];
        SystemRandom::new().fill(&mut id).unwrap();
        Self {
            key: key(),
            other: key(),
            id,
            handle: Vec::new(),
            counter: 0,
        }
    }

    fn data(&mut self, party: &str, wrong: Wrong, more: &[u8]) -> Vec<u8> {
        let party = match wrong {
            Wrong::Party => "evil.example",
            _ => party,
        };
        let mut flags = PRESENT | VERIFIED;
        match wrong {
            Wrong::Presence => flags &= !PRESENT,
            Wrong::Verification => flags &= !VERIFIED,
            _ => {}
        }
        if !more.is_empty() {
            flags |= ATTESTED;
        }
        if wrong != Wrong::Counter {
            self.counter += 1;
        }
        let mut data = digest(&SHA256, party.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data.extend(more);
        if wrong == Wrong::Truncated {
            data.truncate(30);
        }
        data
    }

    /// What a browser at `origin` answers when it is asked to have a passkey made.
    pub fn make(&mut self, asked: &Value, origin: &str, wrong: Wrong) -> Value {
        let asked = &asked["options"];
        assert_eq!(
            asked["authenticatorSelection"]["userVerification"],
            "required"
        );
        assert_eq!(asked["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(asked["attestation"].as_str().unwrap_or("none"), "none");
        let handle = asked["user"]["id"].as_str().unwrap();
        self.handle = URL_SAFE_NO_PAD.decode(handle).unwrap();
        let point = self.key.public_key().as_ref();
        let mut made = vec![0; 16];
        made.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        made.extend(&self.id);
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        made.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        made.extend(&point[1..33]);
        made.extend([0x22, 0x58, 0x20]);
        made.extend(&point[33..]);
        let party = asked["rp"]["id"].as_str().unwrap().to_owned();
        let data = self.data(&party, wrong, &made);
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(&data);
        let said = Self::said("webauthn.create", asked, origin, wrong);
        json!({
            "id": encoded(&self.id), "rawId": encoded(&self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(said), "attestationObject": encoded(object), "transports": ["internal"],
            },
        })
    }

    /// What it answers when it is asked to show one.
    pub fn show(&mut self, asked: &Value, origin: &str, wrong: Wrong) -> Value {
        let asked = &asked["options"];
        assert_eq!(asked["userVerification"], "required");
        let party = asked["rpId"].as_str().unwrap().to_owned();
        let data = self.data(&party, wrong, &[]);
        let said = Self::said("webauthn.get", asked, origin, wrong);
        let signed = [&data[..], digest(&SHA256, said.as_bytes()).as_ref()].concat();
        let key = match wrong {
            Wrong::Signature => &self.other,
            _ => &self.key,
        };
        let signature = key.sign(&SystemRandom::new(), &signed).unwrap();
        let (mut id, mut handle) = (self.id.clone(), self.handle.clone());
        match wrong {
            Wrong::Id => id[0] ^= 1,
            Wrong::Handle => handle[0] ^= 1,
            _ => {}
        }
        json!({
            "id": encoded(&id), "rawId": encoded(&id), "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(said), "authenticatorData": encoded(data),
                "signature": encoded(signature), "userHandle": encoded(handle),
            },
        })
    }

    fn said(kind: &str, asked: &Value, origin: &str, wrong: Wrong) -> String {
        let challenge = asked["challenge"].as_str().unwrap();
        let another = encoded([7; 16]);
        let (kind, challenge, origin) = match wrong {
            Wrong::Kind if kind == "webauthn.get" => ("webauthn.create", challenge, origin),
            Wrong::Kind => ("webauthn.get", challenge, origin),
            Wrong::Challenge => (kind, another.as_str(), origin),
            Wrong::Origin => (kind, challenge, "https://evil.example"),
            Wrong::Port => (kind, challenge, "http://localhost:1"),
            _ => (kind, challenge, origin),
        };
        client_data(kind, challenge, origin, wrong == Wrong::Frame)
    }
}
