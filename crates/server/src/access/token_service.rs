//! Gives tokens, and says whose they are.

use std::sync::Arc;

use ergon_store::now;

use super::robots::Robots;
use super::scope::{Scope, Scopes, Verbs};
use super::token::{Access, Claims, Key, Purpose};
use crate::authorize::Principal;
use crate::entropy::Entropy;
use crate::people::People;
use crate::sessions::Secret;

/// How long a token opens anything, in seconds. Whoever is not done by then asks for another.
const LASTS: i64 = 5 * 60;

/// How subjects are written.
const OWNER: &str = "owner";
const ROBOT: &str = "robot:";
/// With the id of the token they showed.
const PERSON: &str = "token:";
const NOBODY: &str = "";

/// A token, and what it is good for.
#[derive(Debug)]
pub struct Token {
    pub text: Secret,
    /// Seconds.
    pub expires_in: i64,
}

/// Gives tokens to whom they belong. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TokenService {
    /// Who gives them, and takes them: the stack's id.
    stack: Arc<str>,
    key: Key,
    robots: Robots,
    people: People,
    entropy: Entropy,
}

impl TokenService {
    pub fn new(
        stack: &str,
        secret: &Secret,
        robots: Robots,
        people: People,
        entropy: Entropy,
    ) -> Self {
        Self {
            stack: stack.into(),
            key: Key::derived(secret.reveal()),
            robots,
            people,
            entropy,
        }
    }

    /// A token that opens this and nothing else.
    pub fn give(&self, to: &Principal, scopes: &Scopes) -> Token {
        let access = scopes.iter().map(access).collect();
        let claims = Claims {
            exp: Some(seconds() + LASTS),
            access,
            ..self.claims(to, Purpose::Access)
        };
        Token {
            text: Secret::received(self.key.sign(&claims)),
            expires_in: LASTS,
        }
    }

    /// What is shown here instead of a secret. It lasts as long as the secret does. Nobody gets none.
    pub fn give_refresh(&self, to: &Principal) -> Option<Secret> {
        let claims = self.claims(to, Purpose::Refresh);
        (claims.sub != NOBODY).then(|| Secret::received(self.key.sign(&claims)))
    }

    /// Who shows this token to the registry.
    pub fn bearer(&self, token: &str) -> Option<Principal> {
        let claims = self.verified(token, Purpose::Access)?;
        let of = Box::new(self.subject(&claims)?);
        let scopes = claims.access.iter().filter_map(scope).collect();
        Some(Principal::Bearer { of, scopes })
    }

    /// Who shows this token to the token service.
    pub fn refreshing(&self, token: &str) -> Option<Principal> {
        self.subject(&self.verified(token, Purpose::Refresh)?)
    }

    fn verified(&self, token: &str, purpose: Purpose) -> Option<Claims> {
        self.key.verify(token, &self.stack, purpose, seconds())
    }

    /// Whom a token was given to, as far as they are still there with the same secret.
    fn subject(&self, claims: &Claims) -> Option<Principal> {
        match claims.sub.as_str() {
            NOBODY => Some(Principal::Nobody),
            OWNER => Some(Principal::Owner),
            person if person.starts_with(PERSON) => {
                self.people.with_token_id(person.strip_prefix(PERSON)?)
            }
            robot => {
                let robot = self.robots.find(robot.strip_prefix(ROBOT)?)?;
                (Some(robot.secret_at) == claims.secret_at).then_some(Principal::Robot(robot))
            }
        }
    }

    fn claims(&self, to: &Principal, purpose: Purpose) -> Claims {
        let (sub, secret_at) = match to.itself() {
            Principal::Owner => (OWNER.to_owned(), None),
            Principal::Person(person) => match &person.token {
                Some(token) => (format!("{PERSON}{token}"), None),
                None => (NOBODY.to_owned(), None),
            },
            Principal::Robot(robot) => (format!("{ROBOT}{}", robot.name), Some(robot.secret_at)),
            _ => (NOBODY.to_owned(), None),
        };
        Claims {
            iss: self.stack.to_string(),
            sub,
            aud: self.stack.to_string(),
            exp: None,
            iat: seconds(),
            jti: hex::encode(self.entropy.bytes::<12>()),
            access: Vec::new(),
            purpose,
            secret_at,
        }
    }
}

fn seconds() -> i64 {
    now() / 1000
}

fn access(scope: &Scope) -> Access {
    match scope {
        Scope::Repository { name, verbs } => Access {
            kind: "repository".to_owned(),
            name: name.to_string(),
            actions: verbs.names(),
        },
        Scope::Catalog => Access {
            kind: "registry".to_owned(),
            name: "catalog".to_owned(),
            actions: vec!["*".to_owned()],
        },
    }
}

fn scope(access: &Access) -> Option<Scope> {
    if access.kind == "registry" {
        return Some(Scope::Catalog);
    }
    let verbs = access.actions.iter().filter_map(|name| Verbs::named(name));
    Some(Scope::Repository {
        name: access.name.parse().ok()?,
        verbs: verbs.fold(Verbs::NONE, Verbs::and),
    })
}

#[cfg(test)]
mod tests {
    use ergon_store::Store;

    use super::*;
    use crate::access::robots::NewRobot;

    async fn service(folder: &tempfile::TempDir) -> TokenService {
        let store = Store::open(&folder.path().join("ergon.db")).await.unwrap();
        let people = People::open(store.clone(), Entropy::system())
            .await
            .unwrap();
        let robots = Robots::open(store, Entropy::system()).await.unwrap();
        let secret = Secret::received("the stack's token");
        TokenService::new("stack", &secret, robots, people, Entropy::system())
    }

    fn asked() -> Scopes {
        Scopes::parse(["repository:team/app:pull,push registry:catalog:*"])
    }

    #[tokio::test]
    async fn a_token_is_its_subjects_and_opens_what_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let service = service(&folder).await;
        let token = service.give(&Principal::Owner, &asked());
        let bearer = service.bearer(token.text.reveal()).unwrap();
        let of = Box::new(Principal::Owner);
        assert_eq!(
            bearer,
            Principal::Bearer {
                of,
                scopes: asked()
            }
        );
        let nobodys = service.give(&Principal::Nobody, &Scopes::default());
        let bearer = service.bearer(nobodys.text.reveal()).unwrap();
        assert_eq!(bearer.itself(), &Principal::Nobody);
    }

    #[tokio::test]
    async fn tokens_for_the_registry_and_for_the_service_are_not_mistaken() {
        let folder = tempfile::tempdir().unwrap();
        let service = service(&folder).await;
        let token = service.give(&Principal::Owner, &asked()).text;
        let refresh = service.give_refresh(&Principal::Owner).unwrap();
        assert!(service.refreshing(token.reveal()).is_none());
        assert!(service.bearer(refresh.reveal()).is_none());
        assert_eq!(service.refreshing(refresh.reveal()), Some(Principal::Owner));
        assert!(service.give_refresh(&Principal::Nobody).is_none());
    }

    #[tokio::test]
    async fn what_a_robot_was_given_ends_with_its_secret() {
        let folder = tempfile::tempdir().unwrap();
        let service = service(&folder).await;
        let wanted = NewRobot {
            name: "ci".to_owned(),
            allowances: vec!["*:pull".to_owned()],
            ..NewRobot::default()
        };
        let (robot, _) = service.robots.add(&wanted).await.unwrap();
        let robot = Principal::Robot(robot);
        let token = service.give(&robot, &asked()).text;
        let refresh = service.give_refresh(&robot).unwrap();
        assert!(service.bearer(token.reveal()).is_some());
        assert_eq!(service.refreshing(refresh.reveal()), Some(robot));
        service.robots.rotate("ci").await.unwrap();
        assert!(service.bearer(token.reveal()).is_none());
        assert!(service.refreshing(refresh.reveal()).is_none());
        // Nor does it come back with a robot of the same name.
        service.robots.remove("ci").await.unwrap();
        assert!(service.bearer(token.reveal()).is_none());
    }
}
