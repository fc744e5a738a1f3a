//! What policies can speak of, in Cedar's own words: generated, so that it never differs from what is decided.

use std::fmt::Write as _;

use strum::IntoEnumIterator as _;

use super::action::Action;
use super::effect::Effect;
use super::resource::ResourceKind;

/// Everything of Ergon's is in this namespace.
pub const NAMESPACE: &str = "Ergon";
/// The group of what comes before one can show who one is.
pub const OPEN: &str = "open";

/// The schema.
pub fn text() -> String {
    let mut text = format!(
        "namespace {NAMESPACE} {{\n\
         // Who asks. People, robots and companions can be asked about, too.\n\
         entity Role;\n\
         entity Nobody;\n\
         entity LocalUser {{ is_stack_user: Bool }};\n\
         entity Person, Robot in [Role];\n\
         \n\
         // What is asked about; \"*\" is all of a kind.\n"
    );
    for kind in ResourceKind::iter() {
        let declared = match kind {
            // Declared above.
            ResourceKind::Person | ResourceKind::Robot => continue,
            ResourceKind::Repository => " { public: Bool }",
            ResourceKind::Companion => " { of: String }",
            _ => "",
        };
        let _ = writeln!(text, "entity {}{declared};", kind.word());
    }
    text.push_str(
        "\n// How it is asked. hour and weekday are those of the stack's own time zone.\n\
         type Circumstances = {\n  \
         channel: String, // http, mcp, registry, socket\n  \
         means: String, // nothing, token, session, certificate, peer\n  \
         within_scope: Bool, // what a robot's own allowances cover\n  \
         about_oneself: Bool, // whether its name is that of whoever asks\n  \
         named: Bool, // whether one is named, and not the whole kind is meant\n  \
         time: datetime,\n  \
         hour: Long, // 0 to 23\n  \
         weekday: String, // monday to sunday\n\
         };\n\n// What an action does to the world, and what anybody may.\n",
    );
    for effect in Effect::iter() {
        let _ = writeln!(text, "action {};", quoted(effect.into()));
    }
    let _ = writeln!(text, "action {};\n", quoted(OPEN));
    for action in Action::iter() {
        let groups: Vec<String> = action.groups().into_iter().map(quoted).collect();
        let _ = writeln!(
            text,
            "action {} in [{}] appliesTo {{ principal: [Person, Robot, Companion, LocalUser, Nobody], resource: [{}], context: Circumstances }};",
            action.word(),
            groups.join(", "),
            action.resource_kind().word(),
        );
    }
    text.push_str("}\n");
    text
}

fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}
