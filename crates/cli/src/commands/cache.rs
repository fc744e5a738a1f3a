//! The cache: what earlier builds left, how much it is, and what of it may go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use clap::{Args, Subcommand};
use ergon_pack::Cache as Held;
use ergon_pack::cache::{Alone, Entry, Inventory, Kind, Rule, Selection, process_name, select};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::Serialize;
use serde_json::json;

use super::arguments::Format;
use super::packing;
use crate::board::End;
use crate::failure::{Code, Failure, Outcome};
use crate::progress::Steps;
use crate::table::Table;
use crate::{folders, output, style, words};

/// What earlier builds left behind for later ones
#[derive(Debug, Args)]
pub struct Cache {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// Show what is held, how much it is and when it was last used
    Show {
        #[command(flatten)]
        format: Format,
    },
    /// Remove what nothing needs, and what was longest of no use by age and size
    Prune(Prune),
    /// Read every blob, and set aside those whose content is not what their name says
    Verify {
        /// Wait for the builds that use the cache
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Debug, Args)]
struct Prune {
    /// Remove the steps and builds that were of no use for so long: 30d, 12h, 2w
    #[arg(long, value_name = "AGE")]
    older_than: Option<Age>,
    /// Remove steps and builds, the longest unused first, until no more than this is left: 10GB, 500MiB
    #[arg(long, value_name = "SIZE")]
    keep_size: Option<Size>,
    /// Bases too, by the same rules
    #[arg(long)]
    bases: bool,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    /// Wait for the builds that use the cache
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    format: Format,
}

/// How long something was of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Age(SignedDuration);

impl std::str::FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let span: Span = text
            .parse()
            .map_err(|_| "write it as 30d, 12h or 2w".to_owned())?;
        let age = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| "months and years have no one length: count days, as in 30d".to_owned())?;
        if age.is_negative() {
            return Err("an age is not negative".to_owned());
        }
        Ok(Self(age))
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size(u64);

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const UNITS: [(&str, u64); 9] = [
            ("KIB", 1 << 10),
            ("MIB", 1 << 20),
            ("GIB", 1 << 30),
            ("TIB", 1 << 40),
            ("KB", 1_000),
            ("MB", 1_000_000),
            ("GB", 1_000_000_000),
            ("TB", 1_000_000_000_000),
            ("B", 1),
        ];
        let wrong = || "write it as 10GB or 500MiB".to_owned();
        let upper = text.trim().to_ascii_uppercase();
        let (number, factor) = UNITS
            .iter()
            .find_map(|(unit, factor)| Some((upper.strip_suffix(unit)?, *factor)))
            .unwrap_or((&upper, 1));
        let number: u64 = number.trim().parse().map_err(|_| wrong())?;
        number.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
}

/// What the parts of a cache are called, in the order in which they are shown.
const KINDS: [(Kind, &str); 8] = [
    (Kind::Base, "bases"),
    (Kind::Build, "builds"),
    (Kind::Step, "steps"),
    (Kind::Fetched, "fetched packages"),
    (Kind::Latest, "steps' ingredients"),
    (Kind::Inventory, "inventories"),
    (Kind::Referrer, "attestations"),
    (Kind::Tree, "trees"),
];

impl Cache {
    pub fn run(self) -> Outcome {
        match self.command {
            CacheCommand::Show { format } => show(format),
            CacheCommand::Prune(prune) => prune.run(),
            CacheCommand::Verify { wait, format } => verify(wait, format),
        }
    }
}

/// One part of the cache, as `--json` prints it.
#[derive(Serialize)]
struct Part {
    what: &'static str,
    count: usize,
    /// With the blobs that it needs, each once; other parts may need them too.
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<String>,
}

impl Part {
    fn of(kind: Kind, what: &'static str, inventory: &Inventory) -> Self {
        let entries: Vec<&Entry> = inventory
            .entries
            .iter()
            .filter(|entry| entry.kind == kind)
            .collect();
        let needs: BTreeSet<_> = entries.iter().flat_map(|entry| &entry.needs).collect();
        let blobs = needs
            .iter()
            .filter_map(|digest| inventory.blobs.get(digest));
        let own = entries.iter().map(|entry| entry.bytes);
        Self {
            what,
            count: entries.len(),
            bytes: own.chain(blobs.map(|blob| blob.bytes)).sum(),
            oldest: entries.iter().map(|entry| entry.since).min().map(said),
            last_used: entries.iter().map(|entry| entry.last_used).max().map(said),
        }
    }
}

fn said(time: Timestamp) -> String {
    time.to_string()
}

fn show(format: Format) -> Outcome {
    let cache = open()?;
    let inventory = cache.contents().map_err(|error| failure(&error))?;
    let mut parts: Vec<Part> = KINDS
        .iter()
        .map(|(kind, what)| Part::of(*kind, what, &inventory))
        .collect();
    let blobs = &inventory.blobs;
    parts.push(Part {
        what: "blobs",
        count: blobs.len(),
        bytes: blobs.values().map(|blob| blob.bytes).sum(),
        oldest: blobs.values().map(|blob| blob.since).min().map(said),
        last_used: None,
    });
    let leftovers = &inventory.leftovers;
    parts.push(Part {
        what: "leftovers",
        count: leftovers.len(),
        bytes: leftovers.iter().map(|leftover| leftover.bytes).sum(),
        oldest: None,
        last_used: None,
    });
    let unneeded = select(&inventory, &Rule::default(), Timestamp::now());
    let users = cache.users();
    let report = json!({
        "path": cache.root(),
        "bytes": inventory.bytes(),
        "unneeded": unneeded.freed,
        "in_use_by": users,
        "items": parts,
    });
    output::show(format.json, &report, || {
        let path = folders::display(cache.root());
        let mut page = format!(
            "{}   {}",
            style::strong(&path),
            words::size(inventory.bytes())
        );
        if unneeded.freed > 0 {
            let unneeded = words::size(unneeded.freed);
            page.push_str(", ");
            page.push_str(&unneeded);
            page.push_str(" of it of no use: ergon cache prune");
        }
        if !users.is_empty() {
            page.push_str("   in use by ");
            page.push_str(&names(&users));
        }
        page.push_str("\n\n");
        page.push_str(&table(&parts));
        page
    })
}

fn table(parts: &[Part]) -> String {
    let mut table = Table::new(["WHAT", "COUNT", "SIZE", "OLDEST", "LAST USED"]);
    let ago = |time: &Option<String>| {
        let time = time.as_ref();
        time.map_or_else(String::new, |time| words::ago(time, Timestamp::now()))
    };
    for part in parts.iter().filter(|part| part.count > 0) {
        table.row([
            part.what.to_owned(),
            part.count.to_string(),
            words::size(part.bytes),
            ago(&part.oldest),
            ago(&part.last_used),
        ]);
    }
    if table.is_empty() {
        return "It is empty.\n".to_owned();
    }
    table.render(output::width())
}

impl Prune {
    fn run(self) -> Outcome {
        let cache = open()?;
        let alone = if self.dry_run {
            None
        } else {
            Some(alone(&cache, self.wait, "prune")?)
        };
        let inventory = cache.contents().map_err(|error| failure(&error))?;
        let rule = Rule {
            older_than: self.older_than.map(|Age(age)| age),
            keep_bytes: self.keep_size.map(|Size(bytes)| bytes),
            bases: self.bases,
        };
        let selection = select(&inventory, &rule, Timestamp::now());
        let going = going(&inventory, &selection);
        let nothing = going.values().all(|count| *count == 0);
        if let Some(alone) = &alone
            && !nothing
        {
            output::note(&format!("removing {}", listed(&going)));
            cache
                .remove(&inventory, &selection, alone)
                .map_err(|error| failure(&error))?;
        }
        if selection.too_much {
            let more = if self.bases {
                ""
            } else {
                "; --bases lets them go too"
            };
            output::note(&format!(
                "{} what is left is more than was to be kept, and bases need it{more}",
                style::warning("note:")
            ));
        }
        let report = json!({
            "dry_run": self.dry_run,
            "freed": selection.freed,
            "kept": selection.kept,
            "removed": going,
        });
        output::show(self.format.json, &report, || {
            let kept = words::size(selection.kept);
            let freed = style::strong(&words::size(selection.freed));
            match (nothing, self.dry_run) {
                (true, _) => format!("Nothing to remove: {kept} are held.\n"),
                (_, true) => format!(
                    "{freed} would be freed, {kept} kept: {} would go\n",
                    listed(&going)
                ),
                (_, false) => format!("{freed} freed, {kept} kept\n"),
            }
        })
    }
}

/// How many of what go.
fn going(inventory: &Inventory, selection: &Selection) -> BTreeMap<&'static str, usize> {
    let mut going = BTreeMap::new();
    for (kind, what) in KINDS {
        let entries = selection.entries.iter();
        let count = entries.filter(|index| inventory.entries[**index].kind == kind);
        going.insert(what, count.count());
    }
    going.insert("blobs", selection.blobs.len());
    going.insert("leftovers", inventory.leftovers.len());
    going
}

fn listed(going: &BTreeMap<&'static str, usize>) -> String {
    let going = going.iter().filter(|(_, count)| **count > 0);
    let parts: Vec<String> = going
        .map(|(what, count)| match what.strip_suffix('s') {
            Some(one) if *count == 1 => format!("1 {one}"),
            _ => format!("{count} {what}"),
        })
        .collect();
    parts.join(", ")
}

fn verify(wait: bool, format: Format) -> Outcome {
    let cache = open()?;
    let steps = Steps::start(false);
    let begun = Instant::now();
    let (damaged, blobs, bytes) = {
        let using = cache.in_use().map_err(|error| failure(&error))?;
        let inventory = using.contents().map_err(|error| failure(&error))?;
        let path = folders::display(cache.root());
        steps.heading(&format!("verify {}", style::strong(&path)));
        let what = words::count(inventory.blobs.len(), "blob");
        steps.begin(0, "read", &what);
        let mut bytes = 0;
        let damaged = using.check(&inventory, |read| bytes += read);
        (damaged, inventory.blobs.len(), bytes)
    };
    steps.end(
        0,
        End {
            state: if damaged.is_empty() { "done" } else { "failed" }.to_owned(),
            summary: Some(words::size(bytes)),
            milliseconds: u64::try_from(begun.elapsed().as_millis()).ok(),
        },
    );
    steps.finish();
    for blob in &damaged {
        output::note(&words::on_one_line(&blob.reason));
    }
    let moved = if damaged.is_empty() {
        Vec::new()
    } else {
        let alone = alone(&cache, wait, "verify")?;
        cache
            .set_aside(&damaged, &alone)
            .map_err(|error| failure(&error))?
    };
    let report = json!({
        "blobs": blobs,
        "bytes": bytes,
        "damaged": damaged.iter().map(|blob| blob.digest.to_string()).collect::<Vec<_>>(),
        "set_aside": moved,
    });
    output::show(format.json, &report, || {
        let all = format!("{}, {}", words::count(blobs, "blob"), words::size(bytes));
        if damaged.is_empty() {
            return format!("{} is whole   {all}\n", style::strong("The cache"));
        }
        format!(
            "{} of {all} damaged and set aside in {}\nThe next build makes or brings them anew.\n",
            words::count(damaged.len(), "blob"),
            folders::display(&cache.root().join("quarantine"))
        )
    })?;
    if damaged.is_empty() {
        Ok(())
    } else {
        Err(Failure::Told(Code::Failed))
    }
}

/// The cache to oneself, or who has to end first.
fn alone(cache: &Held, wait: bool, command: &str) -> Outcome<Alone> {
    match cache.alone().map_err(|error| failure(&error))? {
        Some(alone) => Ok(alone),
        None if wait => {
            let users = names(&cache.users());
            output::note(&format!("waiting for {users}, which use the cache"));
            cache.wait_until_alone().map_err(|error| failure(&error))
        }
        None => Err(
            Failure::new(format!("the cache is in use by {}", names(&cache.users()))).with_remedy(
                format!(
                    "try again when that has ended, or wait for it: ergon cache {command} --wait"
                ),
            ),
        ),
    }
}

/// `ergon (4242), ergon (4243)`.
fn names(users: &[u32]) -> String {
    if users.is_empty() {
        return "a process that cannot be seen from here".to_owned();
    }
    let names = users.iter().map(|process| {
        let name = process_name(*process).unwrap_or_else(|| "process".to_owned());
        format!("{} ({process})", words::on_one_line(&name))
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The cache without a claim to what is in it.
fn open() -> Outcome<Held> {
    Held::open(folders::cache()?).map_err(|error| failure(&error))
}

fn failure(error: &ergon_pack::CacheError) -> Failure {
    packing::cache_failure(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes_are_written_as_people_do() {
        let age = |text: &str| text.parse::<Age>().map(|Age(age)| age.as_hours());
        assert_eq!(age("30d"), Ok(720));
        assert_eq!(age("12h"), Ok(12));
        assert_eq!(age("2w"), Ok(336));
        for wrong in ["", "30", "1month", "-3d", "soon"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
        let size = |text: &str| text.parse::<Size>().map(|Size(bytes)| bytes);
        assert_eq!(size("10GB"), Ok(10_000_000_000));
        assert_eq!(size("500 MiB"), Ok(500 << 20));
        assert_eq!(size("2kb"), Ok(2_000));
        assert_eq!(size("0"), Ok(0));
        for wrong in ["", "GB", "-1GB", "1.5GB", "99999999999999TB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
