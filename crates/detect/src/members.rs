//! Which folders of a project hold a program.

use crate::analysis::Topic;
use crate::declared::{self, Blueprints, Compose, Declared, Service};
use crate::ecosystem::{self, Ecosystem, Found, Strength};
use crate::headline::headline;
use crate::sources::Sources;

/// How many folders deep a program may lie.
const DEEPEST: usize = 4;
/// How many folders are looked into; a project with more programs names them itself.
const MOST_FOLDERS: usize = 200;
/// Files by which a program shows whatever its language is.
const MARKERS: [&str; 3] = ["Dockerfile", "Procfile", "nixpacks.toml"];
/// Folders that hold what programs have in common.
const LIBRARIES: [&str; 6] = ["packages", "libs", "lib", "shared", "common", "libraries"];
/// Folders of what the project's developers run.
const TOOLS: [&str; 7] = ["tools", "tool", "scripts", "hack", "ci", ".github", "dev"];
/// Folders whose pages are a program of their own beside others.
const PAGES: [&str; 8] = [
    "frontend", "client", "web", "website", "webapp", "ui", "www", "site",
];

/// Folders that hold what those pages talk to.
const SERVERS: [&str; 6] = ["backend", "server", "api", "worker", "service", "app"];

/// Folders that hold what makes images of what lies elsewhere.
const PACKAGING: [&str; 6] = [
    "docker",
    ".docker",
    "deploy",
    "build",
    "dockerfiles",
    "images",
];

/// A program of a project.
pub struct Member<'a> {
    /// Its folder.
    pub sources: Sources<'a>,
    pub found: Found,
    /// Languages of which there are signs as well.
    pub others: Vec<&'static str>,
    /// What the compose file calls it.
    pub service: Option<String>,
}

/// The programs of a project: the one at its root, else those in its folders, and what its compose file builds.
pub fn of<'a>(root: &Sources<'a>, compose: Option<&Compose>) -> Vec<Member<'a>> {
    let composed = Composed {
        blueprints: Blueprints::read(root),
        compose,
        built: compose.map(Compose::built).unwrap_or_default(),
    };
    let at_root = composed.program(root.same());
    let root_starts = at_root
        .as_ref()
        .is_some_and(|member| starts(member) && !composed.is_one_of_several(root, member));
    let mut members: Vec<Member<'a>> = Vec::new();
    let mut left = None;
    if root_starts {
        members.extend(at_root);
        members.extend(composed.others_of(root));
    } else {
        left = at_root;
    }
    for folder in composed.folders() {
        let sources = root.below(folder);
        let program = composed.program(sources.same()).filter(starts);
        if let Some(member) = program {
            members.push(member);
            members.extend(composed.others_of(&sources));
        }
    }
    if root_starts {
        composed.ask_about_others(root, &members);
    } else {
        for folder in folders(root) {
            if !is_within(&folder, &members) {
                let service = composed.around(&folder, &members);
                let program = composed.program_of(root.below(&folder), service, false);
                members.extend(program.filter(starts));
            }
        }
        without_libraries(&mut members);
        if !members.is_empty() {
            for folder in PAGES {
                let has_pages = root.has(&format!("{folder}/index.html"));
                if has_pages && !is_within(folder, &members) {
                    members.extend(composed.program(root.below(folder)).filter(starts));
                }
            }
        }
    }
    if members.is_empty() {
        return left.into_iter().collect();
    }
    members
}

/// Whether a folder is one of a member's, or in one.
fn is_within(folder: &str, members: &[Member<'_>]) -> bool {
    members.iter().any(|member| {
        folder
            .strip_prefix(member.sources.folder())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Leaves out what is only there for the others.
fn without_libraries(members: &mut Vec<Member<'_>>) {
    if !members.iter().all(is_library) {
        members.retain(|member| !is_library(member));
    }
}

/// Whether a program is only there for others: tools, and a package that has a main file, but nothing that starts it.
fn is_library(member: &Member<'_>) -> bool {
    let folder = member.sources.folder();
    let last = folder.rsplit('/').next().unwrap_or("");
    if PACKAGING.contains(&last) && member.found.application.language == "other" {
        return true;
    }
    let first = folder.split('/').next().unwrap_or("");
    let command = member.found.application.run_command.as_deref();
    let is_beside = member.service.is_none()
        && member.found.strength == Strength::Program
        && member.found.application.ports.is_empty();
    if TOOLS.contains(&first) {
        return is_beside;
    }
    LIBRARIES.contains(&first)
        && is_beside
        && command.is_some_and(|command| !command.contains(" run ") && !command.contains(" start"))
}

/// Whether a program can be started by itself.
fn starts(member: &Member<'_>) -> bool {
    member.found.strength >= Strength::Program && !member.found.delegates
}

/// What files at the root say of the folders.
struct Composed<'c> {
    blueprints: Blueprints,
    compose: Option<&'c Compose>,
    built: Vec<&'c Service>,
}

impl Composed<'_> {
    /// The services of a folder, the one that stands for it first.
    fn of_folder<'s>(&'s self, folder: &'s str) -> impl Iterator<Item = &'s Service> {
        let built = self.built.iter().copied();
        built.filter(move |service| service.folder.as_deref() == Some(folder))
    }

    /// The service of a folder, else the one that is built around it, where no member stands for that.
    fn around<'s>(&'s self, folder: &'s str, members: &[Member<'_>]) -> Option<&'s Service> {
        let of = |service: &&Service| {
            let around = service.folder.as_deref().unwrap_or("");
            let rest = folder.strip_prefix(around).filter(|_| !around.is_empty());
            let is_taken = members
                .iter()
                .any(|member| member.service.as_ref() == Some(&service.name));
            !is_taken && rest.is_some_and(|rest| rest.starts_with('/'))
        };
        self.of_folder(folder)
            .next()
            .or_else(|| self.built.iter().copied().find(of))
    }

    /// The folders that are built, but for the root.
    fn folders(&self) -> Vec<&str> {
        let mut folders: Vec<&str> = Vec::new();
        for service in &self.built {
            let folder = service.folder.as_deref().unwrap_or("");
            if !folder.is_empty() && !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// Beside a program at the root, others in folders that are named for it are not taken without a word.
    fn ask_about_others(&self, root: &Sources<'_>, members: &[Member<'_>]) {
        let built: Vec<&str> = members
            .iter()
            .flat_map(|member| &member.found.application.build_commands)
            .chain(
                members
                    .first()
                    .and_then(|first| first.found.application.run_command.as_ref()),
            )
            .map(String::as_str)
            .collect();
        for folder in PAGES.into_iter().chain(SERVERS) {
            let has_marker = ecosystem::ALL
                .iter()
                .flat_map(|ecosystem| ecosystem.markers)
                .any(|marker| root.has(&format!("{folder}/{marker}")));
            let is_of_root = members
                .iter()
                .skip(1)
                .any(|member| member.sources.folder() == folder)
                || built.iter().any(|command| command.contains(folder));
            if !has_marker || is_of_root {
                continue;
            }
            let below = root.below(folder);
            if let Some(other) = self.program(below).filter(starts) {
                root.problem(
                    format!(
                        "Is {folder} a program of its own? It looks like {}, but only what is at the root was taken.",
                        headline(&other.found.application)
                    ),
                    format!("ergon project add {folder}, or add it to applications in ergon.json"),
                );
            }
        }
    }

    /// Whether a workspace's program is that of a folder of its own, beside others that are no part of the workspace.
    fn is_one_of_several(&self, root: &Sources<'_>, member: &Member<'_>) -> bool {
        let entrypoint = member.found.application.entrypoint.as_deref();
        let Some((folder, _)) = entrypoint.and_then(|file| file.rsplit_once('/')) else {
            return false;
        };
        let has_own = |folder: &str| {
            ["go.mod", "Cargo.toml"]
                .iter()
                .any(|file| root.has(&format!("{folder}/{file}")))
        };
        let mut ends = folder.match_indices('/').map(|(at, _)| at);
        let own = ends
            .find(|at| has_own(&folder[..*at]))
            .map(|at| &folder[..at])
            .or_else(|| has_own(folder).then_some(folder));
        let Some(own) = own.filter(|_| member.service.is_none()) else {
            return false;
        };
        let mut others = folders(root).into_iter().filter(|other| {
            let is_own = other
                .strip_prefix(own)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            !is_own && !has_own(other)
        });
        others.any(|other| {
            let other = self.program(root.below(&other)).filter(starts);
            other.is_some_and(|other| !is_library(&other))
        })
    }

    /// The program in a folder.
    fn program<'a>(&self, sources: Sources<'a>) -> Option<Member<'a>> {
        let folder = sources.folder().to_owned();
        let service = self.of_folder(&folder).next();
        self.program_of(sources, service, false)
    }

    /// The folder's other services, where each is started by a command of its own.
    fn others_of<'a>(&self, sources: &Sources<'a>) -> Vec<Member<'a>> {
        let folder = sources.folder().to_owned();
        let others = self.of_folder(&folder).skip(1);
        others
            .filter(|service| {
                self.compose
                    .is_some_and(|compose| compose.has_command(service))
            })
            .filter_map(|service| self.program_of(sources.same(), Some(service), true))
            .filter(starts)
            .collect()
    }

    fn program_of<'a>(
        &self,
        sources: Sources<'a>,
        service: Option<&Service>,
        one_of_several: bool,
    ) -> Option<Member<'a>> {
        let mut declared = Declared::of(&sources, &self.blueprints);
        let mut found = strongest(&sources);
        if let Some(named) = declared.language() {
            let at = found
                .iter()
                .position(|(ecosystem, _)| ecosystem.languages.contains(&named));
            if let Some(at) = at {
                let named = found.remove(at);
                found.insert(0, named);
            }
        }
        let mut found = found.into_iter();
        let taken = found.next().map(|(_, found)| found);
        // Beside a framework, a `package.json` that only builds a site's looks is no second program.
        let least = match &taken {
            Some(taken) if taken.strength == Strength::Framework => Strength::Program,
            _ => Strength::Sources,
        };
        let others = found
            .filter(|(_, found)| found.strength >= least)
            .map(|(ecosystem, _)| ecosystem.name)
            .filter(|name| !matches!(*name, "Static" | "Shell"))
            .filter(|name| *name != "Node" || !taken.as_ref().is_some_and(builds_with_node))
            .collect();
        if let (Some(compose), Some(service)) = (self.compose, service) {
            compose.declare(service, one_of_several, &sources, &mut declared);
        }
        let mut found = declared::apply(&sources, declared, taken)?;
        let reached = service
            .zip(self.compose)
            .is_none_or(|(service, compose)| compose.is_reached(service));
        if one_of_several && !reached {
            // What listens is the other one.
            found.application.ports.clear();
            found.application.health = None;
            let of_listening = [Topic::Port, Topic::Health];
            found
                .report
                .facts
                .retain(|fact| !of_listening.contains(&fact.topic));
        }
        Some(Member {
            found,
            sources,
            others,
            service: service.map(|service| service.name.clone()),
        })
    }
}

/// Whether the looks of a site are built with a package manager of Node, as a part of the program.
fn builds_with_node(found: &Found) -> bool {
    let mut commands = found.application.build_commands.iter();
    commands.any(|command| {
        let program = command.split(' ').next().unwrap_or("");
        matches!(program, "npm" | "pnpm" | "yarn" | "bun")
    })
}

/// What every language makes of a folder, the strongest answer first.
fn strongest(sources: &Sources<'_>) -> Vec<(&'static Ecosystem, Found)> {
    let mut found: Vec<(&Ecosystem, Found)> = ecosystem::ALL
        .iter()
        .filter_map(|ecosystem| Some((*ecosystem, (ecosystem.detect)(sources)?)))
        .collect();
    // A stable sort: between equals, the one that stands first.
    found.sort_by_key(|(_, found)| std::cmp::Reverse(found.strength));
    // A script that starts a program of another language is not the program.
    if found
        .first()
        .is_some_and(|(first, _)| first.name == "Shell")
    {
        let other = found
            .iter()
            .position(|(_, found)| found.application.run_command.is_none());
        if let Some(other) = other {
            let other = found.remove(other);
            found.insert(0, other);
        }
    }
    found
}

/// The folders in which something shows a program, outermost first.
fn folders(root: &Sources<'_>) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    for path in root.files() {
        let Some((folder, name)) = path.rsplit_once('/') else {
            continue;
        };
        let marks = MARKERS.contains(&name)
            || ecosystem::ALL.iter().any(|ecosystem| {
                ecosystem
                    .markers
                    .iter()
                    .any(|marker| is_marked(name, marker))
            });
        let deep = folder.split('/').count() > DEEPEST;
        if marks && !deep && !folders.iter().any(|known| known == folder) {
            folders.push(folder.to_owned());
        }
        if folders.len() == MOST_FOLDERS {
            break;
        }
    }
    folders
}

/// Whether a file's name is the marker, where `*` stands for its beginning.
pub(crate) fn is_marked(name: &str, marker: &str) -> bool {
    match marker.strip_prefix('*') {
        Some(ending) => name.ends_with(ending),
        None => name == marker,
    }
}
