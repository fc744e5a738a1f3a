//! The stack's own authority: what vouches for the stack and its companions.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ergon_server::AuthorityError;
use ergon_server::api::{Authority, GivenCertificate, IssuedCertificate, List, RequestCertificate};
use futures_util::StreamExt as _;
use rcgen::{CertificateParams, KeyPair};

use super::arguments::{Format, Stack};
use crate::failure::{Failure, Outcome};
use crate::report::certificates;
use crate::table::labelled;
use crate::{folders, output, style};

const CERTIFICATES: [&str; 3] = ["api", "v1", "certificates"];
const AUTHORITY: [&str; 3] = ["api", "v1", "ca"];

/// The stack's own authority: what vouches for the stack and its companions
#[derive(Debug, Args)]
pub struct Ca {
    #[command(subcommand)]
    command: CaCommand,
    #[command(flatten)]
    stack: Stack,
}

#[derive(Debug, Subcommand)]
enum CaCommand {
    /// Say for how long it is good, and whether the root's key is kept elsewhere
    Show {
        #[command(flatten)]
        format: Format,
    },
    /// Print its certificate, for whoever is to trust this stack
    Certificate,
    /// List the certificates it gave, the newest first
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Make a key, and have a certificate for a companion that is registered; both go into one file
    Issue {
        /// The companion
        name: String,
        /// The file to write, which must not be there
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Have a certificate refused from now on
    Revoke {
        /// Its serial number, as `ergon ca list` shows it
        serial: String,
    },
    /// Move the root's key out of the data folder; the stack goes on without it for up to a year
    ExportKey {
        /// The file to write, which must not be there: on a disk that is not left in the machine
        file: PathBuf,
    },
    /// Make anew what issues certificates, with the root's key from where it is kept
    Renew {
        /// The file that `ergon ca export-key` wrote
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
}

impl Ca {
    pub async fn run(self) -> Outcome {
        match self.command {
            CaCommand::Show { format } => {
                let path = [&AUTHORITY[..], &["state"]].concat();
                let authority: Authority = self.stack.client()?.get(&path).await?;
                output::show(format.json, &authority, || show(&authority))
            }
            CaCommand::Certificate => {
                let client = self.stack.client()?;
                let mut pieces = client.download(&AUTHORITY, &[]).await?;
                let mut pem = Vec::new();
                while let Some(piece) = pieces.next().await {
                    pem.extend_from_slice(&piece?);
                }
                output::print_plain(String::from_utf8_lossy(&pem).trim_end())
            }
            CaCommand::List { format } => {
                let listed: List<GivenCertificate> =
                    self.stack.client()?.get(&CERTIFICATES).await?;
                output::show(format.json, &listed, || {
                    certificates::list(&listed.items, output::width())
                })
            }
            CaCommand::Issue { name, out, format } => issue(&self.stack, name, &out, format).await,
            CaCommand::Revoke { serial } => {
                let path = [&CERTIFICATES[..], &[serial.as_str()]].concat();
                let client = self.stack.client()?;
                client.send(reqwest::Method::DELETE, &path).await
            }
            CaCommand::ExportKey { file } => {
                let authority = authority(&self.stack)?;
                authority
                    .export_root_key(&file)
                    .map_err(|error| failure(&error))?;
                let kept = folders::display(&file);
                output::print(&format!(
                    "The root's key is in {kept} and nowhere else. Within a year:  {}\n",
                    style::link("ergon ca renew --key FILE")
                ))
            }
            CaCommand::Renew { key } => {
                let authority = authority(&self.stack)?;
                let now = jiff::Timestamp::now().as_second();
                let until = authority
                    .renew(&key, now)
                    .map_err(|error| failure(&error))?;
                let until = jiff::Timestamp::from_second(until).unwrap_or_default();
                output::print(&format!("What issues certificates is good until {until}\n"))
            }
        }
    }
}

/// The authority in the data folder; the stack need not run.
fn authority(stack: &Stack) -> Outcome<ergon_server::Authority> {
    let data = folders::data(stack.data.as_deref())?;
    ergon_server::Authority::existing(&data).map_err(|error| failure(&error))
}

fn failure(error: &AuthorityError) -> Failure {
    Failure::from_error(error).with_remedy(error.remedy())
}

async fn issue(stack: &Stack, name: String, out: &Path, format: Format) -> Outcome {
    let not_made = |error: rcgen::Error| Failure::new(format!("no key could be made: {error}"));
    let key = KeyPair::generate().map_err(not_made)?;
    let request = CertificateParams::default()
        .serialize_request(&key)
        .and_then(|request| request.pem())
        .map_err(not_made)?;
    // Before anything is given that could not be kept.
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(out)
        .map_err(|error| not_written(out, &error))?;
    let wanted = RequestCertificate { name, request };
    let given = async {
        let given: IssuedCertificate = stack.client()?.post(&CERTIFICATES, &wanted).await?;
        file.write_all(given.certificate.as_bytes())
            .and_then(|()| file.write_all(key.serialize_pem().as_bytes()))
            .and_then(|()| file.sync_all())
            .map_err(|error| not_written(out, &error))?;
        Ok(given)
    };
    match given.await {
        Ok(given) => output::show(format.json, &given, || {
            format!(
                "{}   until {}   in {}\n",
                style::strong(&given.identity),
                given.not_after,
                folders::display(out)
            )
        }),
        Err(failure) => {
            // Half a file would only stand in the way.
            let _ = fs::remove_file(out);
            Err(failure)
        }
    }
}

fn not_written(out: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!(
        "{} cannot be written: {}",
        folders::display(out),
        folders::reason(error)
    ))
    .with_remedy("name another file with --out".to_owned())
}

fn show(authority: &Authority) -> String {
    let key = if authority.has_root_key {
        "in the data folder; `ergon ca export-key` moves it elsewhere"
    } else {
        "kept elsewhere"
    };
    labelled(&[
        ("identities", &format!("{}/…", authority.trust_domain)),
        ("SHA-256", &authority.fingerprint),
        ("root until", &authority.root_expires_at),
        ("issuing until", &authority.issuing_expires_at),
        ("root's key", key),
    ])
}
