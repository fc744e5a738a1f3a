//! What a companion may that showed its certificate.

use super::{Action, Resource};

/// To be there under its own name, and to speak.
pub fn may(name: &str, action: Action, resource: &Resource) -> bool {
    let named = resource.name.as_deref();
    let is_itself = named.is_some_and(|named| named.eq_ignore_ascii_case(name));
    match action {
        Action::SendMessage => true,
        Action::Heartbeat | Action::DeregisterCompanion => is_itself,
        // Whom these are about stands in their body; the same is asked once more when that is known.
        Action::RegisterCompanion | Action::IssueCertificate => named.is_none() || is_itself,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorize::{Decision, Principal, authorize};

    #[test]
    fn a_companion_may_be_there_and_speak_and_nothing_else() {
        let numa = Principal::Companion {
            name: "numa".to_owned(),
        };
        for (action, named, decision) in [
            (Action::Heartbeat, Some("numa"), Decision::Allow),
            (Action::Heartbeat, Some("Numa"), Decision::Allow),
            (Action::Heartbeat, Some("apollo"), Decision::Deny),
            (Action::Heartbeat, None, Decision::Deny),
            (Action::DeregisterCompanion, Some("numa"), Decision::Allow),
            (Action::DeregisterCompanion, Some("numa2"), Decision::Deny),
            (Action::RegisterCompanion, None, Decision::Allow),
            (Action::RegisterCompanion, Some("apollo"), Decision::Deny),
            (Action::IssueCertificate, None, Decision::Allow),
            (Action::IssueCertificate, Some("apollo"), Decision::Deny),
            (Action::SendMessage, Some("apollo"), Decision::Allow),
            (Action::AskTeam, None, Decision::Deny),
            (Action::ListCompanions, None, Decision::Deny),
            (Action::ReadCompanion, Some("numa"), Decision::Deny),
            (Action::ListCertificates, None, Decision::Deny),
            (Action::RevokeCertificate, Some("numa"), Decision::Deny),
            (Action::UseMcp, None, Decision::Deny),
            (Action::ReadHealth, None, Decision::Allow),
        ] {
            let resource = action.on(named.map(str::to_owned));
            assert_eq!(
                authorize(&numa, action, &resource),
                decision,
                "{action:?} {named:?}"
            );
        }
    }
}
