//! The policies that are decided by, read once.

use std::str::FromStr as _;
use std::sync::LazyLock;

use cedar_policy::{Policy, PolicyId, PolicySet};
use serde_json::Value;

use super::check::{Fault, check};

/// A text of policies and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyText {
    pub name: String,
    pub text: String,
}

/// What comes with Ergon.
pub const SHIPPED: [(&str, &str); 7] = [
    ("anybody", include_str!("shipped/anybody.cedar")),
    ("owner", include_str!("shipped/owner.cedar")),
    ("operator", include_str!("shipped/operator.cedar")),
    ("developer", include_str!("shipped/developer.cedar")),
    ("viewer", include_str!("shipped/viewer.cedar")),
    ("robot", include_str!("shipped/robot.cedar")),
    ("companion", include_str!("shipped/companion.cedar")),
];

/// Policies to decide by.
#[derive(Debug)]
pub struct Compiled {
    pub set: PolicySet,
    /// Whether what is decided may differ with the time.
    pub asks_time: bool,
    /// Whether what is decided may differ with what a resource is called.
    pub asks_names: bool,
    /// Texts of the stack's own that are not decided by, and what is wrong with them.
    pub broken: Vec<(String, Vec<Fault>)>,
}

impl Compiled {
    /// What comes with Ergon, and a stack's own.
    pub fn new(own: &[PolicyText]) -> Self {
        let mut set = shipped().clone();
        let mut broken = Vec::new();
        let mut asks_time = false;
        for PolicyText { name, text } in own {
            let mut adding = set.clone();
            let added = check(text).and_then(|policies| {
                named(&policies, name)
                    .into_iter()
                    .try_for_each(|policy| adding.add(policy).map_err(|error| vec![whole(&error)]))
            });
            match added {
                Ok(()) => {
                    set = adding;
                    // Too much caution only costs time.
                    let mut words = ["time", "hour", "weekday"].iter();
                    asks_time |= words.any(|word| text.contains(word));
                }
                Err(faults) => broken.push((name.clone(), faults)),
            }
        }
        let asks_names = set.policies().any(asks_name);
        Self {
            set,
            asks_time,
            asks_names,
            broken,
        }
    }
}

/// Whether a policy can tell a resource from another of its kind with the same attributes. Where none can, whatever was
/// decided of one of them is decided of all.
fn asks_name(policy: &Policy) -> bool {
    let Ok(policy) = policy.to_json() else {
        return true;
    };
    let scope = &policy["resource"];
    let is_of_a_kind = scope["op"] == "All" || scope["op"] == "is" && scope["in"].is_null();
    !is_of_a_kind || is_taken_whole(&policy["conditions"])
}

/// Whether an expression, as Cedar writes it in JSON, has the resource itself in it, and not only what it is or has.
fn is_taken_whole(expression: &Value) -> bool {
    let is_resource = |expression: &Value| expression["Var"] == "resource";
    let parts = match expression {
        Value::Object(parts) => parts,
        Value::Array(items) => return items.iter().any(is_taken_whole),
        _ => return false,
    };
    if is_resource(expression) {
        return true;
    }
    parts.iter().any(|(operator, operands)| {
        let looks_at = match operator.as_str() {
            "." | "has" => true,
            "is" => operands["in"].is_null(),
            _ => false,
        };
        !(looks_at && is_resource(&operands["left"])) && is_taken_whole(operands)
    })
}

/// Which texts could not be decided by, and what is wrong with them: also two policies of one name.
pub fn broken(own: &[PolicyText]) -> Vec<(String, Vec<Fault>)> {
    Compiled::new(own).broken
}

/// What comes with Ergon.
pub fn shipped() -> &'static PolicySet {
    static SHIPPED_SET: LazyLock<PolicySet> = LazyLock::new(|| {
        let mut all = PolicySet::new();
        for (name, text) in SHIPPED {
            // They are part of the program; a test reads and checks them.
            let Ok(set) = PolicySet::from_str(text) else {
                tracing::error!(name, "policies that come with Ergon cannot be read");
                continue;
            };
            for policy in named(&set, name) {
                if let Err(error) = all.add(policy) {
                    tracing::error!(name, %error, "a policy that comes with Ergon cannot be used");
                }
            }
        }
        all
    });
    &SHIPPED_SET
}

/// The policies of a text, in its order, each under a name that says whence it is: `<text>/<its @id or number>`.
fn named(set: &PolicySet, name: &str) -> Vec<Policy> {
    let mut policies: Vec<&Policy> = set.policies().collect();
    policies.sort_by_key(|policy| number(policy));
    let ids = policies.iter().enumerate().map(|(place, policy)| {
        let own = policy.annotation("id").unwrap_or_default();
        let own = own.strip_prefix(&format!("{name}/")).unwrap_or(own);
        let id = if own.is_empty() {
            format!("{name}/{}", place + 1)
        } else {
            format!("{name}/{own}")
        };
        policy.new_id(PolicyId::new(id))
    });
    ids.collect()
}

/// The text of one policy out of a text, by its name.
pub fn policy_of(name: &str, text: &str, id: &str) -> Option<String> {
    let set = PolicySet::from_str(text).ok()?;
    let policies = named(&set, name);
    let policy = policies
        .iter()
        .find(|policy| AsRef::<str>::as_ref(policy.id()) == id)?;
    Some(policy.to_string())
}

/// They are read as `policy0`, `policy1`, ….
fn number(policy: &Policy) -> usize {
    let id = policy.id().to_string();
    id.trim_start_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .unwrap_or(usize::MAX)
}

fn whole(error: &impl std::fmt::Display) -> Fault {
    Fault {
        line: 0,
        column: 0,
        message: error.to_string(),
        help: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_ergon_is_good() {
        for (name, text) in SHIPPED {
            let checked = check(text);
            assert!(checked.is_ok(), "{name}: {:?}", checked.err());
        }
        assert!(shipped().policies().count() > 12);
    }

    fn asks_names(text: &str) -> bool {
        let own = PolicyText {
            name: "ours".to_owned(),
            text: text.to_owned(),
        };
        let compiled = Compiled::new(&[own]);
        assert!(compiled.broken.is_empty(), "{text}: {:?}", compiled.broken);
        compiled.asks_names
    }

    #[test]
    fn who_asks_for_a_resource_by_name_is_known() {
        assert!(
            !Compiled::new(&[]).asks_names,
            "what comes with Ergon does not"
        );
        for text in [
            "permit (principal, action, resource);",
            "permit (principal, action, resource is Ergon::Secret);",
            "permit (principal == Ergon::Person::\"ada\", action, resource);",
            "permit (principal, action, resource is Ergon::Companion) when { resource.of == \"project\" };",
            "permit (principal, action, resource) unless { resource is Ergon::Repository && !resource.public };",
        ] {
            assert!(!asks_names(text), "{text}");
        }
        for text in [
            "permit (principal, action, resource == Ergon::Secret::\"crown\");",
            "permit (principal, action, resource in Ergon::Secret::\"crown\");",
            "permit (principal, action, resource) when { resource == Ergon::Secret::\"crown\" };",
            "permit (principal, action == Ergon::Action::\"ReadPerson\", resource) when { true && (if principal == resource then true else false) };",
            "permit (principal, action == Ergon::Action::\"ReadSecret\", resource) unless { [Ergon::Secret::\"crown\"].contains(resource) };",
            "permit (principal, action == Ergon::Action::\"ReadSecret\", resource) when { {x: resource}.x == Ergon::Secret::\"crown\" };",
            "permit (principal, action, resource is Ergon::Secret in Ergon::Secret::\"crown\");",
            "permit (principal, action, resource) when { resource is Ergon::Secret in Ergon::Secret::\"crown\" };",
        ] {
            assert!(asks_names(text), "{text}");
        }
    }

    #[test]
    fn a_policy_is_called_after_its_text_and_itself() {
        let text = "permit (principal, action, resource);\n@id(\"nights\") forbid (principal, action, resource);";
        let set = check(text).unwrap();
        let ids: Vec<String> = named(&set, "ours")
            .iter()
            .map(|policy| policy.id().to_string())
            .collect();
        assert_eq!(ids, ["ours/1", "ours/nights"]);
    }

    #[test]
    fn two_policies_of_one_name_are_a_fault_of_their_text() {
        let text = "@id(\"x\") permit (principal, action, resource);\n@id(\"x\") permit (principal, action, resource);";
        let own = PolicyText {
            name: "ours".to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(Compiled::new(&[own]).broken.len(), 1);
    }
}
