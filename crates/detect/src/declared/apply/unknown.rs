//! A program of which no language knows anything: what is declared of it is all there is.

use ergon_manifest::Application;

use super::{Declared, Found, images};
use crate::analysis::Topic;
use crate::ecosystem::{Claim, Report, Strength, UsualRuntime};

/// What starts a program of which no more is known.
const BASE_IMAGE: &str = "debian:bookworm-slim";

/// A runtime by what starts programs with it, and what is usual of it.
struct Known {
    programs: &'static [&'static str],
    language: &'static str,
    usual: UsualRuntime,
    /// The image, before and behind the version.
    image: (&'static str, &'static str),
}

const KNOWN: [Known; 6] = [
    Known {
        programs: &["node", "npm", "npx", "yarn", "pnpm", "nodejs"],
        language: "javascript",
        usual: UsualRuntime {
            name: "node",
            label: "Node",
            version: "18",
            remedy: "echo 18 > .node-version",
        },
        image: ("node:", "-slim"),
    },
    Known {
        programs: &[
            "python", "python3", "gunicorn", "uvicorn", "flask", "celery",
        ],
        language: "python",
        usual: UsualRuntime {
            name: "python",
            label: "Python",
            version: "3.11",
            remedy: "echo 3.11 > .python-version",
        },
        image: ("python:", "-slim"),
    },
    Known {
        programs: &["ruby", "bundle", "rake", "puma", "rackup", "rails"],
        language: "ruby",
        usual: UsualRuntime {
            name: "ruby",
            label: "Ruby",
            version: "3.1",
            remedy: "echo 3.1 > .ruby-version",
        },
        image: ("ruby:", "-slim"),
    },
    Known {
        programs: &["php"],
        language: "php",
        usual: UsualRuntime {
            name: "php",
            label: "PHP",
            version: "8.2",
            remedy: "echo 8.2 > .php-version",
        },
        image: ("php:", "-cli"),
    },
    Known {
        programs: &["java"],
        language: "java",
        usual: UsualRuntime {
            name: "java",
            label: "Java",
            version: "17",
            remedy: "echo 17 > .java-version",
        },
        image: ("eclipse-temurin:", "-jre"),
    },
    Known {
        programs: &["perl"],
        language: "perl",
        usual: UsualRuntime {
            name: "perl",
            label: "Perl",
            version: "5.36",
            remedy: "echo 5.36 > .perl-version",
        },
        image: ("perl:", "-slim"),
    },
];

/// The program: of the language that is named for it, else of the one that its image or its command is for.
pub(super) fn program(declared: &mut Declared) -> Found {
    let mut found = Found {
        strength: Strength::Sources,
        name: None,
        application: Application {
            kind: "other".to_owned(),
            language: "other".to_owned(),
            ..Application::default()
        },
        base_image: BASE_IMAGE.to_owned(),
        delegates: false,
        report: Report::default(),
    };
    let image = declared.image.as_ref();
    let of_image =
        image.and_then(|image| Some((images::runtime_name(&image.value)?, image.from.clone())));
    let named = declared.language.as_ref();
    let of_name = || {
        let named = named?;
        let known = KNOWN
            .iter()
            .find(|known| known.usual.name == named.value || known.language == named.value)?;
        Some((known.usual.name, named.from.clone()))
    };
    let of_command = || {
        let start = declared.starts.iter().max_by_key(|start| start.weight)?;
        let word = start
            .command
            .split_whitespace()
            .find(|word| !word.contains('='))?;
        let known = KNOWN.iter().find(|known| known.programs.contains(&word))?;
        Some((known.usual.name, start.from.clone()))
    };
    let runtime = of_name().or(of_image).or_else(of_command);
    if let Some(image) = image {
        found.base_image.clone_from(&image.value);
    }
    let Some((name, from)) = runtime else {
        return found;
    };
    let claims: Vec<Claim> = {
        let versions = declared.versions.iter();
        versions
            .filter(|(runtime, _)| runtime == name)
            .map(|(_, claim)| claim.clone())
            .collect()
    };
    declared.versions.retain(|(runtime, _)| runtime != name);
    let known = KNOWN.iter().find(|known| known.usual.name == name);
    let language = known.map_or_else(|| language_of(name), |known| known.language);
    language.clone_into(&mut found.application.language);
    language.clone_into(&mut found.application.kind);
    found.report.likely(Topic::Language, language, from);
    let runtime = match known {
        Some(known) => Some(found.report.runtime(&known.usual, claims)),
        // What is usual is not asked for where something is claimed.
        None if !claims.is_empty() => {
            let usual = UsualRuntime {
                name,
                label: name,
                version: "",
                remedy: "",
            };
            Some(found.report.runtime(&usual, claims))
        }
        None => None,
    };
    if let (Some(known), Some(runtime), None) = (known, &runtime, image) {
        let (before, behind) = known.image;
        found.base_image = format!("{before}{}{behind}", runtime.version);
    }
    found.application.runtime = runtime;
    found
}

fn language_of(runtime: &'static str) -> &'static str {
    match runtime {
        "bun" => "javascript",
        "dotnet" => "csharp",
        runtime => runtime,
    }
}
