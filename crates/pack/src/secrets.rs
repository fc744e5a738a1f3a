//! Known secrets in an image: tokens and keys in its layers and its configuration, by what their issuers say they look like.
//!
//! A layer is read once, as a stream, by everything in it: what a layer above removes can still be taken out of
//! the layer below. What is found is named by its kind, its file and its line, and never said itself. Archives and
//! compressed files inside a layer are not opened. `docs/solutions.md` lists the rules with where they come from.

mod files;
mod tokens;

use std::io::Read;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use ergon_manifest::{Digest, canonical_json};
use ergon_oci::layer::{EntryKind, read_layer};
use ergon_oci::{Blobs, Image};
use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::error::PackError;
use files::FILES;
use tokens::{LONGEST, TOKENS, Token};

/// The version of the rules. What was found by others is looked for again.
const RULES: &str = "2";
/// So many findings of one layer are kept.
const MOST: usize = 100;
/// So much of a file is looked at together, in bytes.
const PIECE: usize = 256 << 10;

/// A secret that is where it should not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KnownSecret {
    /// `GitHub token`, `private key`, …
    pub kind: String,
    /// The layer's digest; absent: the image's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The file in the layer; in the configuration, `configuration`.
    pub path: String,
    /// Counted from 1.
    pub line: u64,
    /// Where the issuer describes what it looks like.
    pub source: String,
}

/// What was found in one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Found {
    secrets: Vec<KnownSecret>,
}

/// Looks for known secrets in everything an image consists of, from the cache where a layer was looked at before.
pub fn known_secrets(
    image: &Image,
    blobs: &Blobs,
    cache: &Cache,
) -> Result<Vec<KnownSecret>, PackError> {
    let mut all = Vec::new();
    let config = blobs.read(&image.config_digest())?;
    let mut search = Search::new("configuration");
    search.read(&mut config.as_slice())?;
    all.extend(search.found);
    for layer in image.layers() {
        let key = key(&layer.digest)?;
        let found = if let Some(found) = cache.kept::<Found>("inventories", &key) {
            found
        } else {
            let found = of_layer(blobs.open_read(&layer.digest)?)?;
            cache.keep("inventories", &key, &found)?;
            found
        };
        all.extend(found.secrets.into_iter().map(|secret| KnownSecret {
            layer: Some(layer.digest.to_string()),
            ..secret
        }));
    }
    Ok(all)
}

/// Looks for known secrets in a text: the content of a configuration.
pub fn known_secrets_in(path: &str, content: &[u8]) -> Vec<KnownSecret> {
    let mut search = Search::new(path);
    search.piece(content, true);
    search.found
}

fn key(layer: &Digest) -> Result<Digest, PackError> {
    #[derive(Serialize)]
    struct Key<'a> {
        layer: &'a Digest,
        secrets: &'a str,
    }
    let key = Key {
        layer,
        secrets: RULES,
    };
    Ok(Digest::of(&canonical_json(&key)?))
}

fn of_layer(reader: impl Read) -> Result<Found, PackError> {
    let mut secrets: Vec<KnownSecret> = Vec::new();
    read_layer::<PackError>(reader, |entry, content| {
        if !matches!(entry.kind, EntryKind::File { .. }) || secrets.len() >= MOST {
            return Ok(());
        }
        let path = entry.path;
        let mut search = Search::new(&path);
        if let Some(rule) = FILES.iter().find(|rule| rule.is_at(&path)) {
            let mut whole = Vec::new();
            let read = content.take(files::LARGEST).read_to_end(&mut whole);
            read.map_err(search.unreadable())?;
            if let Some(line) = rule.first_in(&whole) {
                search.add(rule.name, rule.source, line);
            }
            search.piece(&whole, true);
        } else {
            search.read(content)?;
        }
        secrets.extend(search.found);
        secrets.truncate(MOST);
        Ok(())
    })?;
    Ok(Found { secrets })
}

/// All beginnings, looked for at once; and whose each is.
static BEGINNINGS: LazyLock<(Option<AhoCorasick>, Vec<&'static Token>)> = LazyLock::new(|| {
    let all = TOKENS.iter().flat_map(|token| {
        let beginnings = token.beginnings.iter();
        beginnings.map(move |beginning| (*beginning, token))
    });
    let (beginnings, tokens): (Vec<_>, Vec<_>) = all.unzip();
    (AhoCorasick::new(beginnings).ok(), tokens)
});

/// A search through one file.
struct Search {
    path: String,
    /// Lines before what is looked at.
    lines: u64,
    /// Whether the first byte was looked at before, and is there for what follows it.
    goes_on: bool,
    /// Libraries of cryptography have keys in them that they test themselves with.
    is_library: bool,
    found: Vec<KnownSecret>,
}

impl Search {
    fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            lines: 1,
            goes_on: false,
            is_library: false,
            found: Vec::new(),
        }
    }

    /// Reads a file to its end in pieces; what lies across two of them is looked at in the later one.
    fn read(&mut self, mut content: &mut dyn Read) -> Result<(), PackError> {
        let mut piece: Vec<u8> = Vec::new();
        loop {
            let room = (PIECE - piece.len()) as u64;
            let read = Read::by_ref(&mut content)
                .take(room)
                .read_to_end(&mut piece);
            read.map_err(self.unreadable())?;
            let is_end = piece.len() < PIECE;
            let done = self.piece(&piece, is_end);
            if is_end {
                return Ok(());
            }
            piece.drain(..done);
        }
    }

    fn unreadable(&self) -> impl FnOnce(std::io::Error) -> PackError + use<> {
        let what = self.path.clone();
        move |error| PackError::Search { what, error }
    }

    /// Looks at a piece; how much of it need not be there any more.
    fn piece(&mut self, piece: &[u8], is_end: bool) -> usize {
        let (Some(beginnings), tokens) = &*BEGINNINGS else {
            return piece.len();
        };
        // What begins before this is whole in this piece.
        let whole = if is_end {
            piece.len()
        } else {
            piece.len().saturating_sub(2 * LONGEST)
        };
        if !self.goes_on {
            self.is_library = is_library(&self.path, piece);
        }
        let first = usize::from(self.goes_on);
        let (mut counted, mut lines) = (0, self.lines);
        let hits = beginnings.find_iter(piece);
        let hits = hits.filter(|hit| hit.start() >= first);
        for hit in hits.take_while(|hit| hit.start() < whole) {
            let token = tokens[hit.pattern().as_usize()];
            let before = hit.start().checked_sub(1).map(|place| piece[place]);
            let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            let is_inside = before.is_some_and(is_of_word) && is_of_word(piece[hit.start()]);
            if self.is_library && token.is_private_key() {
                continue;
            }
            if is_inside || !token.is_followed_by(&piece[hit.end()..]) {
                continue;
            }
            lines += newlines(&piece[counted..hit.start()]);
            counted = hit.start();
            self.add(token.name, token.source, lines);
        }
        // The byte before what comes next says whether that begins there.
        let done = whole.saturating_sub(1);
        self.goes_on = true;
        self.lines += newlines(&piece[..done]);
        done
    }

    fn add(&mut self, kind: &str, source: &str, line: u64) {
        if self.found.len() >= MOST {
            return;
        }
        self.found.push(KnownSecret {
            kind: kind.to_owned(),
            layer: None,
            path: self.path.clone(),
            line,
            source: source.to_owned(),
        });
    }
}

/// Whether a file is a shared library: `libgnutls.so.30`.
fn is_library(path: &str, start: &[u8]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    start.starts_with(b"\x7fELF") && (name.ends_with(".so") || name.contains(".so."))
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod tests;
