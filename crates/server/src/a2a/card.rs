//! Agent cards, out of the directory.

use std::collections::BTreeSet;

use percent_encoding::utf8_percent_encode;

use crate::api::{
    AgentCapabilities, AgentCard, AgentHttpAuth, AgentInterface, AgentScopes,
    AgentSecurityRequirement, AgentSecurityScheme, AgentSkill, Companion,
};
use crate::mcp::SEGMENT;

/// Where agents look for a card, below the address of whom it is of.
const CARD_PATH: &str = "/.well-known/agent-card.json";
/// So many of the things somebody can are skills on a card.
const SKILLS: usize = 64;
/// Longer words of somebody else's are cut.
const LONGEST: usize = 200;

/// A companion's card. `base` is the stack's address, as whoever asks wrote it.
pub fn card(companion: &Companion, base: &str) -> AgentCard {
    let address = address(base, &companion.name);
    let interface = |version: &str| AgentInterface {
        url: format!("{address}/a2a"),
        protocol_binding: "JSONRPC".to_owned(),
        protocol_version: version.to_owned(),
    };
    let token = || "token".to_owned();
    let scheme = AgentSecurityScheme {
        http_auth_security_scheme: AgentHttpAuth {
            description: "A token of the stack: what `ergon token` prints, or one of your own."
                .to_owned(),
            scheme: "Bearer".to_owned(),
        },
    };
    AgentCard {
        name: companion.name.clone(),
        description: description(companion),
        supported_interfaces: vec![interface("1.0"), interface("0.3")],
        version: env!("CARGO_PKG_VERSION").to_owned(),
        capabilities: AgentCapabilities {
            streaming: true,
            push_notifications: false,
            extended_agent_card: false,
        },
        security_schemes: [(token(), scheme)].into(),
        security_requirements: vec![AgentSecurityRequirement {
            schemes: [(token(), AgentScopes::default())].into(),
        }],
        default_input_modes: vec!["text/plain".to_owned()],
        default_output_modes: vec!["text/plain".to_owned()],
        skills: skills(companion),
    }
}

/// The stack's own card: its companion's, and where those of the others are.
pub fn stack_card(companion: &Companion, base: &str) -> AgentCard {
    let mut card = card(companion, base);
    card.skills.push(AgentSkill {
        id: "companions".to_owned(),
        name: "Companions".to_owned(),
        description: format!(
            "Each companion has a card of its own, at {base}/api/v1/companions/NAME{CARD_PATH}; {base}/api/v1/companions lists them."
        ),
        tags: vec!["directory".to_owned()],
        examples: Vec::new(),
    });
    card
}

/// Where somebody is, for agents.
fn address(base: &str, name: &str) -> String {
    let name = utf8_percent_encode(name, SEGMENT);
    format!("{base}/api/v1/companions/{name}")
}

/// What it is there for, where somebody says so, else what it is.
fn description(companion: &Companion) -> String {
    let purpose = companion.purpose.as_deref().map(str::trim);
    if let Some(purpose) = purpose.filter(|purpose| !purpose.is_empty()) {
        return cut(purpose);
    }
    match companion.kind.as_str() {
        "tekton" => {
            "An Ergon stack: it packages folders of source into images, runs and watches them."
                .to_owned()
        }
        "container" => {
            let container = companion.container.as_deref().unwrap_or(&companion.name);
            format!(
                "It watches the container {container} and says what is wrong with it, with evidence."
            )
        }
        "project" => "It knows a project and what was built of it.".to_owned(),
        kind => format!("Of type {kind}, registered here as {}.", companion.name),
    }
}

/// Everybody takes messages; what else somebody says they can is a skill each.
fn skills(companion: &Companion) -> Vec<AgentSkill> {
    let mut tags = vec![companion.kind.clone()];
    tags.extend(companion.specialties.iter().map(|word| cut(word)));
    let ask = AgentSkill {
        id: "ask".to_owned(),
        name: "Ask".to_owned(),
        description: "It takes a message in plain words and answers it.".to_owned(),
        tags: tags.clone(),
        examples: match companion.kind.as_str() {
            "tekton" | "container" | "project" => vec!["how are you?".to_owned()],
            _ => Vec::new(),
        },
    };
    let mut seen = BTreeSet::from([ask.id.clone(), "companions".to_owned()]);
    let words = companion.capabilities.iter().map(|word| cut(word));
    let others = words
        .filter(|word| !word.is_empty() && seen.insert(word.clone()))
        .take(SKILLS)
        .map(|word| AgentSkill {
            id: word.clone(),
            description: format!("It says of itself that it can: {word}."),
            name: word,
            tags: tags.clone(),
            examples: Vec::new(),
        });
    std::iter::once(ask).chain(others).collect()
}

fn cut(text: &str) -> String {
    text.chars()
        .take(LONGEST)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn companion() -> Companion {
        Companion {
            name: "Web-CI".to_owned(),
            kind: "container".to_owned(),
            capabilities: vec!["explain".to_owned(), "ask".to_owned(), "explain".to_owned()],
            specialties: vec!["http".to_owned()],
            ..Companion::default()
        }
    }

    #[test]
    fn a_card_says_where_one_speaks_and_what_can_be_asked() {
        let card = card(&companion(), "http://localhost:7411");
        let urls: Vec<_> = card
            .supported_interfaces
            .iter()
            .map(|way| (way.url.as_str(), way.protocol_version.as_str()))
            .collect();
        let url = "http://localhost:7411/api/v1/companions/Web-CI/a2a";
        assert_eq!(urls, [(url, "1.0"), (url, "0.3")]);
        let skills: Vec<_> = card.skills.iter().map(|skill| skill.id.as_str()).collect();
        assert_eq!(skills, ["ask", "explain"], "each once");
        assert_eq!(card.skills[0].tags, ["container", "http"]);
        assert!(
            card.description.contains("container"),
            "{}",
            card.description
        );
    }

    #[test]
    fn what_somebody_says_of_themselves_has_an_end() {
        let talker = Companion {
            purpose: Some("x".repeat(10_000)),
            capabilities: (0..1000).map(|number| format!("skill {number}")).collect(),
            ..companion()
        };
        let card = card(&talker, "http://localhost:7411");
        assert_eq!(card.description.len(), LONGEST);
        assert_eq!(card.skills.len(), SKILLS + 1);
    }
}
