//! What names in a manifest point at: nothing dangles, nothing is left over, nothing goes in circles.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Problem, Report, code, quoted};
use crate::grammar::LONGEST_NAME;
use crate::suggestion::nearest;
use crate::written::{Texts, Written};

/// Every name that points at something, with its place.
///
/// `None` and `…_complete: false` mean that something could not be read. That is reported already, and a
/// rule that would have needed it stays silent rather than guess.
#[derive(Default)]
pub(crate) struct Names {
    pub applications: Option<Vec<Written>>,
    /// The names of all containers, also of those that are no objects.
    pub all_containers: Option<Vec<Written>>,
    pub containers: Vec<ContainerNames>,
    pub containers_complete: bool,
    pub build_order: Texts,
}

/// The names in one container.
pub(crate) struct ContainerNames {
    pub name: Written,
    pub applications: Vec<Written>,
    pub applications_complete: bool,
    pub depends_on: Vec<Written>,
    /// Its companion's name, written or by default.
    pub companion: Option<Written>,
}

/// Reports every name that does not fit with the others.
pub(crate) fn check(names: &Names, report: &mut Report) {
    applications(names, report);
    companions(names, report);
    dependencies(names, report);
    build_order(names, report);
}

fn problem(code: &'static str, at: &Written, message: String, help: impl Into<String>) -> Problem {
    Problem {
        code,
        span: at.span.clone(),
        path: at.path.clone(),
        message,
        help: Some(help.into()),
    }
}

fn texts(names: &[Written]) -> BTreeSet<&str> {
    names.iter().map(|name| name.text.as_str()).collect()
}

/// What there is, for a name that is not among it.
fn suggest(wrong: &str, known: &BTreeSet<&str>) -> String {
    // Comparing is slow; with so many names a list of them would not help either.
    let comparable = known.iter().take(100).map(|name| (*name, *name));
    if let Some(name) = nearest(wrong, comparable) {
        return format!("did you mean {}?", quoted(name));
    }
    let mut shown: Vec<_> = known.iter().take(8).map(|name| quoted(name)).collect();
    match known.len() {
        0 => return "there is none yet".to_owned(),
        1..=8 => {}
        _ => shown.push("…".to_owned()),
    }
    format!("there is {}", shown.join(", "))
}

fn applications(names: &Names, report: &mut Report) {
    let Some(applications) = &names.applications else {
        return;
    };
    let known = texts(applications);
    let mut used = BTreeSet::new();
    for name in names
        .containers
        .iter()
        .flat_map(|container| &container.applications)
    {
        used.insert(name.text.as_str());
        if !known.contains(name.text.as_str()) {
            let message = format!(
                "{} names {}, which is not an application",
                name.path,
                quoted(&name.text)
            );
            report.push(problem(
                code::UNKNOWN_APPLICATION,
                name,
                message,
                suggest(&name.text, &known),
            ));
        }
    }
    if !names.containers_complete
        || !names
            .containers
            .iter()
            .all(|container| container.applications_complete)
    {
        return;
    }
    for application in applications
        .iter()
        .filter(|application| !used.contains(application.text.as_str()))
    {
        let message = format!("{} is in no container", application.path);
        let help = format!(
            "add {} to a container's `applications`",
            quoted(&application.text)
        );
        report.push(problem(
            code::UNUSED_APPLICATION,
            application,
            message,
            help,
        ));
    }
}

fn companions(names: &Names, report: &mut Report) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for container in &names.containers {
        let Some(companion) = &container.companion else {
            continue;
        };
        if let Some(owner) = owners.insert(&companion.text, &container.name.text) {
            let message = format!(
                "{} has the companion {}, and so has container {}",
                container.name.path,
                quoted(&companion.text),
                quoted(owner)
            );
            let help = "give one of them another `ci_name`";
            report.push(problem(code::DUPLICATE_COMPANION, companion, message, help));
        }
        let is_default = companion.span == container.name.span;
        if is_default
            && companion.text.len() > LONGEST_NAME
            && container.name.text.len() <= LONGEST_NAME
        {
            let message = format!(
                "{} is too long for its companion {}",
                container.name.path,
                quoted(&companion.text)
            );
            report.push(problem(
                code::NAME,
                companion,
                message,
                "give the companion a `ci_name` of its own",
            ));
        }
    }
}

fn dependencies(names: &Names, report: &mut Report) {
    let Some(container_names) = &names.all_containers else {
        return;
    };
    let known = texts(container_names);
    for name in names
        .containers
        .iter()
        .flat_map(|container| &container.depends_on)
    {
        if !known.contains(name.text.as_str()) {
            let message = format!(
                "{} names {}, which is not a container",
                name.path,
                quoted(&name.text)
            );
            report.push(problem(
                code::UNKNOWN_CONTAINER,
                name,
                message,
                suggest(&name.text, &known),
            ));
        }
    }
    cycles(&names.containers, report);
}

/// Depth first without recursion: a manifest may hold a chain as long as its text.
fn cycles(containers: &[ContainerNames], report: &mut Report) {
    let index: BTreeMap<&str, usize> = containers
        .iter()
        .enumerate()
        .map(|(index, container)| (container.name.text.as_str(), index))
        .collect();
    let mut states = vec![State::New; containers.len()];
    for start in 0..containers.len() {
        // On the path: a container and which of its dependencies comes next.
        let mut path = Vec::new();
        if states[start] == State::New {
            states[start] = State::OnPath(0);
            path.push((start, 0));
        }
        while let Some((current, next)) = path.last_mut() {
            let Some(dependency) = containers[*current].depends_on.get(*next) else {
                states[*current] = State::Done;
                path.pop();
                continue;
            };
            *next += 1;
            let Some(&target) = index.get(dependency.text.as_str()) else {
                continue;
            };
            match states[target] {
                State::New => {
                    states[target] = State::OnPath(path.len());
                    path.push((target, 0));
                }
                State::OnPath(depth) => {
                    let circle = path[depth..]
                        .iter()
                        .map(|(member, _)| containers[*member].name.text.as_str());
                    report.push(cycle(dependency, circle));
                }
                State::Done => {}
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    /// At this depth of the path that is being followed.
    OnPath(usize),
    Done,
}

fn cycle<'n>(at: &'n Written, mut circle: impl Iterator<Item = &'n str>) -> Problem {
    let mut shown: Vec<_> = circle.by_ref().take(8).map(str::to_owned).collect();
    if circle.next().is_some() {
        shown.push("…".to_owned());
    }
    shown.push(at.text.clone());
    let message = format!("{} closes a circle: {}", at.path, shown.join(" → "));
    problem(
        code::CYCLE,
        at,
        message,
        "none of them could be first; take one dependency out",
    )
}

fn build_order(names: &Names, report: &mut Report) {
    let order = &names.build_order;
    let Some(containers) = &names.all_containers else {
        return;
    };
    let known = texts(containers);
    let mut places = BTreeMap::new();
    for (place, name) in order.items.iter().enumerate() {
        places.entry(name.text.as_str()).or_insert((place, name));
        if !known.contains(name.text.as_str()) {
            let message = format!(
                "{} names {}, which is not a container",
                name.path,
                quoted(&name.text)
            );
            report.push(problem(
                code::UNKNOWN_CONTAINER,
                name,
                message,
                suggest(&name.text, &known),
            ));
        }
    }
    for container in &names.containers {
        let Some((place, at)) = places.get(container.name.text.as_str()) else {
            continue;
        };
        for dependency in &container.depends_on {
            let too_late = places
                .get(dependency.text.as_str())
                .is_some_and(|(other, _)| other > place);
            if too_late {
                let (container, dependency) =
                    (quoted(&container.name.text), quoted(&dependency.text));
                let message = format!(
                    "{} builds {container} before {dependency}, which it depends on",
                    at.path
                );
                let help =
                    format!("put {dependency} before {container}, or leave `build_order` out");
                report.push(problem(code::BUILD_ORDER, at, message, help));
            }
        }
    }
    // An empty order is no order; an order with holes in it was reported.
    if order.items.is_empty() || !order.whole {
        return;
    }
    for container in containers
        .iter()
        .filter(|container| !places.contains_key(container.text.as_str()))
    {
        let message = format!("{} is not in packaging.build_order", container.path);
        let help = format!(
            "add {} to it, or leave `build_order` out",
            quoted(&container.text)
        );
        report.push(problem(
            code::BUILD_ORDER_INCOMPLETE,
            container,
            message,
            help,
        ));
    }
}
