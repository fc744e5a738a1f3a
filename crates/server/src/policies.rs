//! The texts of a stack's own policies: kept, checked, put in force, and asked about.

use std::slice;

use ergon_store::{NewEvent, PolicyRow, Store, StoreError, now};
use serde_json::json;

use crate::api;
use crate::authorize::{
    self, Action, Channel, Circumstances, Decided, Explained, Fault, Means, Policy, PolicyText,
    Principal, Resource, Role, SHIPPED, broken, check,
};
use crate::people::{OWNER, Person};
use crate::stack::Stack;
use crate::words::rfc3339;

const LONGEST_NAME: usize = 63;
const MOST_TEXTS: usize = 200;
const MOST_CASES: usize = 1000;

/// Why something is not done to a policy.
#[derive(Debug, thiserror::Error)]
pub enum PoliciesError {
    #[error("there are no policies called `{name}`")]
    NotFound { name: String },
    #[error("`{name}` cannot be the name of policies: {why}")]
    Name { name: String, why: &'static str },
    #[error("`{name}` is not kept: {first}{more}", first = first(.faults), more = if .faults.len() == 1 { "" } else { ", and more" })]
    Faults { name: String, faults: Vec<Fault> },
    #[error("`{name}` comes with Ergon and stays as it is")]
    Shipped { name: String },
    #[error("{what} is too much: at most {most}")]
    TooMuch { what: &'static str, most: usize },
    #[error("there is no {what} `{word}`")]
    Unknown { what: &'static str, word: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn first(faults: &[Fault]) -> String {
    faults.first().map(ToString::to_string).unwrap_or_default()
}

impl PoliciesError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NotFound { .. } => "ergon policy list says which there are",
            Self::Name { .. } => "choose another name, as `nights` or `team-web`",
            Self::Faults { .. } => {
                "ergon policy check FILE says everything that is wrong; ergon policy schema says what policies can speak of"
            }
            Self::Shipped { .. } => "write one of your own: what forbids wins over what permits",
            Self::Unknown { what: "action", .. } => "ergon policy schema says which there are",
            Self::Unknown { what: "person", .. } => {
                "ergon person list says who there is; role:viewer stands for anybody with that role"
            }
            Self::Unknown { what: "robot", .. } => "ergon registry robot list says which there are",
            Self::Unknown { .. } | Self::TooMuch { .. } => return None,
            Self::Store(error) => return error.remedy(),
        };
        Some(text.to_owned())
    }
}

/// The policies of a stack as they were kept. What cannot be read any more is said, and until somebody mends it only
/// owners may do anything.
pub async fn open(store: &Store) -> Result<Policy, StoreError> {
    let policy = Policy::new(&texts(&store.policies().await?));
    for (name, faults) in policy.broken() {
        tracing::error!(
            name,
            fault = first(&faults),
            "policies cannot be read; until they are mended or removed, only owners may do anything"
        );
    }
    Ok(policy)
}

fn texts(rows: &[PolicyRow]) -> Vec<PolicyText> {
    let text = |row: &PolicyRow| PolicyText {
        name: row.name.clone(),
        text: row.text.clone(),
    };
    rows.iter().map(text).collect()
}

/// The texts of a stack.
pub struct Policies<'a> {
    stack: &'a Stack,
}

impl<'a> Policies<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    /// What comes with Ergon, and then the stack's own by name.
    pub async fn list(&self) -> Result<Vec<api::PolicyText>, PoliciesError> {
        let shipped = SHIPPED.iter().map(|(name, text)| shipped(name, text));
        let own = self.stack.store().policies().await?;
        Ok(shipped.chain(own.into_iter().map(view)).collect())
    }

    pub async fn read(&self, name: &str) -> Result<api::PolicyText, PoliciesError> {
        let all = self.list().await?;
        let found = all.into_iter().find(|text| text.name == name);
        found.ok_or_else(|| not_found(name))
    }

    /// Keeps a text and has it decide from now on. What has a fault is not kept.
    pub async fn put(
        &self,
        name: &str,
        text: String,
        by: &str,
    ) -> Result<api::PolicyText, PoliciesError> {
        checked_name(name)?;
        let wanted = PolicyText {
            name: name.to_owned(),
            text,
        };
        if let Some((name, faults)) = broken(slice::from_ref(&wanted)).into_iter().next() {
            return Err(PoliciesError::Faults { name, faults });
        }
        let PolicyText { text, .. } = wanted;
        let own = self.stack.store().policies().await?;
        if own.len() >= MOST_TEXTS && !own.iter().any(|row| row.name == name) {
            return Err(PoliciesError::TooMuch {
                what: "the number of texts",
                most: MOST_TEXTS,
            });
        }
        let row = PolicyRow {
            name: name.to_owned(),
            text,
            changed_at: now(),
            changed_by: by.to_owned(),
        };
        let told = NewEvent::new(
            "dev.ergon.policy.changed",
            subject(name),
            json!({ "name": name }),
        );
        let mut change = self.stack.store().change(told).await?;
        change.put_policy(&row).await?;
        change.commit().await?;
        self.enforce().await?;
        Ok(view(row))
    }

    pub async fn remove(&self, name: &str) -> Result<(), PoliciesError> {
        if is_shipped(name) {
            return Err(PoliciesError::Shipped {
                name: name.to_owned(),
            });
        }
        let told = NewEvent::new(
            "dev.ergon.policy.removed",
            subject(name),
            json!({ "name": name }),
        );
        let mut change = self.stack.store().change(told).await?;
        if !change.remove_policy(name).await? {
            return Err(not_found(name));
        }
        change.commit().await?;
        self.enforce().await
    }

    /// Decides by what is kept.
    async fn enforce(&self) -> Result<(), PoliciesError> {
        let rows = self.stack.store().policies().await?;
        self.stack.policy().replace(&texts(&rows));
        Ok(())
    }

    /// Whether somebody may, and why.
    pub async fn explain(
        &self,
        question: api::PolicyQuestion,
    ) -> Result<api::PolicyAnswer, PoliciesError> {
        let asked = self.understand(&question)?;
        let explained = self.stack.policy().explain(
            &asked.principal,
            asked.action,
            &asked.resource,
            asked.circumstances,
        );
        let texts = self.list().await?;
        Ok(answer(question, &asked, explained, &texts))
    }

    /// What would be decided of each case.
    pub async fn try_out(
        &self,
        trial: api::PolicyTrial,
    ) -> Result<api::PolicyTrialResult, PoliciesError> {
        if trial.cases.len() > MOST_CASES {
            return Err(PoliciesError::TooMuch {
                what: "the number of cases",
                most: MOST_CASES,
            });
        }
        let (policy, texts) = match trial.policies {
            None => (self.stack.policy().clone(), self.list().await?),
            Some(own) => {
                for text in &own {
                    checked_name(&text.name)?;
                    if let Err(faults) = check(&text.text) {
                        return Err(PoliciesError::Faults {
                            name: text.name.clone(),
                            faults,
                        });
                    }
                }
                let own: Vec<PolicyText> = own
                    .into_iter()
                    .map(|text| PolicyText {
                        name: text.name,
                        text: text.text,
                    })
                    .collect();
                let shown = SHIPPED.iter().map(|(name, text)| shipped(name, text));
                let texts = shown.chain(own.iter().map(|text| api::PolicyText {
                    shipped: false,
                    ..shipped(&text.name, &text.text)
                }));
                let texts = texts.collect();
                (Policy::new(&own), texts)
            }
        };
        let mut answers = Vec::new();
        let mut unexpected = Vec::new();
        for (place, case) in trial.cases.into_iter().enumerate() {
            let asked = self.understand(&case.question)?;
            let explained = policy.explain(
                &asked.principal,
                asked.action,
                &asked.resource,
                asked.circumstances,
            );
            if explained.decided.is_allowed() != case.allowed {
                unexpected.push(place);
            }
            answers.push(answer(case.question, &asked, explained, &texts));
        }
        Ok(api::PolicyTrialResult {
            answers,
            unexpected,
        })
    }

    /// A question in the program's own words. Where it is about who is there, nobody is made up.
    fn understand(&self, question: &api::PolicyQuestion) -> Result<Asked, PoliciesError> {
        let unknown = |what, word: &str| PoliciesError::Unknown {
            what,
            word: word.chars().take(100).collect(),
        };
        let action: Action = question
            .action
            .parse()
            .map_err(|_| unknown("action", &question.action))?;
        let channel = match question.channel.as_deref() {
            None | Some("http") => Channel::Http,
            Some("mcp") => Channel::Mcp,
            Some("registry") => Channel::Registry,
            Some("socket") => Channel::Socket,
            Some(other) => return Err(unknown("channel", other)),
        };
        let means = match question.means.as_deref() {
            None if question.principal == "nobody" => Means::Nothing,
            None | Some("session") => Means::Session,
            Some("token") => Means::Token,
            Some("peer") => Means::Peer,
            Some("nothing") => Means::Nothing,
            Some(other) => return Err(unknown("means", other)),
        };
        let name = question.principal.as_str();
        let principal = if name == "nobody" {
            Principal::Nobody
        } else if name == OWNER {
            Principal::Owner
        } else if let Some(robot) = name.strip_prefix("robot:") {
            let found = self.stack.robots().get(robot);
            Principal::Robot(found.map_err(|_| unknown("robot", robot))?)
        } else if let Some(role) = name.strip_prefix("role:") {
            let role: Role = role.parse().map_err(|_| unknown("role", role))?;
            Principal::Person(somebody(name, [role]).into())
        } else {
            match self.stack.people().get(name) {
                Ok(person) => Principal::Person(person),
                Err(_) => return Err(unknown("person", name)),
            }
        };
        Ok(Asked {
            resource: self.stack.resource(action, question.resource.clone()),
            principal,
            action,
            circumstances: Circumstances::new(channel, means),
        })
    }
}

/// A question that is understood.
struct Asked {
    principal: Principal,
    action: Action,
    resource: Resource,
    circumstances: Circumstances,
}

fn somebody(name: &str, roles: impl IntoIterator<Item = Role>) -> Person {
    Person {
        name: name.to_owned(),
        roles: roles.into_iter().collect(),
        has_password: false,
        created_at: 0,
        disabled_at: None,
        token: None,
        vouched_at: None,
    }
}

fn answer(
    question: api::PolicyQuestion,
    asked: &Asked,
    explained: Explained,
    texts: &[api::PolicyText],
) -> api::PolicyAnswer {
    let Explained {
        decided,
        roles,
        groups,
        broken,
    } = explained;
    let named = |id: &String| {
        let text = id
            .split_once('/')
            .and_then(|(name, _)| texts.iter().find(|text| text.name == name));
        text.and_then(|text| authorize::policy_of(&text.name, &text.text, id))
            .unwrap_or_default()
    };
    api::PolicyAnswer {
        allowed: decided.is_allowed(),
        texts: decided.policies.iter().map(named).collect(),
        sentence: sentence(&question, asked, &decided, &broken),
        policies: decided.policies.to_vec(),
        roles: roles.iter().map(ToString::to_string).collect(),
        groups: groups.into_iter().map(str::to_owned).collect(),
        kind: asked.resource.kind.word().to_owned(),
        question,
    }
}

fn sentence(
    question: &api::PolicyQuestion,
    asked: &Asked,
    decided: &Decided,
    broken: &[String],
) -> String {
    let who = &question.principal;
    let what = match &asked.resource.name {
        Some(name) => format!("{} of `{name}`", asked.action.word()),
        None => asked.action.word().to_owned(),
    };
    match (decided.is_allowed(), decided.because()) {
        (true, Some(policies)) => format!("{who} may do {what}: {policies} permits it."),
        (true, None) => format!("{who} may do {what}."),
        (false, Some(policies)) => format!("{who} may not do {what}: {policies} forbids it."),
        (false, None) if !broken.is_empty() => format!(
            "{who} may not do {what}: {} cannot be read, and until that is mended only owners may do anything.",
            broken.join(", ")
        ),
        (false, None) => format!("{who} may not do {what}: no policy permits it."),
    }
}

fn shipped(name: &str, text: &str) -> api::PolicyText {
    api::PolicyText {
        name: name.to_owned(),
        text: text.to_owned(),
        shipped: true,
        faults: Vec::new(),
        changed_at: None,
        changed_by: None,
    }
}

fn view(row: PolicyRow) -> api::PolicyText {
    let faults = check(&row.text).err().unwrap_or_default();
    api::PolicyText {
        faults: faults.into_iter().map(fault).collect(),
        shipped: false,
        changed_at: Some(rfc3339(row.changed_at)),
        changed_by: Some(row.changed_by),
        name: row.name,
        text: row.text,
    }
}

/// What is wrong, as it is shown.
pub fn fault(fault: Fault) -> api::PolicyFault {
    api::PolicyFault {
        line: fault.line,
        column: fault.column,
        message: fault.message,
        help: fault.help,
    }
}

fn not_found(name: &str) -> PoliciesError {
    PoliciesError::NotFound {
        name: name.chars().take(LONGEST_NAME + 1).collect(),
    }
}

fn subject(name: &str) -> String {
    format!("policy/{name}")
}

fn is_shipped(name: &str) -> bool {
    SHIPPED.iter().any(|(shipped, _)| *shipped == name)
}

/// A name that a stack's own text can have. Pure.
fn checked_name(name: &str) -> Result<(), PoliciesError> {
    if is_shipped(name) {
        return Err(PoliciesError::Shipped {
            name: name.to_owned(),
        });
    }
    if name.parse::<Role>().is_err() {
        return Err(PoliciesError::Name {
            name: name.chars().take(LONGEST_NAME + 1).collect(),
            why: "it takes small letters, digits and `-`, a letter first, at most 63",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_ergon_keeps_its_names() {
        for name in ["owner", "anybody", "", "A", "a b", "../x"] {
            assert!(checked_name(name).is_err(), "{name}");
        }
        assert!(checked_name("nights").is_ok());
    }
}
