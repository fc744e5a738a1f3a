//! Which model explains what companions find, as the command line of `ergon up` says it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ergon_server::{ModelConfig, ModelConfigError, ModelFormat, ModelLimits, ModelPrice};

use crate::failure::{Failure, Outcome};

/// The key, where it is in no file. It is never an argument, which everybody on the machine could read.
const KEY: &str = "ERGON_MODEL_KEY";

/// The options of `ergon up` for a language model.
#[derive(Debug, Args)]
#[command(next_help_heading = "A language model that explains findings")]
pub struct Model {
    /// Where a model is: http://127.0.0.1:11434/v1, https://api.example.com; without it, nothing is sent anywhere
    #[arg(
        long = "model-url",
        value_name = "URL",
        env = "ERGON_MODEL_URL",
        requires = "name",
        hide_env_values = true
    )]
    url: Option<String>,
    /// Its name there
    #[arg(
        long = "model",
        value_name = "NAME",
        env = "ERGON_MODEL",
        requires = "url",
        hide_env_values = true
    )]
    name: Option<String>,
    /// How it is spoken to: openai (chat completions) or anthropic (messages)
    #[arg(
        long = "model-format",
        value_name = "FORMAT",
        env = "ERGON_MODEL_FORMAT",
        default_value = "openai",
        hide_env_values = true
    )]
    format: ModelFormat,
    /// A file with its key, readable by you alone; or put the key into ERGON_MODEL_KEY
    #[arg(
        long = "model-key-file",
        value_name = "FILE",
        env = "ERGON_MODEL_KEY_FILE",
        hide_env_values = true
    )]
    key_file: Option<PathBuf>,
    /// The most requests a day
    #[arg(long = "model-requests", value_name = "NUMBER", default_value_t = ModelLimits::default().requests_a_day)]
    requests: u32,
    /// The most tokens a day, read and written together
    #[arg(long = "model-tokens", value_name = "NUMBER", default_value_t = ModelLimits::default().tokens_a_day)]
    tokens: u64,
    /// What a million tokens cost, read and written: 0.25,1.25
    #[arg(long = "model-price", value_name = "READ,WRITTEN")]
    price: Option<ModelPrice>,
    /// The most money a day, in the money of --model-price
    #[arg(long = "model-money", value_name = "AMOUNT", requires = "price")]
    money: Option<f64>,
    /// How long an answer waits for its explanation, in milliseconds
    #[arg(long = "model-wait", value_name = "MILLISECONDS", default_value_t = 0)]
    wait: u64,
}

impl Model {
    /// The model, if one is named.
    pub fn config(self) -> Outcome<Option<ModelConfig>> {
        let (Some(url), Some(name)) = (&self.url, &self.name) else {
            return Ok(None);
        };
        let limits = ModelLimits {
            requests_a_day: self.requests,
            tokens_a_day: self.tokens,
            price: self.price,
            money_a_day: self.money,
            wait: Duration::from_millis(self.wait),
            ..ModelLimits::default()
        };
        let refused = |error: ModelConfigError| {
            Failure::from_error(&error)
                .with_remedy(error.remedy())
                .as_usage()
        };
        let key = match &self.key_file {
            Some(path) => Some(ModelConfig::key_in(path).map_err(refused)?),
            None => std::env::var(KEY).ok().filter(|key| !key.is_empty()),
        };
        ModelConfig::new(url, self.format, name, key, limits)
            .map(Some)
            .map_err(refused)
    }
}
