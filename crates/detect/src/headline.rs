//! What an application is, in a few words.

use ergon_manifest::Application;

use crate::ecosystem;
use crate::web_server;

/// Languages that are not called as their ecosystem is.
const NAMES: [(&str, &str); 7] = [
    ("javascript", "JavaScript"),
    ("typescript", "TypeScript"),
    ("kotlin", "Kotlin"),
    ("csharp", "C#"),
    ("fsharp", "F#"),
    ("c", "C"),
    ("cpp", "C++"),
];

/// `a web service in Python 3.11`, `a web service in TypeScript on Node 20`, `a site`.
pub fn headline(application: &Application) -> String {
    let is_site = web_server::serves(application);
    if is_site && application.build_commands.len() < 2 {
        return "a site".to_owned();
    }
    let what = match application.ports.as_slice() {
        _ if is_site => "a site",
        [] => "a program",
        _ => "a web service",
    };
    if application.language == "other" {
        return what.to_owned();
    }
    let language = name(&application.language);
    match &application.runtime {
        Some(runtime) if name(&runtime.name) == language => {
            format!("{what} in {language} {}", runtime.version)
        }
        Some(runtime) => format!(
            "{what} in {language} on {} {}",
            name(&runtime.name),
            runtime.version
        ),
        None => format!("{what} in {language}"),
    }
}

fn name(language: &str) -> String {
    let known = NAMES.iter().find(|(written, _)| *written == language);
    let of_ecosystem = || Some(ecosystem::of_language(language)?.name);
    known
        .map(|(_, name)| *name)
        .or_else(of_ecosystem)
        .unwrap_or(language)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use ergon_manifest::Runtime;

    use super::*;

    #[test]
    fn what_is_what() {
        let mut application = Application {
            language: "csharp".to_owned(),
            ports: vec![8080],
            ..Application::default()
        };
        assert_eq!(headline(&application), "a web service in C#");
        application.runtime = Some(Runtime {
            name: "dotnet".to_owned(),
            version: "8.0".to_owned(),
            from: None,
        });
        assert_eq!(headline(&application), "a web service in C# on .NET 8.0");
        let site = Application {
            language: "static".to_owned(),
            run_command: Some(web_server::RUN_COMMAND.to_owned()),
            ..Application::default()
        };
        assert_eq!(headline(&site), "a site");
    }
}
