//! How the stack keeps secrets, as the command line of `ergon up` says it.

use std::path::PathBuf;

use clap::Args;
use ergon_server::{SecretsConfig, VaultConfig, VaultError};
use reqwest::Url;

use crate::failure::{Failure, Outcome};

/// The options of `ergon up` for secrets. What opens them is in files, never an argument or a variable.
#[derive(Debug, Args)]
#[command(next_help_heading = "Secrets")]
pub struct Sealing {
    /// A file with the passphrase that the stack's key for secrets is under, in one line
    #[arg(
        long,
        value_name = "FILE",
        env = "ERGON_PASSPHRASE_FILE",
        hide_env_values = true
    )]
    passphrase_file: Option<PathBuf>,
    /// Keep secrets in a vault that speaks HashiCorp's KV v2: https://vault.example.com:8200
    #[arg(
        long,
        value_name = "URL",
        env = "ERGON_VAULT_ADDRESS",
        requires = "vault_token_file",
        hide_env_values = true
    )]
    vault_address: Option<Url>,
    /// A file with a token for it; read anew with each request
    #[arg(
        long,
        value_name = "FILE",
        env = "ERGON_VAULT_TOKEN_FILE",
        requires = "vault_address",
        hide_env_values = true
    )]
    vault_token_file: Option<PathBuf>,
    /// Where the vault's KV engine is mounted
    #[arg(
        long,
        value_name = "PATH",
        env = "ERGON_VAULT_MOUNT",
        default_value = "secret",
        hide_env_values = true
    )]
    vault_mount: String,
}

impl Sealing {
    pub fn config(self) -> Outcome<SecretsConfig> {
        let vault = match (self.vault_address, self.vault_token_file) {
            (Some(address), Some(token_file)) => Some(VaultConfig {
                address,
                token_file,
                mount: self.vault_mount,
            }),
            _ => None,
        };
        if let Some(vault) = &vault {
            vault.check().map_err(|error: VaultError| {
                let remedy = error.remedy().map(str::to_owned);
                Failure::from_error(&error).with_remedy(remedy).as_usage()
            })?;
        }
        Ok(SecretsConfig {
            passphrase_file: self.passphrase_file,
            vault,
        })
    }
}
