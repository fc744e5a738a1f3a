//! Keeping the registry: removing what nobody needs, finding what is damaged.

use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Instant;

use clap::Args;
use ergon_server::api::{CheckProgress, CollectGarbage, Collection, ContentCheck, Damage, Problem};
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::arguments::Format;
use crate::board::End;
use crate::client::Client;
use crate::failure::{Code, Failure, Outcome};
use crate::progress::Steps;
use crate::sse::StreamEvent;
use crate::{output, style, words};

/// So many tags, repositories and builds are shown on a line.
const SHOWN: usize = 5;

/// Remove what nobody needs
#[derive(Debug, Args)]
pub struct Collect {
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    /// What came, was used or lost its tag within this time stays: 12h, 7d [default: 24h]
    #[arg(long, value_name = "TIME")]
    grace: Option<Grace>,
    #[command(flatten)]
    format: Format,
}

/// Read all content, and set aside what is damaged
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    format: Format,
}

/// For how long something is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grace(u64);

impl FromStr for Grace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let span: Span = text
            .parse()
            .map_err(|_| "write it as 12h, 30m or 7d".to_owned())?;
        let time: SignedDuration = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| "months and years have no one length: count days, as in 30d".to_owned())?;
        u64::try_from(time.as_secs())
            .map(Self)
            .map_err(|_| "a time is not negative".to_owned())
    }
}

impl Collect {
    pub async fn run(self, client: &Client) -> Outcome {
        let wanted = CollectGarbage {
            dry_run: self.dry_run,
            grace_seconds: self.grace.map(|Grace(seconds)| seconds),
        };
        let path = ["api", "v1", "registry-upkeep", "collection"];
        let mut events = client.post_stream(&path, &wanted).await?;
        while let Some(event) = events.next().await {
            let event = event?;
            match event.name.as_str() {
                "plan" if !self.dry_run => {
                    let plan: Collection = parsed(&event)?;
                    if !is_nothing(&plan) {
                        output::note(&format!("removing {}", listed(&plan)));
                    }
                }
                "end" => {
                    let done: Collection = parsed(&event)?;
                    for note in &done.notes {
                        let note = words::on_one_line(note);
                        output::note(&format!("{} {note}", style::warning("note:")));
                    }
                    return output::show(self.format.json, &done, || told(&done));
                }
                _ => failed(&event)?,
            }
        }
        Err(broken_off())
    }
}

impl Check {
    pub async fn run(self, client: &Client) -> Outcome {
        let path = ["api", "v1", "registry-upkeep", "check"];
        let mut events = client.post_stream(&path, &json!({})).await?;
        let steps = Steps::start(false);
        let begun = Instant::now();
        steps.heading("check the registry's content");
        steps.begin(0, "read", "");
        let mut found = Vec::new();
        let check = loop {
            let Some(event) = events.next().await else {
                return Err(broken_off());
            };
            let event = event?;
            match event.name.as_str() {
                "progress" => steps.log(0, so_far(&parsed(&event)?)),
                "damaged" => found.push(parsed::<Damage>(&event)?),
                "end" => break parsed::<ContentCheck>(&event)?,
                _ => failed(&event)?,
            }
        };
        let is_whole = check.found == 0;
        steps.end(
            0,
            End {
                state: if is_whole { "done" } else { "failed" }.to_owned(),
                summary: Some(words::size(check.bytes)),
                milliseconds: u64::try_from(begun.elapsed().as_millis()).ok(),
            },
        );
        steps.finish();
        output::show(self.format.json, &check, || report(&check, &found))?;
        if is_whole {
            Ok(())
        } else {
            Err(Failure::Told(Code::Failed))
        }
    }
}

fn parsed<T: DeserializeOwned>(event: &StreamEvent) -> Outcome<T> {
    serde_json::from_str(&event.data).map_err(|error| {
        Failure::new(format!("the stack's answer could not be understood: {error}"))
            .with_remedy("the stack may be of another version; compare `ergon --version` with `ergon status --json`".to_owned())
    })
}

/// What a newer stack tells beside it is passed over.
fn failed(event: &StreamEvent) -> Outcome {
    if event.name != "failed" {
        return Ok(());
    }
    let problem: Problem = parsed(event)?;
    Err(Failure::new(problem.detail).with_remedy(problem.remedy))
}

fn broken_off() -> Failure {
    Failure::new("the stack ended before it was done")
        .with_remedy("`ergon status` says whether it runs; what was removed is whole".to_owned())
}

fn is_nothing(collection: &Collection) -> bool {
    collection.manifests + collection.blobs + collection.contents + collection.unfinished == 0
}

/// `3 manifests, 12 blobs of repositories, 9 files of content (1.2 GB)`.
fn listed(of: &Collection) -> String {
    let mut parts = Vec::new();
    if of.manifests > 0 {
        parts.push(counted(of.manifests, "manifest"));
    }
    if of.blobs > 0 {
        parts.push(format!("{} of repositories", counted(of.blobs, "blob")));
    }
    if of.contents > 0 {
        let size = words::size(of.bytes);
        parts.push(format!(
            "{} of content ({size})",
            counted(of.contents, "file")
        ));
    }
    if of.unfinished > 0 {
        parts.push(counted(of.unfinished, "half-written file"));
    }
    parts.join(", ")
}

fn counted(count: u64, noun: &str) -> String {
    words::count(usize::try_from(count).unwrap_or(usize::MAX), noun)
}

fn told(of: &Collection) -> String {
    if is_nothing(of) {
        return "Nothing to remove: everything is needed, or came lately.\n".to_owned();
    }
    let freed = style::strong(&words::size(of.bytes.saturating_sub(of.shared_bytes)));
    let mut page = if of.dry_run {
        format!("{freed} would be freed: {} would go\n", listed(of))
    } else {
        format!("{freed} freed: {} went\n", listed(of))
    };
    if of.shared_bytes > 0 {
        let shared = words::size(of.shared_bytes);
        let _ = writeln!(
            page,
            "{shared} of it stay on the disk, since the build cache holds them too: ergon cache prune"
        );
    }
    for repository in &of.repositories {
        let _ = writeln!(
            page,
            "  {}   {}, {}",
            words::on_one_line(&repository.name),
            counted(repository.manifests, "manifest"),
            counted(repository.blobs, "blob"),
        );
    }
    page
}

fn so_far(progress: &CheckProgress) -> String {
    let found = match progress.found {
        0 => String::new(),
        found => format!(", {found} damaged"),
    };
    format!(
        "{} of {}{found}",
        words::size(progress.bytes),
        words::size(progress.of_bytes)
    )
}

fn report(check: &ContentCheck, found: &[Damage]) -> String {
    let all = format!(
        "{}, {}",
        counted(check.contents, "file"),
        words::size(check.bytes)
    );
    if check.found == 0 {
        return format!("{} is whole   {all}\n", style::strong("The registry"));
    }
    let mut page = String::new();
    for damage in found {
        let state = if damage.healed {
            style::good("healed from the build cache")
        } else {
            style::bad("lost until it is pushed or built again")
        };
        let _ = writeln!(
            page,
            "{}   {}: {}   {state}",
            damage.digest,
            damage.state,
            words::on_one_line(&damage.reason)
        );
        for repository in damage.repositories.iter().take(SHOWN) {
            let tags = match repository.tags.len() {
                0 => "no tag".to_owned(),
                _ => few(&repository.tags),
            };
            let name = words::on_one_line(&repository.name);
            let _ = writeln!(page, "  of {name}: {tags}");
        }
        if damage.repositories.len() > SHOWN {
            let more = damage.repositories.len() - SHOWN;
            let _ = writeln!(page, "  and of {more} repositories more");
        }
        if !damage.builds.is_empty() {
            let builds: Vec<String> = damage
                .builds
                .iter()
                .map(|hash| words::short(hash).to_owned())
                .collect();
            let _ = writeln!(page, "  made by build {}", few(&builds));
        }
        if let Some(path) = &damage.quarantined {
            let _ = writeln!(page, "  set aside as {}", words::on_one_line(path));
        }
    }
    if check.found > found.len() as u64 {
        let more = check.found - found.len() as u64;
        let _ = writeln!(page, "and {more} more");
    }
    let _ = writeln!(
        page,
        "{} of {all} damaged or missing, {} healed",
        check.found, check.healed
    );
    page
}

fn few(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| words::on_one_line(name))
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
