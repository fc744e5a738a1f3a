//! Solutions: finished containers, tools and configurations that others may use.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ergon_server::api::{AddSolution, ImportProject, List, Solution as Kept};
use jiff::Timestamp;
use reqwest::Method;

use super::arguments::{Format, Stack};
use crate::failure::{Failure, Outcome};
use crate::report::solutions;
use crate::{output, words};

/// Finished containers, tools and configurations that others may use
#[derive(Debug, Args)]
pub struct Solution {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: SolutionCommand,
}

/// What a solution is.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Container,
    Tool,
    Configuration,
}

impl Kind {
    fn word(self) -> String {
        match self {
            Self::Container => "container",
            Self::Tool => "tool",
            Self::Configuration => "configuration",
        }
        .to_owned()
    }
}

/// What is said of a solution in any case.
#[derive(Debug, Args)]
struct Said {
    /// A word by which it is found; may be repeated
    #[arg(long = "keyword", value_name = "WORD")]
    keywords: Vec<String>,
    /// The solution it was made from, as name@version
    #[arg(long, value_name = "SOLUTION")]
    derived_from: Option<String>,
    /// A solution it cannot be used without, as name@version; may be repeated
    #[arg(long = "needs", value_name = "SOLUTION")]
    needs: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum SolutionCommand {
    /// List the solutions, or those that have every one of some words in what is said of them
    List {
        /// Words to look for
        words: Vec<String>,
        /// Only those of this kind
        #[arg(long)]
        kind: Option<Kind>,
        /// Only those that meet every standard
        #[arg(long)]
        meets_standards: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Show a solution: where it is from, how it does by the standards, what depends on it
    Show {
        /// Its name, for the highest version, or name@version
        solution: String,
        #[command(flatten)]
        format: Format,
    },
    /// Keep a build or a configuration as a version of a solution; no version is ever modified
    Add {
        /// What it is called, as name@version
        solution: String,
        /// What it is for, in a sentence or two
        #[arg(long)]
        description: String,
        /// What it is
        #[arg(long, default_value = "container")]
        kind: Kind,
        /// Of a container or a tool, its build: a build hash, a tag, an image digest
        #[arg(long, value_name = "REFERENCE")]
        build: Option<String>,
        /// Of a configuration, the JSON file with what it says
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Where its source is [default: where the build's project is]
        #[arg(long)]
        source: Option<String>,
        #[command(flatten)]
        said: Said,
        #[command(flatten)]
        format: Format,
    },
    /// Keep a finished project as a solution: its newest build that succeeded
    Import {
        /// The project's name or id
        project: String,
        /// What to call it [default: as the project]
        #[arg(long)]
        name: Option<String>,
        /// Which version it is [default: the next one]
        #[arg(long = "as", value_name = "VERSION")]
        version: Option<String>,
        /// What it is [default: container]
        #[arg(long)]
        kind: Option<Kind>,
        /// What it is for [default: as the version before says]
        #[arg(long)]
        description: Option<String>,
        #[command(flatten)]
        said: Said,
        #[command(flatten)]
        format: Format,
    },
    /// Remove a version; refused while something depends on it
    Remove {
        /// Which, as name@version
        solution: String,
    },
}

const PATH: [&str; 3] = ["api", "v1", "solutions"];

impl Solution {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            SolutionCommand::List {
                words,
                kind,
                meets_standards,
                format,
            } => {
                let (words, kind) = (words.join(" "), kind.map(Kind::word));
                let mut query = vec![("words", words.as_str())];
                query.extend(kind.as_deref().map(|kind| ("kind", kind)));
                if meets_standards {
                    query.push(("meets_standards", "true"));
                }
                let list: List<Kept> = client.get_with(&PATH, &query).await?;
                output::show(format.json, &list, || {
                    solutions::list(&list.items, output::width())
                })
            }
            SolutionCommand::Show { solution, format } => {
                let path = ["api", "v1", "solutions", &solution];
                show(&client.get(&path).await?, format)
            }
            SolutionCommand::Add {
                solution,
                description,
                kind,
                build,
                file,
                source,
                said,
                format,
            } => {
                let Some((name, version)) = solution.split_once('@') else {
                    return Err(Failure::new(format!("`{solution}` names no version"))
                        .with_remedy(format!("write it as {solution}@0.1.0")));
                };
                let configuration = file.as_deref().map(read_json).transpose()?;
                let wanted = AddSolution {
                    name: name.to_owned(),
                    version: version.to_owned(),
                    kind: kind.word(),
                    description,
                    build,
                    configuration,
                    source,
                    keywords: said.keywords,
                    derived_from: said.derived_from,
                    needs: said.needs,
                };
                show(&client.post(&PATH, &wanted).await?, format)
            }
            SolutionCommand::Import {
                project,
                name,
                version,
                kind,
                description,
                said,
                format,
            } => {
                let wanted = ImportProject {
                    version,
                    name,
                    kind: kind.map(Kind::word),
                    description,
                    keywords: said.keywords,
                    derived_from: said.derived_from,
                    needs: said.needs,
                };
                let path = ["api", "v1", "projects", &project, "solutions"];
                show(&client.post(&path, &wanted).await?, format)
            }
            SolutionCommand::Remove { solution } => {
                let path = ["api", "v1", "solutions", &solution];
                client.send(Method::DELETE, &path).await?;
                let gone = words::on_one_line(&solution);
                output::print(&format!("{gone} is removed; its build and images stay.\n"))
            }
        }
    }
}

fn show(solution: &Kept, format: Format) -> Outcome {
    output::show(format.json, solution, || {
        solutions::show(solution, Timestamp::now())
    })
}

fn read_json(path: &std::path::Path) -> Outcome<serde_json::Value> {
    let failed = |reason: String| {
        Failure::new(format!("{} cannot be read: {reason}", path.display()))
            .with_remedy("a configuration is a file of JSON".to_owned())
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
}
