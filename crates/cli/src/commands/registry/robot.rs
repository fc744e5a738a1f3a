//! Robots: programs that use the image registry, and with a role the rest of the API, under a name and a secret of their own.

use clap::{Args, Subcommand};
use ergon_server::api::{AddRobot, List, Robot as Entry, RobotSecret};
use jiff::Timestamp;
use reqwest::Method;

use crate::client::Client;
use crate::commands::arguments::Format;
use crate::failure::Outcome;
use crate::report::robots;
use crate::{output, words};

const ROBOTS: [&str; 3] = ["api", "v1", "robots"];

/// Programs that push and pull, and with a role do more, under a name and a secret of their own
#[derive(Debug, Args)]
pub struct Robot {
    #[command(subcommand)]
    command: RobotCommand,
}

#[derive(Debug, Subcommand)]
enum RobotCommand {
    /// Add a robot and print its secret, which is shown this once
    Add {
        /// The user name it signs in with: small letters, digits, `-`, `_` and `.`
        name: String,
        /// What it may do where: app:pull, 'team/*:pull,push', '*:*'; may be repeated
        #[arg(
            long = "allow",
            value_name = "REPOSITORIES:VERBS",
            required_unless_present = "role"
        )]
        allow: Vec<String>,
        /// What it is for the rest of the API, where its secret is a token: developer, viewer, …; may be repeated
        #[arg(long = "role", value_name = "ROLE")]
        role: Vec<String>,
        /// Let it end after so many days [default: it does not end]
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        about: String,
        #[command(flatten)]
        format: Format,
    },
    /// List the robots
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show one robot
    Show {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Give a robot another secret and print it; the old one is worth nothing from then on
    Rotate {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Remove robots; what they were given is worth nothing from then on
    Remove {
        #[arg(required = true)]
        names: Vec<String>,
    },
}

impl Robot {
    pub async fn run(self, client: &Client) -> Outcome {
        match self.command {
            RobotCommand::Add {
                name,
                allow,
                role,
                days,
                about,
                format,
            } => {
                let wanted = AddRobot {
                    name,
                    about,
                    allow,
                    days,
                    roles: role,
                };
                let added: RobotSecret = client.post(&ROBOTS, &wanted).await?;
                show_secret(client, &added, format)
            }
            RobotCommand::List { format } => {
                let list: List<Entry> = client.get(&ROBOTS).await?;
                output::show(format.json, &list, || {
                    robots::list(&list.items, Timestamp::now(), output::width())
                })
            }
            RobotCommand::Show { name, format } => {
                let robot: Entry = client.get(&of(&name)).await?;
                output::show(format.json, &robot, || robots::show(&robot))
            }
            RobotCommand::Rotate { name, format } => {
                let path = [&of(&name)[..], &["secret"]].concat();
                let rotated: RobotSecret = client.post_empty(&path).await?;
                show_secret(client, &rotated, format)
            }
            RobotCommand::Remove { names } => {
                for name in &names {
                    client.send(Method::DELETE, &of(name)).await?;
                    output::print(&format!("{} is removed\n", words::harmless(name)))?;
                }
                Ok(())
            }
        }
    }
}

fn of(name: &str) -> [&str; 4] {
    let [api, version, robots] = ROBOTS;
    [api, version, robots, name]
}

fn show_secret(client: &Client, robot: &RobotSecret, format: Format) -> Outcome {
    let url = &client.address().url;
    let registry = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.to_string(),
    };
    output::show(format.json, robot, || robots::secret(robot, &registry))
}
