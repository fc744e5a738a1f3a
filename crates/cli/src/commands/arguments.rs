//! Arguments that several commands take.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use ergon_manifest::PlatformName;

use crate::client::Client;
use crate::failure::Outcome;

/// How data is printed.
#[derive(Clone, Copy, Debug, Args)]
pub struct Format {
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    pub json: bool,
}

/// What images are made for.
#[derive(Clone, Debug, Default, Args)]
pub struct Platforms {
    /// Make the images for these, whatever the manifest says: linux/amd64,linux/arm64; may be repeated
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    pub wanted: Vec<PlatformName>,
}

/// Which of several platforms is meant.
#[derive(Clone, Debug, Default, Args)]
pub struct OnePlatform {
    /// The platform whose image is meant, where there are several [default: this machine's]
    #[arg(long = "platform", value_name = "PLATFORM")]
    pub wanted: Option<PlatformName>,
}

/// Whose data folder it is.
#[derive(Clone, Debug, Args)]
pub struct Data {
    /// The stack's data folder
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "ERGON_DATA",
        hide_env_values = true
    )]
    pub data: Option<PathBuf>,
}

/// Which stack is meant.
#[derive(Clone, Debug, Args)]
pub struct Stack {
    /// The data folder of the stack to talk to; ERGON_URL and ERGON_TOKEN name another one
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "ERGON_DATA",
        hide_env_values = true
    )]
    pub data: Option<PathBuf>,
    /// The certificate of the authority that vouches for the stack, where the machine does not know it
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "ERGON_CA",
        hide_env_values = true
    )]
    pub ca: Option<PathBuf>,
}

impl Stack {
    pub fn client(&self) -> Outcome<Client> {
        Client::find(self.data.as_deref(), self.ca.as_deref())
    }
}

/// A variable for a program, `NAME=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub value: String,
}

impl std::str::FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=') else {
            return Err("write it as NAME=value".to_owned());
        };
        let first_is_letter =
            name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if !first_is_letter
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(format!(
                "`{name}` is no name of a variable: letters, digits and _ only"
            ));
        }
        if value.contains('\0') {
            return Err("a value cannot hold a zero byte".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// Variables by name; the last of one name counts.
pub fn variables(given: Vec<Variable>) -> BTreeMap<String, String> {
    given
        .into_iter()
        .map(|variable| (variable.name, variable.value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_a_name_and_may_hold_anything() {
        let variable: Variable = "URL=postgres://a=b".parse().unwrap();
        assert_eq!(
            variable,
            Variable {
                name: "URL".into(),
                value: "postgres://a=b".into()
            }
        );
        for wrong in ["URL", "=x", "1A=x", "A-B=x", "A B=x"] {
            assert!(wrong.parse::<Variable>().is_err(), "{wrong}");
        }
    }
}
