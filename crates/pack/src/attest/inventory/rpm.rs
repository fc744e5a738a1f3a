//! The database of rpm since version 4.16: an SQLite file whose rows are package headers.
//!
//! Headers are read as rpm writes them: <https://rpm-software-management.github.io/rpm/manual/format_header.html>.

mod sqlite;

use std::io::{self, Read};

use super::package::{Kind, Package, is_word};
use super::{Finding, MOST_PACKAGES};
use sqlite::Database;

/// A larger database is not read.
const LARGEST: u64 = 1 << 30;
/// The header of a package with a hundred thousand files is smaller.
const LARGEST_HEADER: usize = 64 << 20;

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const LICENCE: u32 = 1014;
const ARCHITECTURE: u32 = 1022;
const SOURCE: u32 = 1044;

/// The packages of a database; it is kept in a file without a name while it is read.
pub fn database(path: &str, size: u64, content: &mut dyn Read) -> Finding {
    if !path.ends_with(".sqlite") {
        return Finding::gap(format!(
            "{path} is a database of rpm in an old form, and its packages are not listed"
        ));
    }
    let unreadable = || Finding::gap(format!("{path} is no database that can be read"));
    if size > LARGEST {
        return unreadable();
    }
    let Ok(mut file) = tempfile::tempfile() else {
        return unreadable();
    };
    if io::copy(content, &mut file).is_err() {
        return unreadable();
    }
    let Some(database) = Database::open(file) else {
        return unreadable();
    };
    let mut packages = Vec::new();
    let mut passed_over = 0_usize;
    let is_whole = database.each_blob("Packages", LARGEST_HEADER, |blob| {
        match package(blob) {
            Some(package) if packages.len() < MOST_PACKAGES => packages.push(package),
            // A key that packages are checked with stands among them.
            _ if text(blob, NAME).as_deref() == Some("gpg-pubkey") => {}
            _ => passed_over += 1,
        }
    });
    Finding::of_database(path, packages, is_whole, passed_over)
}

fn package(header: &[u8]) -> Option<Package> {
    let name = text(header, NAME).filter(|name| name != "gpg-pubkey")?;
    let version = format!("{}-{}", text(header, VERSION)?, text(header, RELEASE)?);
    let mut package = Package::new(Kind::Rpm, &name, &version)?;
    package.architecture = text(header, ARCHITECTURE).filter(|word| is_word(word));
    package.epoch = entry(header, EPOCH)
        .and_then(|value| Some(u32::from_be_bytes(value.get(..4)?.try_into().ok()?)));
    package.upstream = text(header, SOURCE).filter(|word| is_word(word));
    if let Some(licence) = text(header, LICENCE) {
        package.add_licence(&licence);
    }
    Some(package)
}

/// The bytes from where the value of a tag stands: index entries of 16 bytes, then the values.
fn entry(header: &[u8], tag: u32) -> Option<&[u8]> {
    let number = |at: usize| -> Option<u32> {
        let bytes = header.get(at..at.checked_add(4)?)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let count = usize::try_from(number(0)?).ok()?;
    let values = 8_usize.checked_add(count.checked_mul(16)?)?;
    let index = header.get(8..values)?;
    let found = index
        .chunks_exact(16)
        .find(|found| found.starts_with(&tag.to_be_bytes()))?;
    let offset = u32::from_be_bytes(found.get(8..12)?.try_into().ok()?);
    header.get(values.checked_add(usize::try_from(offset).ok()?)?..)
}

fn text(header: &[u8], tag: u32) -> Option<String> {
    let value = entry(header, tag)?;
    let end = value.iter().take(4096).position(|byte| *byte == 0)?;
    String::from_utf8(value[..end].to_vec()).ok()
}
