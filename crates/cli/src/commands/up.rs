//! Up: turns this machine into a stack.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use ergon_server::{Allowance, Config, ConnectionLimits, HostName, KeepEvents, Ready, TlsSource};

use super::arguments::Data;
use super::model::Model;
use super::packing;
use super::sealing::Sealing;
use crate::failure::{Failure, Outcome};
use crate::{folders, output, style};

/// Turn this machine into a stack, until Ctrl-C or SIGTERM
#[derive(Debug, Args)]
pub struct Up {
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDR",
        env = "ERGON_LISTEN",
        default_value = "127.0.0.1:7411",
        hide_env_values = true
    )]
    listen: SocketAddr,
    /// A name under which other machines ask for it: registry.example.com; may be repeated
    #[arg(
        long = "host",
        value_name = "NAME",
        env = "ERGON_HOSTS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    hosts: Vec<HostName>,
    /// Speak TLS, with a certificate of the stack's own authority for localhost, this machine and every --host
    #[arg(long, env = "ERGON_TLS", hide_env_values = true, conflicts_with_all = ["tls_certificate", "tls_key"])]
    tls: bool,
    /// Speak TLS with the certificate in this file (PEM, with those that signed it); read again when it changes
    #[arg(
        long,
        value_name = "FILE",
        env = "ERGON_TLS_CERTIFICATE",
        requires = "tls_key",
        hide_env_values = true
    )]
    tls_certificate: Option<PathBuf>,
    /// The file with that certificate's key (PEM)
    #[arg(
        long,
        value_name = "FILE",
        env = "ERGON_TLS_KEY",
        requires = "tls_certificate",
        hide_env_values = true
    )]
    tls_key: Option<PathBuf>,
    /// A place that may be reached beside this machine: west.example.com:443, 10.0.0.0/8; may be repeated
    #[arg(
        long = "reach",
        value_name = "PLACE",
        env = "ERGON_REACH",
        value_delimiter = ',',
        hide_env_values = true
    )]
    reach: Vec<Allowance>,
    /// Record with each exchange what was said, too; else only who, to whom, when and what came of it
    #[arg(long, env = "ERGON_KEEP_MESSAGES", hide_env_values = true)]
    keep_messages: bool,
    #[command(flatten)]
    sandbox: packing::Sandbox,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    sealing: Sealing,
    #[command(flatten)]
    model: Model,
}

impl Up {
    pub async fn run(self) -> Outcome {
        let tls = match (self.tls_certificate, self.tls_key) {
            (Some(certificate), Some(key)) => Some(TlsSource::Files { certificate, key }),
            _ => self.tls.then_some(TlsSource::Own),
        };
        let config = Config {
            listen: self.listen,
            hosts: self.hosts,
            tls,
            limits: ConnectionLimits::default(),
            data: folders::data(self.data.data.as_deref())?,
            cache: folders::cache()?,
            extra_authority: packing::extra_authority()?,
            reach: self.reach,
            sandbox: self.sandbox.kind(),
            keep_messages: self.keep_messages,
            keep_events: KeepEvents::default(),
            model: self.model.config()?,
            secrets: self.sealing.config()?,
        };
        ergon_server::run(config, |ready| greet(&ready))
            .await
            .map_err(|error| Failure::from_error(&error).with_remedy(error.remedy()))
    }
}

fn greet(ready: &Ready) {
    if let Err(why) = &ready.engine {
        output::note(&format!("{} {why}", style::warning("note:")));
        if let Some(remedy) = why.remedy() {
            output::note(&format!("{} {remedy}", style::strong(" help:")));
        }
    }
    if let Some(model) = &ready.model {
        let text = format!("{} explains findings", crate::words::harmless(model));
        output::note(&format!("{} {text}", style::strong("note:")));
        let command = style::link("ergon companion payload NAME \"what happened?\"");
        output::note(&format!(
            "{} what it is sent:  {command}",
            style::strong(" help:")
        ));
    }
    let link = style::link(&ready.sign_in_url);
    let next = style::link("ergon project add <folder>");
    let data = folders::display(&ready.data);
    // A stack serves whether or not anybody reads this.
    let _ = output::print(&format!(
        "Ergon is up   {link}        data in {data}\nNext:  {next}\n"
    ));
}
