//! What is decided, said as people would.

use strum::IntoEnumIterator as _;

use super::*;
use crate::authorize::{Channel, Effect, Means};
use crate::people::Person;

fn decided(principal: &Principal, action: Action, resource: &Resource) -> Decision {
    let circumstances = Circumstances::new(Channel::Http, Means::Session);
    let decided = Policy::default().authorize(principal, action, resource, circumstances);
    decided.decision
}

fn decide(principal: &Principal, action: Action) -> Decision {
    decided(principal, action, &action.on(None))
}

fn decide_on(principal: &Principal, action: Action, repository: &str) -> Decision {
    decided(principal, action, &action.on(Some(repository.to_owned())))
}

fn person(name: &str, roles: &[&str]) -> Principal {
    Principal::Person(Arc::new(Person {
        name: name.to_owned(),
        roles: roles.iter().map(|role| role.parse().unwrap()).collect(),
        has_password: false,
        created_at: 0,
        disabled_at: None,
        token: None,
        vouched_at: None,
    }))
}

fn own(text: &str) -> Vec<PolicyText> {
    vec![PolicyText {
        name: "ours".to_owned(),
        text: text.to_owned(),
    }]
}

fn says(policy: &Policy, principal: &Principal, action: Action) -> Decided {
    let circumstances = Circumstances::new(Channel::Http, Means::Session);
    policy.authorize(principal, action, &action.on(None), circumstances)
}

fn robot(allowances: &[&str]) -> Principal {
    Principal::Robot(Arc::new(Robot {
        name: "ci".to_owned(),
        about: String::new(),
        allowances: allowances
            .iter()
            .map(|text| text.parse().unwrap())
            .collect(),
        secret_at: 0,
        created_at: 0,
        expires_at: None,
        roles: Vec::new(),
        last_used_at: None,
    }))
}

fn bearer(of: Principal, scopes: &str) -> Principal {
    Principal::Bearer {
        of: Box::new(of),
        scopes: Scopes::parse([scopes]),
    }
}

#[test]
fn the_owner_may_do_everything() {
    assert_eq!(
        decide(&Principal::Owner, Action::RemoveContainer),
        Decision::Allow
    );
}

#[test]
fn nobody_may_see_only_what_comes_before_signing_in() {
    assert_eq!(
        decide(&Principal::Nobody, Action::ReadHealth),
        Decision::Allow
    );
    assert_eq!(decide(&Principal::Nobody, Action::SignIn), Decision::Allow);
    assert_eq!(
        decide(&Principal::Nobody, Action::ListProjects),
        Decision::Identify
    );
    assert_eq!(
        decide(&Principal::Nobody, Action::ReadDocument),
        Decision::Identify
    );
}

#[test]
fn a_local_user_may_only_speak_and_only_as_the_stacks_user() {
    let own = Principal::LocalUser {
        uid: rustix::process::geteuid().as_raw(),
    };
    assert_eq!(decide(&own, Action::SendMessage), Decision::Allow);
    assert_eq!(decide(&own, Action::ListProjects), Decision::Deny);
    assert_eq!(
        decide(
            &Principal::LocalUser { uid: 4_000_000_000 },
            Action::SendMessage
        ),
        Decision::Deny
    );
}

#[test]
fn a_robot_may_do_what_it_was_allowed_and_nothing_of_the_stack() {
    let robot = robot(&["team/*:pull,push"]);
    for (action, repository, decision) in [
        (Action::PullImage, "team/app", Decision::Allow),
        (Action::PushImage, "team/app", Decision::Allow),
        (Action::DeleteImage, "team/app", Decision::Deny),
        (Action::PullImage, "other/app", Decision::Deny),
        (Action::ReadRepository, "team/app", Decision::Deny),
        (Action::ChangeRepository, "team/app", Decision::Deny),
        (Action::ReadProject, "team/app", Decision::Deny),
    ] {
        assert_eq!(
            decide_on(&robot, action, repository),
            decision,
            "{action:?} {repository}"
        );
    }
    assert_eq!(decide(&robot, Action::UseRegistry), Decision::Allow);
    for action in [
        Action::ListRepositories,
        Action::ListRobots,
        Action::AddRobot,
        Action::ReadEvents,
        Action::PullImage,
    ] {
        assert_eq!(decide(&robot, action), Decision::Deny, "{action:?}");
    }
}

#[test]
fn only_who_may_pull_everything_sees_every_name() {
    let all = robot(&["*:pull"]);
    assert_eq!(decide(&all, Action::ListRepositories), Decision::Allow);
}

#[test]
fn a_token_goes_as_far_as_its_scopes() {
    let token = bearer(Principal::Owner, "repository:team/app:pull");
    for (action, repository, decision) in [
        (Action::PullImage, "team/app", Decision::Allow),
        // The owner may, and with another token they would.
        (Action::PushImage, "team/app", Decision::Identify),
        (Action::PullImage, "other", Decision::Identify),
        (Action::ReadProject, "team/app", Decision::Identify),
    ] {
        assert_eq!(
            decide_on(&token, action, repository),
            decision,
            "{action:?} {repository}"
        );
    }
    assert_eq!(decide(&token, Action::UseRegistry), Decision::Allow);
    assert_eq!(decide(&token, Action::ListRepositories), Decision::Identify);
    assert_eq!(decide(&token, Action::ListRobots), Decision::Identify);
    let catalog = bearer(Principal::Owner, "registry:catalog:*");
    assert_eq!(decide(&catalog, Action::ListRepositories), Decision::Allow);
}

#[test]
fn a_token_goes_no_further_than_whoever_has_it() {
    let of = robot(&["team/app:pull"]);
    let token = bearer(
        of,
        "repository:team/app:pull,push,delete registry:catalog:*",
    );
    let pull = decide_on(&token, Action::PullImage, "team/app");
    let push = decide_on(&token, Action::PushImage, "team/app");
    assert_eq!((pull, push), (Decision::Allow, Decision::Deny));
    assert_eq!(decide(&token, Action::ListRepositories), Decision::Deny);
    let nobodys = bearer(Principal::Nobody, "repository:team/app:pull");
    let pull = decide_on(&nobodys, Action::PullImage, "team/app");
    assert_eq!(pull, Decision::Identify);
}

#[test]
fn anybody_may_pull_what_is_public_and_do_nothing_else_to_it() {
    let public = |action: Action| action.on(Some("app".to_owned())).public(true);
    let token = bearer(Principal::Nobody, "repository:app:pull");
    for principal in [Principal::Nobody, robot(&["other:pull"]), token] {
        let may = |action| decided(&principal, action, &public(action)) == Decision::Allow;
        assert!(may(Action::PullImage), "{principal:?}");
        assert!(!may(Action::PushImage), "{principal:?}");
        assert!(!may(Action::DeleteImage), "{principal:?}");
        assert!(!may(Action::ReadRepository), "{principal:?}");
    }
}

#[test]
fn every_action_can_be_decided_for_everybody() {
    let policy = Policy::default();
    let everybody = [
        Principal::Nobody,
        Principal::Owner,
        person("ada", &["operator", "release-manager"]),
        robot(&["*:*"]),
        Principal::LocalUser { uid: 0 },
    ];
    for action in Action::iter() {
        for principal in &everybody {
            let decided = says(&policy, principal, action);
            // An action that no policy can be asked about fails, and is a denial without a word.
            if *principal == Principal::Owner {
                assert!(decided.is_allowed(), "{action:?}");
                assert!(
                    decided.because().unwrap().contains("owner/everything"),
                    "{action:?}"
                );
            }
            if action.is_open() {
                assert!(decided.is_allowed(), "{action:?} of {}", principal.name());
            }
        }
    }
}

/// What each role may, as a person would say it.
#[test]
fn roles_are_what_people_expect() {
    use Action::*;
    for (action, operator, developer, viewer) in [
        (ListContainers, true, true, true),
        (ReadContainer, true, true, true),
        (ReadBuild, true, true, true),
        (ReadEvents, true, true, true),
        (PullImage, true, true, true),
        (ReadExplanation, true, true, true),
        (LookInside, true, true, false),
        (ReadPayload, true, true, false),
        (ReadInbox, true, true, false),
        (AddProject, true, true, false),
        (HandOffProject, true, true, false),
        (SaveDockerfile, true, true, false),
        (PushImage, true, true, false),
        (RestartContainer, true, true, false),
        (AskTeam, true, true, false),
        (RemoveContainer, true, false, false),
        (ApproveProposal, true, false, false),
        (AddGuardRail, true, false, false),
        (CollectGarbage, true, false, false),
        (DeleteImage, true, false, false),
        (RegisterCompanion, true, false, false),
        (ReadAuditLog, true, false, false),
        (ListPolicies, true, false, false),
        (ListRobots, true, false, false),
        (UseFolder, false, false, false),
        (RunFolder, false, false, false),
        (AddToolServer, false, false, false),
        (AddRobot, false, false, false),
        (AddUpstream, false, false, false),
        (ListPeople, false, false, false),
        (AddPerson, false, false, false),
        (ChangePerson, false, false, false),
        (ChangePolicy, false, false, false),
        (ForgetAuditEntries, false, false, false),
    ] {
        for (role, expected) in [
            ("operator", operator),
            ("developer", developer),
            ("viewer", viewer),
        ] {
            let decision = decide(&person("ada", &[role]), action);
            assert_eq!(
                decision == Decision::Allow,
                expected,
                "{action:?} as {role}"
            );
        }
        assert_ne!(
            decide(&person("ada", &[]), action),
            Decision::Allow,
            "{action:?} without a role"
        );
        assert_ne!(
            decide(&person("ada", &["made-up"]), action),
            Decision::Allow,
            "{action:?}"
        );
    }
}

#[test]
fn nobody_who_may_only_look_may_change_anything() {
    for action in Action::iter().filter(|action| Effect::of(*action) != Effect::Reads) {
        let may = decide(&person("ada", &["viewer"]), action) == Decision::Allow;
        let expected = action.is_open()
            || matches!(
                action,
                Action::UseMcp
                    | Action::UseRegistry
                    | Action::EndSession
                    | Action::CreateSignInCode
            );
        assert_eq!(may, expected, "{action:?}");
    }
}

#[test]
fn a_viewer_asks_the_stacks_own_companions_only() {
    let viewer = person("ada", &["viewer"]);
    for (of, expected) in [
        (Some("container"), Decision::Allow),
        (Some("tekton"), Decision::Allow),
        (Some("tool"), Decision::Deny),
        (Some("external"), Decision::Deny),
        (Some("terminal"), Decision::Deny),
        (None, Decision::Deny),
    ] {
        let resource = Action::SendMessage
            .on(Some("web-ci".to_owned()))
            .of_group(of);
        assert_eq!(
            decided(&viewer, Action::SendMessage, &resource),
            expected,
            "{of:?}"
        );
    }
}

#[test]
fn an_account_is_ones_own_and_a_token_makes_no_other() {
    let policy = Policy::default();
    let ada = person("ada", &["viewer"]);
    for action in [
        Action::ChangePassword,
        Action::AddToken,
        Action::EndSessions,
        Action::ListTokens,
    ] {
        for (name, means, expected) in [
            ("ada", Means::Session, true),
            ("ada", Means::Token, false),
            ("bob", Means::Session, false),
            ("*", Means::Session, false),
        ] {
            let resource = action.on(Some(name.to_owned()));
            let circumstances = Circumstances::new(Channel::Http, means);
            let decided = policy.authorize(&ada, action, &resource, circumstances);
            assert_eq!(
                decided.is_allowed(),
                expected,
                "{action:?} of {name} by {means:?}"
            );
        }
    }
}

#[test]
fn a_name_is_a_name_and_no_policy() {
    // In a policy this would be the end of a text.
    let odd = person(r#"ada", "x"#, &["viewer"]);
    let resource = Action::ReadContainer.on(Some(
        "\"; permit (principal, action, resource); //\0".to_owned(),
    ));
    assert_eq!(
        decided(&odd, Action::ReadContainer, &resource),
        Decision::Allow
    );
    assert_eq!(
        decided(&odd, Action::RemoveContainer, &resource),
        Decision::Deny
    );
}

#[test]
fn what_a_stack_adds_permits_and_forbids() {
    let policy = Policy::new(&own(r#"
            @id("releases") permit (principal in Ergon::Role::"release-manager", action == Ergon::Action::"DeleteImage", resource);
            @id("hands-off") forbid (principal, action == Ergon::Action::"RemoveContainer", resource == Ergon::Container::"database");
            "#));
    assert_eq!(policy.broken(), []);
    let manager = person("ada", &["release-manager"]);
    let decided = says(&policy, &manager, Action::DeleteImage);
    assert_eq!(
        (decided.is_allowed(), decided.because()),
        (true, Some("ours/releases".to_owned()))
    );
    let circumstances = Circumstances::new(Channel::Http, Means::Session);
    for (name, expected) in [("database", false), ("web", true)] {
        let resource = Action::RemoveContainer.on(Some(name.to_owned()));
        let decided = policy.authorize(
            &Principal::Owner,
            Action::RemoveContainer,
            &resource,
            circumstances,
        );
        assert_eq!(
            decided.is_allowed(),
            expected,
            "an owner's hands are off, too: {name}"
        );
        if !expected {
            assert_eq!(decided.because().as_deref(), Some("ours/hands-off"));
        }
    }
}

#[test]
fn an_owner_is_not_locked_out_by_what_somebody_wrote() {
    let policy = Policy::new(&own("forbid (principal, action, resource);"));
    assert!(!says(&policy, &Principal::Owner, Action::ListContainers).is_allowed());
    for action in [
        Action::ChangePolicy,
        Action::RemovePolicy,
        Action::ListPolicies,
        Action::CreateSignInCode,
    ] {
        assert!(
            says(&policy, &Principal::Owner, action).is_allowed(),
            "{action:?}"
        );
        let other = person("ada", &["owner"]);
        assert!(says(&policy, &other, action).is_allowed(), "{action:?}");
        assert!(
            !says(&policy, &person("bob", &["operator"]), action).is_allowed(),
            "{action:?}"
        );
    }
}

#[test]
fn what_cannot_be_read_lets_only_owners_do_anything() {
    let policy = Policy::new(&own("forbid (principal, action, resorce);"));
    assert_eq!(policy.broken().len(), 1);
    assert!(says(&policy, &Principal::Owner, Action::RemoveContainer).is_allowed());
    assert!(
        !says(
            &policy,
            &person("ada", &["operator"]),
            Action::ListContainers
        )
        .is_allowed()
    );
    assert!(says(&policy, &Principal::Nobody, Action::ReadHealth).is_allowed());
    policy.replace(&[]);
    assert!(
        says(
            &policy,
            &person("ada", &["operator"]),
            Action::ListContainers
        )
        .is_allowed()
    );
}

#[test]
fn what_was_decided_is_forgotten_when_policies_change() {
    let policy = Policy::default();
    let ada = person("ada", &["viewer"]);
    assert!(says(&policy, &ada, Action::ListJobs).is_allowed());
    policy.replace(&own(
        r#"forbid (principal == Ergon::Person::"ada", action, resource);"#,
    ));
    assert!(!says(&policy, &ada, Action::ListJobs).is_allowed());
    policy.replace(&[]);
    assert!(says(&policy, &ada, Action::ListJobs).is_allowed());
    // Nor is anybody taken for who they were.
    assert!(!says(&policy, &person("ada", &[]), Action::ListJobs).is_allowed());
}

#[test]
fn a_policy_may_ask_for_the_time() {
    let always = r#"permit (principal, action == Ergon::Action::"ListJobs", resource)
            when { context.hour >= 0 && context.hour < 24 && context.time > datetime("2020-01-01T00:00:00Z")
                && ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"].contains(context.weekday) };"#;
    let policy = Policy::new(&own(always));
    assert_eq!(policy.broken(), []);
    assert!(says(&policy, &person("ada", &[]), Action::ListJobs).is_allowed());
    let never = always.replace("context.hour >= 0", "context.hour < 0");
    policy.replace(&own(&never));
    assert!(!says(&policy, &person("ada", &[]), Action::ListJobs).is_allowed());
}

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
        (Action::RegisterCompanion, Some("numa"), Decision::Allow),
        (Action::RegisterCompanion, Some("apollo"), Decision::Deny),
        (Action::IssueCertificate, None, Decision::Allow),
        (Action::IssueCertificate, Some("NUMA"), Decision::Allow),
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
            decided(&numa, action, &resource),
            decision,
            "{action:?} {named:?}"
        );
    }
}

#[test]
fn names_that_nobody_asks_for_are_not_remembered_and_those_that_somebody_does_are_told_apart() {
    let ada = person("ada", &["operator"]);
    let circumstances = Circumstances::new(Channel::Http, Means::Session);
    let may = |policy: &Policy, name: &str| {
        let action = Action::StopContainer;
        policy.would_allow(
            &ada,
            action,
            &action.on(Some(name.to_owned())),
            circumstances,
        )
    };
    let policy = Policy::default();
    for number in 0..1_000 {
        assert!(may(&policy, &format!("web-{number}")));
    }
    policy.shared.remembered.run_pending_tasks();
    assert_eq!(policy.shared.remembered.entry_count(), 1);
    policy.replace(&own(
        "forbid (principal, action, resource == Ergon::Container::\"db\");",
    ));
    for name in ["db", "web", "db", "web"] {
        assert_eq!(may(&policy, name), name == "web", "{name}");
    }
}
