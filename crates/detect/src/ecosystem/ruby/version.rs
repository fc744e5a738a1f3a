//! The version of Ruby that a project wants.

use super::gemfile::Gemfile;
use super::lock::Lock;
use crate::ecosystem::Claim;
use crate::sources::Sources;
use crate::version_files;
use crate::versions::{self, Part};

/// The minor versions there are, and the usual one, by major version; the usual major version first.
const VERSIONS: [(u32, &[u32], u32); 3] = [
    (3, &[0, 1, 2, 3, 4], 1),
    (2, &[3, 4, 5, 6, 7], 7),
    (4, &[0], 0),
];

/// What Bundler insists on goes before what only tools read; what a lock remembers goes before a range.
pub(super) fn claims(
    sources: &Sources<'_>,
    gemfile: Option<&Gemfile>,
    lock: Option<&Lock>,
) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut ranges = Vec::new();
    if let Some(gemfile) = gemfile
        && let Some(line) = &gemfile.ruby
        && line.engine.is_none()
    {
        let from = gemfile.place(line.line);
        match line.requirements.as_slice() {
            [one] if exact(one).is_some() => {
                claims.extend(exact(one).map(|v| Claim::exactly(v, from)));
            }
            [] => {}
            several => {
                let said = several.join(", ");
                ranges.push(range(&said, &from).unwrap_or_else(|| Claim::unknown(said, from)));
            }
        }
    }
    let files = version_files::only(sources, ".ruby-version")
        .into_iter()
        .chain(version_files::of_tool(sources, "ruby"));
    claims.extend(files.map(|said| said.claim(|version| exact(version).map(str::to_owned))));
    if let Some((lock, (version, line))) = lock.and_then(|lock| Some((lock, lock.ruby.as_ref()?)))
        && let Some(version) = exact(version)
    {
        claims.push(Claim::exactly(version, format!("{}:{line}", lock.file)));
    }
    claims.extend(ranges);
    claims.extend(gemspec(sources));
    claims.extend(of_rails(gemfile, lock));
    claims
}

/// What Rails runs on, where that is not what is usual: each of its versions leaves some of Ruby's behind.
fn of_rails(gemfile: Option<&Gemfile>, lock: Option<&Lock>) -> Option<Claim> {
    let gemfile = gemfile?;
    let gem = gemfile.get("rails")?;
    let locked = lock.and_then(|lock| lock.version("rails"));
    let wanted = locked.or_else(|| gem.requirements.first().map(String::as_str))?;
    let start = wanted.find(|character: char| character.is_ascii_digit())?;
    let mut numbers = wanted[start..].split('.').map(str::parse::<u32>);
    let major = numbers.next()?.ok()?;
    let minor = numbers.next().and_then(Result::ok).unwrap_or(0);
    let (range, ruby) = match (major, minor) {
        (..=4, _) => ("<2.7", "2.6"),
        (5, _) | (6, 0) => ("<3", "2.7"),
        (8.., _) => (">=3.2", "3.2"),
        _ => return None,
    };
    let rails = format!("Rails {major}.{minor}");
    Some(Claim::of_need(&rails, range, ruby, gemfile.place(gem.line)))
}

/// `ruby-3.2.1`, `= 3.2.1`, `3.2.1-p31`, `3.2.1@shop` as `3.2.1`.
fn exact(text: &str) -> Option<&str> {
    let text = text.trim().trim_start_matches("= ");
    let version = text
        .trim_start_matches("ruby-")
        .split(['-', 'p', '@'])
        .next()?;
    version_files::is_dotted(version).then_some(version)
}

fn range(text: &str, from: &str) -> Option<Claim> {
    let chosen = VERSIONS.iter().find_map(|(major, minors, usual)| {
        let minor = versions::choose(text, minors, *usual, Part::MinorOf(*major))?;
        Some(format!("{major}.{minor}"))
    })?;
    Some(Claim::range(text, chosen, from))
}

/// `required_ruby_version = ">= 3.0"`
fn gemspec(sources: &Sources<'_>) -> Option<Claim> {
    let file = sources.name_ending(".gemspec")?;
    let text = sources.text(file)?;
    let (index, line) = text
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains(".required_ruby_version"))?;
    let requirement = line.split(['"', '\'']).nth(1)?;
    range(requirement, &format!("{file}:{}", index + 1))
}
