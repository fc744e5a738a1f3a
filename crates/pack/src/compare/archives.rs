//! What two archives differ in, seen from outside: their lists. Pure.

use std::io::{Cursor, Read};

use ergon_oci::layer::each_entry;
use flate2::read::GzDecoder;

use super::cause::Cause;

const UNORDERED: Cause = (
    "unordered archive",
    "give the archiver a sorted list (`tar --sort=name`, `find … | sort | zip -X …`)",
);
const MEMBER_TIMES: Cause = (
    "timestamps in an archive",
    "give its members a fixed time (`tar --mtime=@$SOURCE_DATE_EPOCH`, `zip -X` after `touch -d @$SOURCE_DATE_EPOCH`)",
);
const OTHER_MEMBERS: Cause = (
    "an archive with other members",
    "see which step packs it, and from where",
);
const MEMBER_CONTENTS: Cause = (
    "an archive of files that differ",
    "look at the files that go into it",
);
const STATIC_LIBRARY: Cause = (
    "timestamps or owners in a static library",
    "make it with `ar D` (ARFLAGS=Dcr), which leaves them out",
);

/// So many members are looked at, so many bytes of their names, and so many bytes unpacked.
const MOST_MEMBERS: usize = 100_000;
const MOST_NAMES: usize = 16 << 20;
const MOST_UNPACKED: u64 = 256 << 20;

/// A member's name, a time, and what its content can be told by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    name: String,
    time: u64,
    content: u64,
}

/// Why two archives of one format differ; none for anything else.
pub(super) fn explain(first: &[u8], second: &[u8]) -> Option<Cause> {
    let both = |magic: &[u8]| first.starts_with(magic) && second.starts_with(magic);
    if both(b"!<arch>\n") {
        return Some(STATIC_LIBRARY);
    }
    let (one, other) = if both(b"PK\x03\x04") {
        (zip_members(first)?, zip_members(second)?)
    } else if both(&[0x1f, 0x8b]) {
        (
            tar_members(GzDecoder::new(first))?,
            tar_members(GzDecoder::new(second))?,
        )
    } else if is_tar(first) && is_tar(second) {
        (tar_members(first)?, tar_members(second)?)
    } else {
        return None;
    };
    Some(judge(one, other))
}

fn judge(mut one: Vec<Member>, mut other: Vec<Member>) -> Cause {
    let names = |members: &[Member]| -> Vec<String> {
        members.iter().map(|member| member.name.clone()).collect()
    };
    let in_order = names(&one) == names(&other);
    one.sort_unstable();
    other.sort_unstable();
    if names(&one) != names(&other) {
        return OTHER_MEMBERS;
    }
    let contents =
        |members: &[Member]| -> Vec<u64> { members.iter().map(|member| member.content).collect() };
    if contents(&one) != contents(&other) {
        return MEMBER_CONTENTS;
    }
    if in_order { MEMBER_TIMES } else { UNORDERED }
}

fn zip_members(archive: &[u8]) -> Option<Vec<Member>> {
    // The directory of an archive is read as a whole, and takes more memory than it has bytes.
    let listed = archive.windows(4).filter(|bytes| bytes == b"PK\x01\x02");
    if listed.count() > MOST_MEMBERS {
        return None;
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).ok()?;
    let count = archive.len().min(MOST_MEMBERS);
    (0..count)
        .map(|index| {
            let member = archive.by_index_raw(index).ok()?;
            let time = member.last_modified().map_or(0, |time| {
                (u64::from(time.datepart()) << 16) | u64::from(time.timepart())
            });
            Some(Member {
                name: member.name().ok()?.into_owned(),
                time,
                content: u64::from(member.crc32()),
            })
        })
        .collect()
}

fn is_tar(content: &[u8]) -> bool {
    // The magic of POSIX and GNU tars stands at 257.
    content.get(257..262) == Some(b"ustar")
}

fn tar_members(reader: impl Read) -> Option<Vec<Member>> {
    /// There is enough to tell by.
    struct Enough;
    impl From<ergon_oci::Error> for Enough {
        fn from(_: ergon_oci::Error) -> Self {
            Self
        }
    }
    let (mut members, mut names, mut is_whole) = (Vec::new(), 0, true);
    let read = each_entry(reader.take(MOST_UNPACKED), "an archive", |entry| {
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        names += name.len();
        if members.len() == MOST_MEMBERS || names > MOST_NAMES {
            return Err(Enough);
        }
        let Some(content) = crc(entry) else {
            is_whole = false;
            return Err(Enough);
        };
        members.push(Member {
            name,
            time: entry.header().mtime().unwrap_or(0),
            content: content ^ (u64::from(entry.header().mode().unwrap_or(0)) << 32),
        });
        Ok(())
    });
    let is_told = read.is_ok() || members.len() == MOST_MEMBERS || names > MOST_NAMES;
    (is_whole && is_told).then_some(members)
}

fn crc(reader: &mut impl Read) -> Option<u64> {
    let mut crc = flate2::Crc::new();
    let mut buffer = vec![0; 32 * 1024];
    loop {
        match reader.read(&mut buffer).ok()? {
            0 => return Some(u64::from(crc.sum())),
            read => crc.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(members: &[(&str, u64, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, time, content) in members {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mtime(*time);
            header.set_mode(0o644);
            header.set_cksum();
            builder
                .append_data(&mut header, name, content.as_bytes())
                .unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn an_archive_is_told_by_its_list() {
        let first = tar(&[("a", 1, "x"), ("b", 1, "y")]);
        for (second, expected) in [
            (tar(&[("b", 1, "y"), ("a", 1, "x")]), UNORDERED),
            (tar(&[("a", 2, "x"), ("b", 2, "y")]), MEMBER_TIMES),
            (tar(&[("a", 1, "x"), ("c", 1, "y")]), OTHER_MEMBERS),
            (tar(&[("a", 1, "x"), ("b", 1, "z")]), MEMBER_CONTENTS),
        ] {
            assert_eq!(explain(&first, &second), Some(expected));
        }
        assert_eq!(explain(b"text", b"other"), None);
        assert_eq!(explain(b"!<arch>\nx", b"!<arch>\ny"), Some(STATIC_LIBRARY));
    }
}
