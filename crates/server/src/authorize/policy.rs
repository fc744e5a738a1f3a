//! Deciding: what policies say of one request, remembered for as long as it cannot change.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use cedar_policy::{
    Authorizer, Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use jiff::Zoned;
use moka::sync::Cache;

use super::action::Action;
use super::check::Fault;
use super::compiled::{Compiled, PolicyText, shipped};
use super::principal::Principal;
use super::request::Circumstances;
use super::resource::{Resource, ResourceKind};
use super::role::Role;
use super::schema::NAMESPACE;
use crate::access::{Robot, Scopes};

/// So many decisions are remembered.
const REMEMBERED: u64 = 10_000;

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// Perhaps, once one shows who one is.
    Identify,
    Deny,
}

/// What was decided, and by which policies. None where nothing was said: then it is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub decision: Decision,
    pub policies: Arc<[String]>,
}

impl Decided {
    pub fn is_allowed(&self) -> bool {
        self.decision == Decision::Allow
    }

    /// The policies in one line; absent where none spoke.
    pub fn because(&self) -> Option<String> {
        (!self.policies.is_empty()).then(|| self.policies.join(", "))
    }

    /// What was decided for a reason that no policy has.
    pub fn without_policy(decision: Decision) -> Self {
        Self {
            decision,
            policies: Arc::default(),
        }
    }
}

/// What policies say of a request, and what each of them is about.
#[derive(Clone, Debug)]
pub struct Explained {
    pub decided: Decided,
    /// The roles whoever asks has.
    pub roles: Vec<Role>,
    /// The groups the action is in.
    pub groups: Vec<&'static str>,
    /// Texts of policies that are not decided by, because something is wrong with them.
    pub broken: Vec<String>,
}

/// The policies of a stack. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Policy {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    compiled: RwLock<Arc<Compiled>>,
    remembered: Cache<Key, Said>,
}

/// Everything a decision can depend on, but the time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    principal: Who,
    roles: Vec<Role>,
    action: Action,
    /// Absent where no policy asks: a name for everything that comes along would fill the memory.
    resource: Option<String>,
    is_public: bool,
    group: Option<&'static str>,
    within_scope: bool,
    about_oneself: bool,
    named: bool,
    circumstances: Circumstances,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Nobody,
    LocalUser(u32),
    Person(String),
    Robot(String),
    Companion(String),
}

/// What policies say.
#[derive(Clone, Debug)]
struct Said {
    is_allowed: bool,
    policies: Arc<[String]>,
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl Policy {
    /// What comes with Ergon, and a stack's own.
    pub fn new(own: &[PolicyText]) -> Self {
        Self {
            shared: Arc::new(Shared {
                compiled: RwLock::new(Arc::new(Compiled::new(own))),
                remembered: Cache::new(REMEMBERED),
            }),
        }
    }

    /// Decides by other policies of the stack's own from now on.
    pub fn replace(&self, own: &[PolicyText]) {
        let compiled = Arc::new(Compiled::new(own));
        *self
            .shared
            .compiled
            .write()
            .unwrap_or_else(PoisonError::into_inner) = compiled;
        self.shared.remembered.invalidate_all();
    }

    /// The stack's own texts that are not decided by, and what is wrong with them.
    pub fn broken(&self) -> Vec<(String, Vec<Fault>)> {
        self.compiled().broken.clone()
    }

    /// Decides.
    pub fn authorize(
        &self,
        principal: &Principal,
        action: Action,
        resource: &Resource,
        circumstances: Circumstances,
    ) -> Decided {
        let decided = self.decide(principal, action, resource, circumstances);
        if !decided.is_allowed() {
            tracing::info!(principal = principal.name(), ?action, kind = ?resource.kind, name = resource.name,
                decision = ?decided.decision, policies = ?decided.policies, "refused");
        }
        decided
    }

    /// The same without a word in the log, for whoever only wants to know.
    pub fn would_allow(
        &self,
        principal: &Principal,
        action: Action,
        resource: &Resource,
        circumstances: Circumstances,
    ) -> bool {
        self.decide(principal, action, resource, circumstances)
            .is_allowed()
    }

    /// What would be decided, and why.
    pub fn explain(
        &self,
        principal: &Principal,
        action: Action,
        resource: &Resource,
        circumstances: Circumstances,
    ) -> Explained {
        let broken = self
            .compiled()
            .broken
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        Explained {
            decided: self.decide(principal, action, resource, circumstances),
            roles: principal.roles(),
            groups: action.groups(),
            broken,
        }
    }

    fn compiled(&self) -> Arc<Compiled> {
        Arc::clone(
            &self
                .shared
                .compiled
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn decide(
        &self,
        principal: &Principal,
        action: Action,
        resource: &Resource,
        circumstances: Circumstances,
    ) -> Decided {
        // A token goes as far as its scopes, and no further than whoever has it.
        if let Principal::Bearer { of, scopes } = principal {
            let decided = self.decide(of, action, resource, circumstances);
            return if decided.is_allowed() && !reaches(scopes, action, resource) {
                // Another token would do.
                Decided::without_policy(Decision::Identify)
            } else {
                decided
            };
        }
        let said = self.ask(principal, action, resource, circumstances);
        let decision = match (said.is_allowed, principal) {
            (true, _) => Decision::Allow,
            (false, Principal::Nobody) => Decision::Identify,
            (false, _) => Decision::Deny,
        };
        Decided {
            decision,
            policies: said.policies,
        }
    }

    /// What policies say of somebody, whatever they have in hand.
    fn ask(
        &self,
        principal: &Principal,
        action: Action,
        resource: &Resource,
        circumstances: Circumstances,
    ) -> Said {
        let compiled = self.compiled();
        let key = Key {
            principal: who(principal),
            roles: principal.roles(),
            action,
            resource: resource.name.clone().filter(|_| compiled.asks_names),
            is_public: resource.is_public,
            group: resource.group,
            within_scope: is_within_scope(principal, action, resource),
            about_oneself: is_about_oneself(principal, resource),
            named: resource.name.is_some(),
            circumstances,
        };
        if !compiled.asks_time
            && let Some(said) = self.shared.remembered.get(&key)
        {
            return said;
        }
        let said = judge(&compiled, principal, &key, resource.kind);
        if !compiled.asks_time {
            self.shared.remembered.insert(key, said.clone());
            // Whoever replaced the policies meanwhile has cleared what was remembered before this was added.
            if !Arc::ptr_eq(&compiled, &self.compiled()) {
                self.shared.remembered.invalidate_all();
            }
        }
        said
    }
}

/// What policies say. What cannot be decided is not allowed; an owner is not locked out by what somebody wrote.
fn judge(compiled: &Compiled, principal: &Principal, key: &Key, kind: ResourceKind) -> Said {
    let own = evaluate(&compiled.set, principal, key, kind);
    // A text that cannot be read may have forbidden this.
    let counts =
        |said: &Said| compiled.broken.is_empty() || key.action.is_open() && said.is_allowed;
    let is_locked_out = |said: &Said| !said.is_allowed && is_a_door(key.action);
    match own {
        own if principal.is_owner()
            && own
                .as_ref()
                .map_or(true, |said| !counts(said) || is_locked_out(said)) =>
        {
            evaluate(shipped(), principal, key, kind).unwrap_or_else(|_| nothing())
        }
        Ok(said) if counts(&said) => said,
        Ok(_) => nothing(),
        Err(error) => {
            tracing::error!(%error, action = key.action.word(), "it could not be decided, and so is not allowed");
            nothing()
        }
    }
}

fn nothing() -> Said {
    Said {
        is_allowed: false,
        policies: Arc::default(),
    }
}

/// Whether an owner needs it to mend policies.
const fn is_a_door(action: Action) -> bool {
    matches!(
        action,
        Action::ReadSession
            | Action::EndSession
            | Action::CreateSignInCode
            | Action::ReadDocument
            | Action::ReadAuditLog
            | Action::ListPolicies
            | Action::ReadPolicy
            | Action::ChangePolicy
            | Action::RemovePolicy
            | Action::ExplainDecision
    )
}

fn evaluate(
    set: &PolicySet,
    principal: &Principal,
    key: &Key,
    kind: ResourceKind,
) -> Result<Said, String> {
    let (request, entities) = request(principal, key, kind).map_err(|error| error.to_string())?;
    let response = Authorizer::new().is_authorized(&request, set, &entities);
    // A policy that fails is passed over; it may have been the one that forbids.
    if let Some(error) = response.diagnostics().errors().next() {
        return Err(error.to_string());
    }
    let mut policies: Vec<String> = response
        .diagnostics()
        .reason()
        .map(ToString::to_string)
        .collect();
    policies.sort_unstable();
    Ok(Said {
        is_allowed: response.decision() == cedar_policy::Decision::Allow,
        policies: policies.into(),
    })
}

/// The request in Cedar's words, and what is known of everybody in it.
fn request(
    principal: &Principal,
    key: &Key,
    kind: ResourceKind,
) -> Result<(Request, Entities), Box<dyn std::error::Error>> {
    let who = match &key.principal {
        Who::Nobody => entity("Nobody", "nobody", [], HashSet::new())?,
        Who::LocalUser(uid) => {
            let is_stack_user = RestrictedExpression::new_bool(is_this_user(*uid));
            let attributes = [("is_stack_user".to_owned(), is_stack_user)];
            entity("LocalUser", &uid.to_string(), attributes, HashSet::new())?
        }
        Who::Person(name) => entity("Person", name, [], roles(principal))?,
        Who::Robot(name) => entity("Robot", name, [], roles(principal))?,
        Who::Companion(name) => {
            let of = RestrictedExpression::new_string("external".to_owned());
            entity("Companion", name, [("of".to_owned(), of)], HashSet::new())?
        }
    };
    let name = key.resource.as_deref().unwrap_or("*");
    let attributes = match kind {
        ResourceKind::Repository => Some((
            "public".to_owned(),
            RestrictedExpression::new_bool(key.is_public),
        )),
        ResourceKind::Companion => {
            let of = key.group.unwrap_or_default().to_owned();
            Some(("of".to_owned(), RestrictedExpression::new_string(of)))
        }
        _ => None,
    };
    let what = uid(kind.word(), name);
    let mut known = vec![action_entity(key.action)];
    // Who asks about themselves is known already.
    if what != who.uid() {
        known.push(entity(kind.word(), name, attributes, HashSet::new())?);
    }
    let request = Request::new(
        who.uid(),
        uid("Action", key.action.word()),
        what,
        context(key)?,
        None,
    )?;
    known.push(who);
    Ok((request, Entities::from_entities(known, None)?))
}

fn context(key: &Key) -> Result<Context, Box<dyn std::error::Error>> {
    let now = Zoned::now();
    let Circumstances { channel, means } = key.circumstances;
    let weekday = match now.weekday() {
        jiff::civil::Weekday::Monday => "monday",
        jiff::civil::Weekday::Tuesday => "tuesday",
        jiff::civil::Weekday::Wednesday => "wednesday",
        jiff::civil::Weekday::Thursday => "thursday",
        jiff::civil::Weekday::Friday => "friday",
        jiff::civil::Weekday::Saturday => "saturday",
        jiff::civil::Weekday::Sunday => "sunday",
    };
    let time = now.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    Ok(Context::from_pairs([
        ("channel".to_owned(), text(channel.word())),
        ("means".to_owned(), text(means.word())),
        (
            "about_oneself".to_owned(),
            RestrictedExpression::new_bool(key.about_oneself),
        ),
        (
            "named".to_owned(),
            RestrictedExpression::new_bool(key.named),
        ),
        (
            "within_scope".to_owned(),
            RestrictedExpression::new_bool(key.within_scope),
        ),
        ("time".to_owned(), RestrictedExpression::new_datetime(time)),
        (
            "hour".to_owned(),
            RestrictedExpression::new_long(i64::from(now.hour())),
        ),
        ("weekday".to_owned(), text(weekday)),
    ])?)
}

fn action_entity(action: Action) -> Entity {
    let groups = action.groups().into_iter();
    let groups = groups.map(|group| uid("Action", group)).collect();
    Entity::new_no_attrs(uid("Action", action.word()), groups)
}

fn entity(
    kind: &str,
    name: &str,
    attributes: impl IntoIterator<Item = (String, RestrictedExpression)>,
    parents: HashSet<EntityUid>,
) -> Result<Entity, Box<dyn std::error::Error>> {
    let attributes: HashMap<String, RestrictedExpression> = attributes.into_iter().collect();
    Ok(Entity::new(uid(kind, name), attributes, parents)?)
}

fn uid(kind: &str, name: &str) -> EntityUid {
    static KINDS: LazyLock<RwLock<HashMap<String, EntityTypeName>>> =
        LazyLock::new(RwLock::default);
    let known = KINDS
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(kind)
        .cloned();
    let kind = known.unwrap_or_else(|| {
        // Kinds are words of this program.
        let name = EntityTypeName::from_str(&format!("{NAMESPACE}::{kind}"))
            .unwrap_or_else(|_| unreachable!("`{kind}` is a name"));
        let mut kinds = KINDS.write().unwrap_or_else(PoisonError::into_inner);
        kinds.insert(kind.to_owned(), name.clone());
        name
    });
    EntityUid::from_type_name_and_id(kind, EntityId::new(name))
}

fn roles(principal: &Principal) -> HashSet<EntityUid> {
    let roles = principal.roles();
    roles
        .iter()
        .map(|role| uid("Role", role.as_str()))
        .collect()
}

fn who(principal: &Principal) -> Who {
    match principal {
        Principal::Nobody => Who::Nobody,
        Principal::Owner => Who::Person("owner".to_owned()),
        Principal::Person(person) => Who::Person(person.name.clone()),
        Principal::LocalUser { uid } => Who::LocalUser(*uid),
        Principal::Robot(robot) => Who::Robot(robot.name.clone()),
        Principal::Companion { name } => Who::Companion(name.clone()),
        Principal::Bearer { of, .. } => who(of),
    }
}

/// Whether a robot's own allowances cover it; others have none.
fn is_within_scope(principal: &Principal, action: Action, resource: &Resource) -> bool {
    match principal {
        Principal::Robot(robot) => covers(robot, action, resource),
        _ => false,
    }
}

/// Whether something is about whoever asks. Names of companions are told apart regardless of case.
fn is_about_oneself(principal: &Principal, resource: &Resource) -> bool {
    match (principal, &resource.name) {
        (Principal::Companion { name }, Some(named)) => named.eq_ignore_ascii_case(name),
        (Principal::Person(person), Some(named)) => *named == person.name,
        (Principal::Owner, Some(named)) => named == "owner",
        _ => false,
    }
}

fn covers(robot: &Robot, action: Action, resource: &Resource) -> bool {
    match (action.verb(), &resource.name) {
        (Some(verb), Some(name)) => robot.may(name, verb),
        _ => action == Action::ListRepositories && robot.may_see_the_catalog(),
    }
}

fn reaches(scopes: &Scopes, action: Action, resource: &Resource) -> bool {
    match (action.verb(), &resource.name) {
        (Some(verb), Some(name)) => scopes.allows(name, verb),
        _ if action == Action::ListRepositories => scopes.allows_catalog(),
        _ => action == Action::UseRegistry || action.is_open(),
    }
}

/// The user the stack runs as, or root.
fn is_this_user(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
