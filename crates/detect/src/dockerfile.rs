//! A plan, written down as a Dockerfile.
//!
//! What a plan holds comes from a manifest, which may say anything. Every text is written in the form
//! that can only mean itself: no field can become an instruction, a flag, a variable or a second line.

mod exceptions;
mod ignore_file;
mod words;

use std::collections::BTreeMap;

use ergon_manifest::is_secret_name;
use serde::{Deserialize, Serialize};

pub use ignore_file::ignore_file;

use self::exceptions::exceptions;
use self::words::{command, find_pattern, json, only, quoted, source};
use crate::analysis::Topic;
use crate::plan::{
    self, APP_ROOT, ContainerPlan, ImageConfig, STEP_SECRETS, Selection, Stage, StageFiles, Step,
};

pub(crate) const HEADER: &str =
    "# Written by Ergon from the project's manifest; write it again with `ergon dockerfile`.";
const EACH_BY_ITSELF: [&str; 2] = [
    "# Steps stay apart, so that the engine keeps what each has done.",
    "# hadolint global ignore=DL3059",
];
const SUPERVISED: &str =
    "# As process 1 the program would not notice that it is asked to stop: the shell tells it.";
const DEPENDENCIES_FIRST: &str = "# Dependencies come before sources, so that a changed source file does not install them again.";

/// A Dockerfile, and what each of its lines is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dockerfile {
    pub text: String,
    /// Lines that came from facts, in their order.
    pub lines: Vec<Line>,
}

/// What one line is about; the facts with these topics are why it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// From 1.
    pub number: u32,
    pub topics: Vec<Topic>,
}

/// Writes a plan down. The same plan gives the same bytes.
pub fn render(plan: &ContainerPlan) -> Dockerfile {
    let mut writer = Writer::default();
    writer.line(HEADER, &[]);
    if plan.stages.iter().any(runs_twice) {
        for line in EACH_BY_ITSELF {
            writer.line(line, &[]);
        }
    }
    for stage in &plan.stages {
        writer.stage(stage, &left_behind_by_all(plan, stage));
    }
    // What the last stage's commands saw already holds for what runs as well.
    let said = plan.stages.last().map(|stage| &stage.env);
    let mut config = plan.config.clone();
    config
        .env
        .retain(|name, value| said.and_then(|said| said.get(name)) != Some(value));
    writer.config(&config);
    writer.file
}

/// Whether a stage runs one command right after another.
fn runs_twice(stage: &Stage) -> bool {
    let is_run = |step: &Step| matches!(step, Step::Run { .. });
    stage.steps.windows(2).any(|pair| pair.iter().all(is_run))
        // What tidies up follows what was built.
        || (stage.name.is_some() && stage.steps.last().is_some_and(is_run))
}

/// What nobody takes from a stage: it may as well be deleted there.
fn left_behind_by_all(plan: &ContainerPlan, stage: &Stage) -> Vec<String> {
    let steps = plan.stages.iter().flat_map(|stage| &stage.steps);
    let mut takers = steps.filter_map(|step| match step {
        Step::CopyStage {
            stage: name,
            files: StageFiles::Except(except),
            ..
        } if Some(name) == stage.name.as_ref() => Some(except),
        _ => None,
    });
    let mut common = takers.next().cloned().unwrap_or_default();
    for except in takers {
        common.retain(|pattern| except.contains(pattern));
    }
    common
}

#[derive(Default)]
struct Writer {
    file: Dockerfile,
    count: u32,
    /// Where the stage's commands run by now.
    workdir: String,
}

impl Writer {
    fn line(&mut self, text: &str, topics: &[Topic]) {
        // Nothing that reaches this can begin a line of its own.
        let text = text.replace(|character| character < ' ' && character != '\t', " ");
        self.file.text.push_str(&text);
        self.file.text.push('\n');
        self.count += 1;
        if !topics.is_empty() {
            self.file.lines.push(Line {
                number: self.count,
                topics: topics.to_vec(),
            });
        }
    }

    fn stage(&mut self, stage: &Stage, unwanted: &[String]) {
        self.line("", &[]);
        let name = stage
            .name
            .as_deref()
            .map(|name| format!(" AS {}", only(name, "_.-")))
            .unwrap_or_default();
        let base = only(&stage.base, "._-/:@");
        self.line(
            &format!("FROM {base}{name}"),
            &[Topic::Language, Topic::Runtime],
        );
        self.variables("ENV", &stage.env);
        "/".clone_into(&mut self.workdir);
        let is_last = stage.name.is_none();
        for step in &stage.steps {
            self.step(step, is_last);
        }
        if !unwanted.is_empty() {
            let tests: Vec<_> = unwanted
                .iter()
                .map(|pattern| find_pattern(APP_ROOT, pattern))
                .collect();
            let sweep = format!(
                "find {APP_ROOT} \\( {} \\) -prune -exec rm -rf {{}} +",
                tests.join(" -o ")
            );
            self.line("# Only what runs goes on.", &[]);
            self.line(&format!("RUN {}", command(&sweep)), &[]);
        }
    }

    fn step(&mut self, step: &Step, is_last: bool) {
        match step {
            Step::CopySources {
                files: Selection::All,
                owner,
            } => {
                let copy = format!("COPY{} {}", chown(*owner), json([".", &folder("")]));
                self.line(&copy, &[]);
            }
            Step::CopySources {
                files: Selection::Only(paths),
                owner,
            } => {
                self.line(DEPENDENCIES_FIRST, &[]);
                for (parent, paths) in by_folder(paths) {
                    let words = paths
                        .iter()
                        .map(|path| source(path))
                        .chain([source(&folder(parent))]);
                    let copy = format!("COPY{} {}", chown(*owner), json(words));
                    self.line(
                        &copy,
                        &[Topic::Dependencies, Topic::PackageManager, Topic::Pinned],
                    );
                }
            }
            Step::CopyStage {
                stage,
                files,
                owner,
            } => {
                let stage = only(stage, "_.-");
                let taken = match files {
                    StageFiles::Except(_) => vec![APP_ROOT.to_owned()],
                    StageFiles::Only(paths) => paths
                        .iter()
                        .map(|path| source(&format!("{APP_ROOT}/{path}")))
                        .collect(),
                };
                for path in taken {
                    let copy = format!(
                        "COPY --from={stage}{} {}",
                        chown(*owner),
                        json([&path, &path])
                    );
                    self.line(&copy, &[]);
                }
            }
            Step::Run {
                command: text,
                workdir,
                network,
                secrets,
                ..
            } => {
                self.enter(workdir);
                for line in exceptions(text) {
                    self.line(&line, &[]);
                }
                let tidy = if is_last && *network {
                    plan::tidy(text)
                } else {
                    None
                };
                let text = match tidy {
                    Some(tidy) => command(&format!("{text} && {tidy}")),
                    None => command(text),
                };
                // Docker is given them by name: docker build --secret id=NAME,src=FILE
                let mounts: String = secrets
                    .iter()
                    .filter(|name| is_secret_name(name))
                    .map(|name| {
                        format!("--mount=type=secret,id={name},target={STEP_SECRETS}/{name} ")
                    })
                    .collect();
                let line = format!("RUN {mounts}{text}");
                let topics: &[Topic] = match (network, workdir.as_str()) {
                    (true, "/") => &[Topic::SystemPackage],
                    (true, _) => &[
                        Topic::BuildCommand,
                        Topic::Dependencies,
                        Topic::PackageManager,
                    ],
                    (false, _) => &[Topic::BuildCommand],
                };
                self.line(&line, topics);
            }
        }
    }

    fn enter(&mut self, workdir: &str) {
        if self.workdir != workdir {
            let plain = workdir
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            let written = if plain {
                workdir.to_owned()
            } else {
                quoted(workdir)
            };
            self.line(&format!("WORKDIR {written}"), &[]);
            workdir.clone_into(&mut self.workdir);
        }
    }

    fn config(&mut self, config: &ImageConfig) {
        self.line("", &[]);
        self.enter(&config.workdir);
        self.variables("ENV", &config.env);
        self.variables("LABEL", &config.labels);
        if !config.volumes.is_empty() {
            let volumes = config.volumes.iter().map(|volume| quoted_inside(volume));
            self.line(&format!("VOLUME {}", json(volumes)), &[Topic::Volume]);
        }
        if !config.user.is_empty() {
            self.line(&format!("USER {}", only(&config.user, ":_-")), &[]);
        }
        for port in &config.ports {
            self.line(&format!("EXPOSE {port}"), &[Topic::Port]);
        }
        if let Some(check) = &config.healthcheck {
            let patience = config
                .start_period
                .map(|seconds| format!("--start-period={seconds}s "))
                .unwrap_or_default();
            self.line(
                &format!("HEALTHCHECK {patience}CMD {}", json(check)),
                &[Topic::Health],
            );
        }
        if !config.cmd.is_empty() {
            // The command is whole; a base's entrypoint was written for another.
            self.line("ENTRYPOINT []", &[]);
            if plan::is_supervised(&config.cmd) {
                self.line(SUPERVISED, &[]);
            }
            self.line(
                &format!("CMD {}", json(&config.cmd)),
                &[Topic::RunCommand, Topic::Framework],
            );
        }
    }

    /// `ENV` or `LABEL`, a line for each variable.
    fn variables(&mut self, instruction: &str, variables: &BTreeMap<String, String>) {
        let mut lead = format!("{instruction} ");
        for (index, (name, value)) in variables.iter().enumerate() {
            let more = if index + 1 < variables.len() {
                " \\"
            } else {
                ""
            };
            let topics: &[Topic] = if name == "PORT" {
                &[Topic::Port, Topic::Environment]
            } else {
                &[]
            };
            self.line(
                &format!("{lead}{}={}{more}", only(name, "_.-"), quoted(value)),
                topics,
            );
            lead = " ".repeat(lead.len());
        }
    }
}

/// A text that Docker still looks into after it has read the JSON around it.
fn quoted_inside(text: &str) -> String {
    words::escaped(text)
}

fn chown(owner: u32) -> String {
    if owner == 0 {
        String::new()
    } else {
        format!(" --chown={owner}:{owner}")
    }
}

/// A folder of the project in the image, written so that it can only be a folder.
fn folder(path: &str) -> String {
    if path.is_empty() {
        format!("{APP_ROOT}/")
    } else {
        format!("{APP_ROOT}/{path}/")
    }
}

/// Paths by the folder they are in: COPY forgets folders.
fn by_folder(paths: &[String]) -> BTreeMap<&str, Vec<&str>> {
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in paths {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        folders.entry(folder).or_default().push(path);
    }
    folders
}
