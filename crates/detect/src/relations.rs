//! Which programs of a project talk to which, and the tier of each.

mod mentions;

use ergon_manifest::{Application, Tier};

use self::mentions::Mention;
use crate::analysis::{Confidence, Topic};
use crate::declared::{Compose, names_host};
use crate::members::Member;
use crate::web_server;

/// What people talk to: sites, and what renders them.
const FRONTENDS: [&str; 35] = [
    "angular",
    "astro",
    "create-react-app",
    "cra",
    "docusaurus",
    "eleventy",
    "ember",
    "expo",
    "fresh",
    "gatsby",
    "hugo",
    "jekyll",
    "lit",
    "mdbook",
    "mkdocs",
    "next",
    "nuxt",
    "preact",
    "qwik",
    "react",
    "react-router",
    "remix",
    "solid",
    "solid-start",
    "static",
    "streamlit",
    "svelte",
    "sveltekit",
    "tanstack-start",
    "vite",
    "vitepress",
    "vue",
    "vuepress",
    "waku",
    "zola",
];
/// Words in the names of what stands between others.
const BETWEEN: [&str; 14] = [
    "broker",
    "caddy",
    "celery",
    "consumer",
    "envoy",
    "gateway",
    "haproxy",
    "nginx",
    "proxy",
    "queue",
    "scheduler",
    "traefik",
    "worker",
    "workers",
];
/// Words in the names of what people see.
const SEEN: [&str; 6] = ["frontend", "ui", "webapp", "website", "client", "dashboard"];
/// What keeps data for others, as the kind of a program.
const STORES: [&str; 5] = ["mariadb", "mongodb", "mysql", "postgresql", "redis"];
/// Services that hand on messages.
const MESSAGES: [&str; 4] = ["rabbitmq", "kafka", "nats", "redis"];

/// What one program is among the others.
pub struct Place {
    pub tier: Tier,
    /// By their index.
    pub depends_on: Vec<usize>,
}

/// One program that talks to another.
struct Edge {
    caller: usize,
    called: usize,
    confidence: Confidence,
    from: String,
    why: String,
}

/// The place of each program, with the facts that tell of it added.
pub fn connect(
    members: &mut [Member<'_>],
    names: &[String],
    compose: Option<&Compose>,
) -> Vec<Place> {
    let tiers: Vec<_> = members
        .iter()
        .zip(names)
        .map(|(member, name)| tier(&member.found.application, name))
        .collect();
    let mut edges = Vec::new();
    if let Some(compose) = compose {
        composed(compose, members, &mut edges);
    }
    let ports: Vec<_> = members
        .iter()
        .map(|member| member.found.application.ports.clone())
        .collect();
    let aliases: Vec<_> = members
        .iter()
        .zip(names)
        .map(|(member, name)| aliases(member, name))
        .collect();
    // What runs in a browser never means the server that its own files come from.
    let in_browser: Vec<_> = members
        .iter()
        .map(|member| web_server::serves(&member.found.application))
        .collect();
    for (caller, member) in members.iter().enumerate() {
        for mention in mentions::of(member) {
            if let Some(called) = meant(&mention, caller, &aliases, &ports, &tiers, &in_browser) {
                edges.push(Edge {
                    caller,
                    called,
                    confidence: Confidence::Likely,
                    why: mention.why(),
                    from: mention.from,
                });
            }
        }
    }
    // What is written for it goes before what only follows.
    edges.sort_by_key(|edge| edge.confidence != Confidence::Certain);
    let mut places: Vec<_> = tiers
        .iter()
        .map(|tier| Place {
            tier: *tier,
            depends_on: Vec::new(),
        })
        .collect();
    for edge in edges {
        let Edge { caller, called, .. } = edge;
        // Who is called may name who calls, as where answers are allowed to go.
        let upwards = edge.confidence != Confidence::Certain && tiers[caller] < tiers[called];
        if upwards
            || caller == called
            || places[caller].depends_on.contains(&called)
            || reaches(&places, called, caller)
        {
            continue;
        }
        places[caller].depends_on.push(called);
        let report = &mut members[caller].found.report;
        let fact = match edge.confidence {
            Confidence::Certain => report.certain(Topic::Service, &names[called], &edge.from),
            _ => report.likely(Topic::Service, &names[called], &edge.from),
        };
        fact.note(format!("part of this project; {}", edge.why));
    }
    places
}

/// Whether one program depends on another, through others as well.
fn reaches(places: &[Place], from: usize, to: usize) -> bool {
    let mut seen = vec![false; places.len()];
    let mut next = vec![from];
    while let Some(at) = next.pop() {
        if at == to {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            next.extend(&places[at].depends_on);
        }
    }
    false
}

/// What the compose file says of its services.
fn composed(compose: &Compose, members: &[Member<'_>], edges: &mut Vec<Edge>) {
    let of_service = |name: &str| {
        members
            .iter()
            .position(|member| member.service.as_deref() == Some(name))
    };
    for service in compose.built() {
        let Some(caller) = of_service(&service.name) else {
            continue;
        };
        let up = "../".repeat(
            members[caller]
                .sources
                .folder()
                .split('/')
                .filter(|one| !one.is_empty())
                .count(),
        );
        let mut add = |called: Option<usize>, from: String, why: String| {
            if let Some(called) = called {
                edges.push(Edge {
                    caller,
                    called,
                    confidence: Confidence::Certain,
                    from: format!("{up}{from}"),
                    why,
                });
            }
        };
        for (name, from) in compose.waits_for(service) {
            add(
                of_service(&name),
                from,
                "the compose file starts it first".to_owned(),
            );
        }
        for (variable, value, from) in compose.variables(service) {
            for other in compose.built() {
                if names_host(&value, &other.name) {
                    add(
                        of_service(&other.name),
                        from.clone(),
                        format!("{variable} names it"),
                    );
                }
            }
        }
    }
}

/// By which names others may speak of a program, each as [`squeezed`].
fn aliases(member: &Member<'_>, name: &str) -> Vec<String> {
    let folder = member.sources.folder().rsplit('/').next().unwrap_or("");
    let service = member.service.as_deref();
    let mut aliases: Vec<_> = [Some(name), service, Some(folder)]
        .into_iter()
        .flatten()
        .map(squeezed)
        .collect();
    let short: Vec<_> = aliases
        .iter()
        .filter_map(|alias| {
            ["service", "svc", "server", "api"]
                .iter()
                .find_map(|end| alias.strip_suffix(end))
        })
        .map(str::to_owned)
        .collect();
    aliases.extend(short);
    aliases.retain(|alias| alias.len() > 1);
    aliases.sort();
    aliases.dedup();
    aliases
}

/// A name without what its words are joined by: `product-catalog` and `productcatalog` are one.
fn squeezed(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Which program is meant; none where that cannot be told.
fn meant(
    mention: &Mention,
    caller: usize,
    aliases: &[Vec<String>],
    ports: &[Vec<u16>],
    tiers: &[Tier],
    in_browser: &[bool],
) -> Option<usize> {
    let others = || (0..aliases.len()).filter(|at| *at != caller);
    let only = |fits: &dyn Fn(usize) -> bool| {
        let mut fitting = others().filter(|at| fits(*at));
        fitting.next().filter(|_| fitting.next().is_none())
    };
    match &mention.what {
        mentions::What::Host(host) => only(&|at| aliases[at].contains(&squeezed(host))),
        mentions::What::Port(port) => {
            // Where several listen there, none is meant for sure.
            only(&|at| ports[at].contains(port))
                .filter(|_| !ports[caller].contains(port) || in_browser[caller])
        }
        mentions::What::Variable(stem) => only(&|at| aliases[at].contains(&squeezed(stem)))
            .or_else(|| {
                let generic = ["api", "backend", "server", "api-base", "backend-api"];
                generic
                    .contains(&stem.as_str())
                    .then(|| only(&|at| tiers[at] == Tier::Backend))?
            }),
    }
}

fn tier(application: &Application, name: &str) -> Tier {
    let mut words = name.split('-');
    let has = |known: &[&str]| name.split('-').any(|word| known.contains(&word));
    if web_server::serves(application)
        || FRONTENDS.contains(&application.kind.as_str())
        || has(&SEEN)
        || name.contains("front-end")
    {
        return Tier::Frontend;
    }
    if STORES.contains(&application.kind.as_str()) {
        return Tier::Database;
    }
    let hands_on = application.ports.is_empty()
        && application
            .services
            .iter()
            .any(|service| MESSAGES.contains(&service.as_str()));
    let stands_between = BETWEEN.contains(&application.kind.as_str())
        || application.kind == "rabbitmq"
        || has(&BETWEEN);
    if stands_between || hands_on || words.any(|word| word == "bff") {
        Tier::Middleware
    } else {
        Tier::Backend
    }
}
