//! Secrets: set, granted, and never printed.

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use ergon_server::api::{
    DestroySecret, GrantSecret, List, Secret as Entry, SecretKey, SecretVersion, SetSecret,
};
use jiff::Timestamp;
use reqwest::Method;

use super::arguments::{Format, Stack};
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::report::secrets;
use crate::{output, words};

const SECRETS: [&str; 3] = ["api", "v1", "secrets"];
/// A longer secret is none; one byte more shows that.
const LONGEST: u64 = (64 << 10) + 1;

/// What containers and build steps need and nobody else may know
#[derive(Debug, Args)]
pub struct Secret {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: SecretCommand,
}

#[derive(Debug, Subcommand)]
enum SecretCommand {
    /// Have a secret say what standard input or a file holds; a new version, where there is one already
    Set {
        /// Small letters, digits and dashes: db-password
        name: String,
        #[arg(hide = true)]
        value: Option<String>,
        /// The file that holds it [default: standard input]
        #[arg(long, value_name = "FILE")]
        from_file: Option<PathBuf>,
        /// Keep the end of its only line, too
        #[arg(long)]
        exact: bool,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        /// Give it to nobody any more after so many days [default: it does not end]
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
        #[command(flatten)]
        format: Format,
    },
    /// List the secrets, without what they say
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show one secret and who may use it, without what it says
    Show {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// List the versions of a secret, the newest first
    Versions {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Forget what an earlier version says
    Destroy {
        name: String,
        version: u64,
        #[command(flatten)]
        format: Format,
    },
    /// Remove secrets with all their versions and grants
    Remove {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Let the containers of a project use a secret, or one of them, or its build steps
    Grant {
        name: String,
        #[command(flatten)]
        to: Whom,
        #[command(flatten)]
        format: Format,
    },
    /// Take a grant back; what runs with the secret keeps it until it is started anew
    Revoke {
        name: String,
        #[command(flatten)]
        to: Whom,
        #[command(flatten)]
        format: Format,
    },
    /// Say what secrets are sealed under
    Key {
        #[command(flatten)]
        format: Format,
    },
    /// Seal every secret under a new key, and forget the one of before
    RotateKey {
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Debug, Args)]
struct Whom {
    /// The project: its name or id
    #[arg(long, value_name = "PROJECT")]
    project: String,
    /// One of its containers, as the manifest names it [default: all of them]
    #[arg(long, value_name = "NAME", conflicts_with = "build")]
    container: Option<String>,
    /// Its build steps instead; with a name, those of one application
    #[arg(long, value_name = "APPLICATION", num_args = 0..=1, default_missing_value = "")]
    build: Option<String>,
}

impl Whom {
    fn grant(self) -> GrantSecret {
        let (kind, part) = match (self.container, self.build) {
            (Some(container), _) => ("container", Some(container)),
            (None, Some(application)) => ("build", Some(application)),
            (None, None) => ("project", None),
        };
        GrantSecret {
            kind: kind.to_owned(),
            project: self.project,
            part: part.filter(|part| !part.is_empty()),
        }
    }
}

impl Secret {
    pub async fn run(self) -> Outcome {
        let client = &self.stack.client()?;
        match self.command {
            SecretCommand::Set {
                name,
                value,
                from_file,
                exact,
                note,
                days,
                format,
            } => {
                if value.is_some() {
                    return Err(Failure::new("a secret is never an argument: everybody on this machine could read it there, and your shell has written it down").with_remedy(
                        format!("take it for known, and give another:  ergon secret set {} --from-file FILE", words::on_one_line(&name)),
                    ).as_usage());
                }
                let (value, value_base64) = forms(read(from_file, exact)?);
                let wanted = SetSecret {
                    value,
                    value_base64,
                    note,
                    days,
                };
                let set: Entry = client.put(&of(&name), &wanted).await?;
                output::show(format.json, &set, || secrets::set(&set))
            }
            SecretCommand::List { format } => {
                let list: List<Entry> = client.get(&SECRETS).await?;
                output::show(format.json, &list, || {
                    secrets::list(&list.items, Timestamp::now(), output::width())
                })
            }
            SecretCommand::Show { name, format } => {
                let secret: Entry = client.get(&of(&name)).await?;
                output::show(format.json, &secret, || secrets::show(&secret))
            }
            SecretCommand::Versions { name, format } => {
                let versions = versions(client, &name).await?;
                output::show(format.json, &versions, || {
                    secrets::versions(&versions.items, output::width())
                })
            }
            SecretCommand::Destroy {
                name,
                version,
                format,
            } => {
                let path = [&of(&name)[..], &["destroy"]].concat();
                client
                    .post_nothing(&path, &DestroySecret { version })
                    .await?;
                let versions = versions(client, &name).await?;
                output::show(format.json, &versions, || {
                    secrets::versions(&versions.items, output::width())
                })
            }
            SecretCommand::Remove { names } => {
                for name in &names {
                    client.send(Method::DELETE, &of(name)).await?;
                    output::print(&format!("{} is removed\n", words::harmless(name)))?;
                }
                Ok(())
            }
            SecretCommand::Grant { name, to, format } => {
                let path = [&of(&name)[..], &["grants"]].concat();
                let secret: Entry = client.post(&path, &to.grant()).await?;
                output::show(format.json, &secret, || secrets::show(&secret))
            }
            SecretCommand::Revoke { name, to, format } => {
                let path = [&of(&name)[..], &["grants"]].concat();
                let grant = to.grant();
                let mut query = vec![("kind", grant.kind.as_str()), ("project", &grant.project)];
                query.extend(grant.part.as_deref().map(|part| ("part", part)));
                let secret: Entry = client.delete_with(&path, &query).await?;
                output::show(format.json, &secret, || secrets::show(&secret))
            }
            SecretCommand::Key { format } => {
                let key: SecretKey = client.get(&["api", "v1", "secret-key"]).await?;
                output::show(format.json, &key, || secrets::key(&key))
            }
            SecretCommand::RotateKey { format } => {
                let path = ["api", "v1", "secret-key", "rotate"];
                let key: SecretKey = client.post_empty(&path).await?;
                output::show(format.json, &key, || secrets::key(&key))
            }
        }
    }
}

fn of(name: &str) -> [&str; 4] {
    let [api, version, secrets] = SECRETS;
    [api, version, secrets, name]
}

async fn versions(client: &Client, name: &str) -> Outcome<List<SecretVersion>> {
    client.get(&[&of(name)[..], &["versions"]].concat()).await
}

/// What a file or standard input holds. It is shown nowhere.
fn read(file: Option<PathBuf>, exact: bool) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(path) = file {
        let opened = std::fs::File::open(&path);
        let read = opened.and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
        read.map_err(|error| Failure::new(format!("{} cannot be read: {error}", path.display())))?;
    } else {
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            return Err(
                Failure::new("standard input is a terminal, which would show the secret")
                    .with_remedy(
                        "ergon secret set NAME --from-file FILE, or … | ergon secret set NAME"
                            .to_owned(),
                    ),
            );
        }
        let read = stdin.lock().take(LONGEST).read_to_end(&mut bytes);
        read.map_err(|error| Failure::new(format!("standard input cannot be read: {error}")))?;
    }
    Ok(if exact { bytes } else { without_end(bytes) })
}

/// A single line is meant without its end: programs that write one line write that, too.
fn without_end(mut bytes: Vec<u8>) -> Vec<u8> {
    let first_end = bytes.iter().position(|byte| *byte == b'\n');
    if first_end.is_some_and(|end| end + 1 == bytes.len()) {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    bytes
}

/// As text where it is some, else in base64.
fn forms(bytes: Vec<u8>) -> (Option<String>, Option<String>) {
    match String::from_utf8(bytes) {
        Ok(text) => (Some(text), None),
        Err(error) => (None, Some(STANDARD.encode(error.as_bytes()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_meant_without_its_end_and_more_are_meant_as_they_are() {
        for (given, meant) in [
            ("word", "word"),
            ("word\n", "word"),
            ("word\r\n", "word"),
            ("\n", ""),
            ("a\nb\n", "a\nb\n"),
            ("a\nb", "a\nb"),
            ("word\n\n", "word\n\n"),
        ] {
            assert_eq!(
                without_end(given.as_bytes().to_vec()),
                meant.as_bytes(),
                "{given:?}"
            );
        }
    }

    #[test]
    fn what_is_no_text_goes_as_base64() {
        assert_eq!(forms(b"a\0b".to_vec()), (Some("a\0b".to_owned()), None));
        assert_eq!(forms(vec![0xff]), (None, Some("/w==".to_owned())));
    }
}
