//! Who may do what.

use super::*;
use crate::access::Scopes;

fn decide(principal: &Principal, action: Action) -> Decision {
    authorize(principal, action, &action.on(None))
}

fn decide_on(principal: &Principal, action: Action, repository: &str) -> Decision {
    authorize(principal, action, &action.on(Some(repository.to_owned())))
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
        let may = |action| would_allow(&principal, action, &public(action));
        assert!(may(Action::PullImage), "{principal:?}");
        assert!(!may(Action::PushImage), "{principal:?}");
        assert!(!may(Action::DeleteImage), "{principal:?}");
        assert!(!may(Action::ReadRepository), "{principal:?}");
    }
}
