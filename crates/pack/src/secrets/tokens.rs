//! What tokens look like, by those who issue them. Pure.
//!
//! Each rule is a beginning that nothing else has, what follows it, and where that is written down. A beginning alone is no
//! finding: its length has to fit, and where the issuer puts a checksum into it, that has to be right.

/// What a kind of token looks like.
pub struct Token {
    /// What it is called in findings.
    pub name: &'static str,
    pub beginnings: &'static [&'static str],
    /// What bytes follow.
    body: fn(u8) -> bool,
    /// How many of them, at least and at most.
    length: (usize, usize),
    /// What else holds of what follows.
    check: fn(&[u8]) -> bool,
    /// Where its issuer describes it.
    pub source: &'static str,
}

/// No token is longer, with its beginning.
pub const LONGEST: usize = 512;

pub const TOKENS: &[Token] = &[
    Token {
        name: "AWS access key",
        beginnings: &["AKIA", "ASIA"],
        body: |byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
        length: (16, 16),
        // The keys of the documentation.
        check: |body| !body.ends_with(b"EXAMPLE"),
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids",
    },
    Token {
        name: "GitHub token",
        beginnings: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        body: alphanumeric,
        length: (36, 36),
        check: has_checksum,
        source: "https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/",
    },
    Token {
        name: "GitHub fine-grained token",
        beginnings: &["github_pat_"],
        body: |byte| alphanumeric(byte) || byte == b'_',
        length: (82, 82),
        check: |body| body.get(22) == Some(&b'_'),
        source: "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats",
    },
    Token {
        name: "GitLab token",
        beginnings: &[
            "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glagent-",
        ],
        body: |byte| url_safe(byte) || byte == b'.',
        length: (20, 300),
        check: varied,
        source: "https://docs.gitlab.com/security/tokens/#token-prefixes",
    },
    Token {
        name: "Slack token",
        beginnings: &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-"],
        body: |byte| alphanumeric(byte) || byte == b'-',
        length: (24, 250),
        check: |body| body.first().is_some_and(u8::is_ascii_digit) && varied(body),
        source: "https://docs.slack.dev/authentication/tokens",
    },
    Token {
        name: "Stripe live key",
        beginnings: &["sk_live_", "rk_live_"],
        body: alphanumeric,
        length: (24, 250),
        check: varied,
        source: "https://docs.stripe.com/keys",
    },
    Token {
        name: "Google API key",
        beginnings: &["AIza"],
        body: url_safe,
        length: (35, 35),
        check: varied,
        source: "https://cloud.google.com/docs/authentication/api-keys",
    },
    Token {
        name: "npm token",
        beginnings: &["npm_"],
        body: alphanumeric,
        length: (36, 36),
        check: has_checksum,
        source: "https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/",
    },
    Token {
        name: "PyPI token",
        // A macaroon whose location is pypi.org or test.pypi.org, in base64.
        beginnings: &["pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"],
        body: url_safe,
        length: (50, 400),
        check: varied,
        source: "https://pypi.org/help/#apitoken",
    },
    Token {
        name: "Docker Hub token",
        beginnings: &["dckr_pat_", "dckr_oat_"],
        body: url_safe,
        length: (27, 64),
        check: varied,
        source: "https://docs.docker.com/security/access-tokens/",
    },
    Token {
        name: "HashiCorp Vault token",
        beginnings: &["hvs.", "hvb.", "hvr."],
        body: url_safe,
        length: (24, 400),
        check: varied,
        source: "https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes",
    },
    Token {
        name: "Hugging Face token",
        beginnings: &["hf_"],
        body: alphanumeric,
        length: (34, 34),
        check: varied,
        source: "https://huggingface.co/docs/hub/security-tokens",
    },
    Token {
        name: "DigitalOcean token",
        beginnings: &["dop_v1_", "doo_v1_", "dor_v1_"],
        body: |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        length: (64, 64),
        check: varied,
        source: "https://docs.digitalocean.com/reference/api/create-personal-access-token/",
    },
    Token {
        name: "age secret key",
        beginnings: &["AGE-SECRET-KEY-1"],
        body: |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        length: (58, 58),
        check: varied,
        source: "https://github.com/C2SP/C2SP/blob/main/age.md",
    },
    Token {
        name: "Azure storage key",
        beginnings: &["AccountKey="],
        body: |byte| alphanumeric(byte) || matches!(byte, b'+' | b'/' | b'='),
        length: (88, 88),
        // The key that every emulator has.
        check: |body| {
            body.ends_with(b"==") && !body.starts_with(b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1")
        },
        source: "https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string",
    },
    Token {
        name: "private key",
        beginnings: &[
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----",
            "-----BEGIN EC PRIVATE KEY-----",
            "-----BEGIN DSA PRIVATE KEY-----",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
        ],
        // A program that reads keys has the line, too, but not the key after it. In JSON a line ends with `\n`.
        body: |byte| {
            alphanumeric(byte) || matches!(byte, b'+' | b'/' | b'=' | b'\r' | b'\n' | b'\\')
        },
        length: (64, usize::MAX),
        check: |body| {
            body.first()
                .is_some_and(|byte| matches!(byte, b'\r' | b'\n' | b'\\'))
                && varied(body)
        },
        source: "https://www.rfc-editor.org/rfc/rfc7468",
    },
];

impl Token {
    /// Whether it is the key itself, and not a word for one.
    pub fn is_private_key(&self) -> bool {
        self.name == "private key"
    }

    /// Whether what follows one of its beginnings makes it a token.
    pub fn is_followed_by(&self, rest: &[u8]) -> bool {
        let most = rest.len().min(LONGEST);
        let length = rest[..most]
            .iter()
            .take_while(|byte| (self.body)(**byte))
            .count();
        let (least, most) = self.length;
        (least..=most).contains(&length) && (self.check)(&rest[..length])
    }
}

const fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// What is written where a token is to be put is one letter many times over: `xxxxxxxx`.
fn varied(body: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in body {
        seen[usize::from(*byte)] = true;
    }
    seen.iter().filter(|seen| **seen).count() >= 8
}

/// Whether the last six characters are the CRC-32 of those before, in base 62.
fn has_checksum(body: &[u8]) -> bool {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((random, written)) = body.split_last_chunk::<6>() else {
        return false;
    };
    let mut crc = flate2::Crc::new();
    crc.update(random);
    let mut left = crc.sum();
    let mut expected = [b'0'; 6];
    for place in expected.iter_mut().rev() {
        *place = DIGITS[(left % 62) as usize];
        left /= 62;
    }
    expected == *written
}
