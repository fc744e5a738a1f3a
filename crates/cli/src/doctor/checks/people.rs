//! Questions about who may do what, and whether it can be shown afterwards.

use jiff::Timestamp;

use super::super::facts::Facts;
use super::super::{Answer, Level};
use super::finding;

const DAY: i64 = 24 * 60 * 60;
/// A token that is older was about for long.
const OLD: i64 = 180;
/// What ends in fewer days ends soon.
const SOON: i64 = 30;
/// A log with more entries is worth a checkpoint elsewhere.
const WORTH_KEEPING: u64 = 100;

/// Whether the owner's token has been about for long.
pub fn token(facts: &Facts) -> Answer {
    let days = (facts.now - facts.token_made.clone()?) / DAY;
    let path = facts.data.join("token");
    Ok(Vec::from_iter((days > OLD).then(|| {
        finding(
            Level::Unwise,
            format!("the owner's token is {days} days old"),
            "it opens everything, and has been in more places than anybody remembers",
            format!(
                "rm {} and start the stack anew: it makes another",
                path.display()
            ),
        )
    })))
}

/// Whether robots end, and may no more than they need.
pub fn robots(facts: &Facts) -> Answer {
    let mut found = Vec::new();
    for robot in facts.robots.clone()?.iter().filter(|robot| !robot.expired) {
        let name = &robot.name;
        if robot.expires_at.is_none() {
            found.push(finding(
                Level::Unwise,
                format!("robot {name} does not end by itself"),
                "a secret that leaked is good until somebody notices",
                format!("ergon registry robot remove {name}, and add it again with --days 90"),
            ));
        }
        if robot.roles.iter().any(|role| role == "owner") {
            found.push(finding(
                Level::Unwise,
                format!("robot {name} is an owner"),
                "whoever has its secret may do everything, also say who else may what",
                format!("add another with a role that does: ergon help registry robot add; then ergon registry robot remove {name}"),
            ));
        }
        let everything = robot.allow.iter().find(|allowed| {
            let (repositories, verbs) = allowed.split_once(':').unwrap_or((allowed, ""));
            verbs == "*" || repositories == "*" && verbs != "pull"
        });
        if let Some(everything) = everything {
            found.push(finding(
                Level::Unwise,
                format!("robot {name} may `{everything}`"),
                "whoever has its secret can replace every image that anybody runs",
                format!("add another with what it needs: --allow 'team/*:pull,push'; then ergon registry robot remove {name}"),
            ));
        }
    }
    Ok(found)
}

/// What is done without asking anybody.
pub fn guard_rails(facts: &Facts) -> Answer {
    let rails = facts.guard_rails.clone()?;
    Ok(rails
        .iter()
        .map(|rail| {
            finding(
                Level::Unwise,
                format!(
                    "guard-rail {}: {} is done to {} up to {} times without asking",
                    rail.name, rail.action, rail.container, rail.times
                ),
                "what a container prints can lead to it, and nobody looks before it is done",
                format!(
                    "if that is not meant: ergon guard-rail remove {}",
                    rail.name
                ),
            )
        })
        .collect())
}

/// What anybody can pull.
pub fn repositories(facts: &Facts) -> Answer {
    let repositories = facts.repositories.clone()?;
    let public = repositories
        .iter()
        .filter(|repository| repository.anonymous_pull);
    Ok(public
        .map(|repository| {
            let name = &repository.name;
            finding(
                Level::Unwise,
                format!("anybody may pull from repository {name}"),
                "whoever reaches this machine has what is in its images",
                format!("if that is not meant: ergon registry repository set {name} --anonymous-pull off"),
            )
        })
        .collect())
}

/// Whether what was done can be shown.
pub fn audit(facts: &Facts) -> Answer {
    let report = facts.audit.clone()?;
    let mut found: Vec<_> = report
        .problems
        .iter()
        .map(|problem| {
            finding(
                Level::Unsafe,
                format!("the audit log is not what it was: {problem}"),
                "somebody changed what says who did what, or the disk did",
                "ergon audit verify says all; keep a copy of the folder `audit` before anything else is done",
            )
        })
        .collect();
    if !facts.has_checkpoint && report.entries >= WORTH_KEEPING {
        found.push(finding(
            Level::Unwise,
            "no checkpoint of the audit log was shown that is kept elsewhere",
            "whoever has the data folder can write the whole log anew, and only that would show it",
            "ergon audit checkpoint > ELSEWHERE now and then; ergon doctor --checkpoint ELSEWHERE compares",
        ));
    }
    Ok(found)
}

/// What does not work as it should.
pub fn parts(facts: &Facts) -> Answer {
    let session = facts.session.clone()?;
    let mut found = Vec::new();
    if !session.engine_reachable {
        found.push(finding(
            Level::Unwise,
            format!("the container engine is not reached: {}", session.engine),
            "nobody watches the containers meanwhile",
            "start it: systemctl start docker",
        ));
    }
    for companion in facts.companions.clone()? {
        if companion.health == "down" {
            let reason = companion.reason.unwrap_or_default();
            let name = companion.name;
            found.push(finding(
                Level::Unwise,
                format!("companion {name} is down: {reason}"),
                "what it watches is watched by nobody",
                format!("aish {name} \"how are you?\"; or have it leave: ergon companion deregister {name}"),
            ));
        }
    }
    for server in facts.tool_servers.clone()? {
        let name = &server.name;
        if server.health != "up" {
            let reason = server.reason.clone().unwrap_or_default();
            found.push(finding(
                Level::Unwise,
                format!("server of tools {name} is {}: {reason}", server.health),
                "agents that count on its tools do without",
                format!("start it, or remove it: ergon mcp remove {name}"),
            ));
        }
        for tool in server.tools.iter().filter(|tool| tool.standing == "held") {
            found.push(finding(
                Level::Unsafe,
                format!("tool {} is not what it was when it was approved", tool.name),
                "a server that changes its tools afterwards may mean something else by them",
                format!(
                    "look at it, and say yes or no: ergon mcp list, ergon mcp approve {name} TOOL"
                ),
            ));
        }
    }
    Ok(found)
}

/// Whether the stack's own authority goes on, and where its key is.
pub fn authority(facts: &Facts) -> Answer {
    let authority = facts.authority.clone()?;
    let mut found = Vec::new();
    let until = authority.issuing_expires_at.parse::<Timestamp>();
    let days = until.map_or(0, |until| (until.as_second() - facts.now) / DAY);
    if days < SOON {
        found.push(finding(
            Level::Unwise,
            format!("what issues certificates ends in {} days", days.max(0)),
            "after that no companion has its certificate renewed, and the stack neither",
            "bring the root's key back for a moment: ergon ca renew --key FILE",
        ));
    }
    Ok(found)
}
