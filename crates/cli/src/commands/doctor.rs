//! Doctor: what is unsafe in this installation, and how to mend it.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::arguments::{Format, Stack};
use crate::client::Client;
use crate::doctor::{self, Diagnosis, facts::Unknown};
use crate::failure::{Code, Failure, Outcome};
use crate::{folders, output, report};

/// Say what is unsafe in this installation and how to mend it; exit code 1 where something is
#[derive(Debug, Args)]
pub struct Doctor {
    /// A checkpoint of the audit log that was kept elsewhere; may be repeated
    #[arg(long = "checkpoint", value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    stack: Stack,
}

impl Doctor {
    pub async fn run(self) -> Outcome {
        let data = folders::data(self.stack.data.as_deref())?;
        if !data.is_dir() {
            let what = format!("there is no data folder {}", folders::display(&data));
            return Err(Failure::new(what)
                .with_remedy("`ergon up` makes one; --data names another".to_owned())
                .as_usage());
        }
        let checkpoints = self.checkpoints.iter().map(|file| {
            fs::read_to_string(file).map_err(|error| {
                let (file, reason) = (folders::display(file), folders::reason(&error));
                Failure::new(format!("{file} cannot be read: {reason}")).as_usage()
            })
        });
        let checkpoints = checkpoints.collect::<Outcome<Vec<String>>>()?;
        let client = self.client(&data);
        let facts = doctor::gather(&data, client, checkpoints).await;
        let diagnosis = doctor::diagnose(&facts);
        self.show(&diagnosis)?;
        if diagnosis.findings.is_empty() {
            Ok(())
        } else {
            Err(Failure::Told(Code::Failed))
        }
    }

    /// The stack of this data folder, and no other: it is this installation that is looked at.
    fn client(&self, data: &std::path::Path) -> Result<Client, Unknown> {
        let address = crate::address::Address::of_folder(data, self.stack.ca.as_deref());
        let client = address.and_then(Client::new);
        client.map_err(|failure| doctor::said(&failure))
    }

    fn show(&self, diagnosis: &Diagnosis) -> Outcome {
        output::show(self.format.json, diagnosis, || {
            report::doctor::show(diagnosis)
        })
    }
}
