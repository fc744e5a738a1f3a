//! Repositories of the image registry, and how they are kept.

use clap::{Args, Subcommand, ValueEnum};
use ergon_server::api::{ChangeRepository, List, Repository as Entry};
use jiff::Timestamp;

use crate::client::Client;
use crate::commands::arguments::Format;
use crate::failure::Outcome;
use crate::output;
use crate::report::repositories;

const REPOSITORIES: [&str; 3] = ["api", "v1", "repositories"];

/// Repositories of the image registry, and how they are kept
#[derive(Debug, Args)]
pub struct Repository {
    #[command(subcommand)]
    command: RepositoryCommand,
}

#[derive(Debug, Subcommand)]
enum RepositoryCommand {
    /// List the repositories
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show how one repository is kept
    Show {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Keep a repository otherwise, also one that is to be
    Set {
        name: String,
        /// Whether anybody may pull, without a name and a secret
        #[arg(
            long,
            value_name = "on|off",
            required_unless_present = "immutable_tags"
        )]
        anonymous_pull: Option<Switch>,
        /// Whether a tag that is there stays what it is; the tag of a build always does
        #[arg(long, value_name = "on|off")]
        immutable_tags: Option<Switch>,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Switch {
    fn is_on(self) -> bool {
        self == Self::On
    }
}

impl Repository {
    pub async fn run(self, client: &Client) -> Outcome {
        match self.command {
            RepositoryCommand::List { format } => {
                let list = all(client).await?;
                output::show(format.json, &list, || {
                    repositories::list(&list.items, Timestamp::now(), output::width())
                })
            }
            RepositoryCommand::Show { name, format } => {
                let repository: Entry = client.get(&of(&name)).await?;
                output::show(format.json, &repository, || repositories::show(&repository))
            }
            RepositoryCommand::Set {
                name,
                anonymous_pull,
                immutable_tags,
                format,
            } => {
                let wanted = ChangeRepository {
                    anonymous_pull: anonymous_pull.map(Switch::is_on),
                    immutable_tags: immutable_tags.map(Switch::is_on),
                };
                let repository: Entry = client.patch(&of(&name), &wanted).await?;
                output::show(format.json, &repository, || repositories::show(&repository))
            }
        }
    }
}

fn of(name: &str) -> [&str; 4] {
    let [api, version, repositories] = REPOSITORIES;
    [api, version, repositories, name]
}

/// Page after page, until one is empty.
async fn all(client: &Client) -> Outcome<List<Entry>> {
    let mut items: Vec<Entry> = Vec::new();
    loop {
        let after = items.last().map_or("", |entry| entry.name.as_str());
        let page: List<Entry> = client.get_with(&REPOSITORIES, &[("after", after)]).await?;
        if page.items.is_empty() {
            return Ok(List { items });
        }
        items.extend(page.items);
    }
}
