//! Which steps of a plan are given which secrets.

use ergon_detect::plan::Step;
use ergon_manifest::{SecretTime, SecretUse};

use crate::plans::{application, planned};

#[test]
fn build_commands_are_given_the_secrets_that_they_need() {
    let mut web = application("javascript", &["npm ci"]);
    for (name, during) in [
        ("db-password", SecretTime::Run),
        ("npm-token", SecretTime::Build),
        ("signing-key", SecretTime::Both),
    ] {
        let needed = SecretUse {
            during: Some(during),
            env: None,
        };
        web.secrets.insert(name.to_owned(), needed);
    }
    let plan = planned(web, "node:18-slim", &[("package.json", "{}")]);
    let given: Vec<_> = plan
        .stages
        .iter()
        .flat_map(|stage| &stage.steps)
        .filter_map(|step| match step {
            Step::Run { secrets, .. } => Some(secrets.join(" ")),
            _ => None,
        })
        .collect();
    assert_eq!(given, ["npm-token signing-key"]);
    let file = ergon_detect::dockerfile::render(&plan).text;
    assert!(
        file.contains(
            "RUN --mount=type=secret,id=npm-token,target=/dev/secrets/npm-token --mount="
        ),
        "{file}"
    );
}
