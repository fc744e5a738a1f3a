//! Robots, as people read them.

use ergon_server::api::{Robot, RobotSecret};
use jiff::Timestamp;

use crate::table::{Table, labelled};
use crate::{style, words};

pub fn list(robots: &[Robot], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["ROBOT", "SECRET", "LAST USED", "ENDS", "MAY", "ABOUT"]);
    for robot in robots {
        table.row([
            robot.name.clone(),
            format!("made {}", words::ago(&robot.secret_at, now)),
            used(robot, now),
            ends(robot),
            may(robot),
            words::on_one_line(&robot.about),
        ]);
    }
    if table.is_empty() {
        return "No robots yet.  Add one: ergon registry robot add ci --allow 'team/*:pull,push'\n"
            .to_owned();
    }
    table.render(width)
}

pub fn show(robot: &Robot) -> String {
    let (allow, about, ends) = (may(robot), words::on_one_line(&robot.about), ends(robot));
    let name = style::strong(&robot.name);
    let mut rows = vec![("robot", name.as_str()), ("may", &allow)];
    if !about.is_empty() {
        rows.push(("about", &about));
    }
    rows.extend([
        ("added", robot.created_at.as_str()),
        ("secret", robot.secret_at.as_str()),
        ("ends", &ends),
    ]);
    labelled(&rows)
}

/// A robot with the secret that is seen this once.
pub fn secret(robot: &RobotSecret, registry: &str) -> String {
    let (name, allow) = (&robot.robot.name, may(&robot.robot));
    let rows = [
        ("robot", style::strong(name)),
        ("may", allow),
        ("secret", style::strong(&robot.secret)),
    ];
    let rows: Vec<(&str, &str)> = rows.iter().map(|(label, text)| (*label, &**text)).collect();
    let next = style::link(&format!(
        "docker login {registry} --username {name} --password-stdin"
    ));
    format!(
        "{}The secret is kept nowhere and not shown again.\nNext:  {next}\n",
        labelled(&rows)
    )
}

/// What it may do in the registry, and what it is beside.
fn may(robot: &Robot) -> String {
    let roles = robot.roles.iter().map(|role| format!("role:{role}"));
    let all: Vec<String> = robot.allow.iter().cloned().chain(roles).collect();
    all.join(" ")
}

fn used(robot: &Robot, now: Timestamp) -> String {
    let time = robot.last_used_at.as_ref();
    time.map_or_else(|| "never".to_owned(), |time| words::ago(time, now))
}

fn ends(robot: &Robot) -> String {
    match &robot.expires_at {
        None => "never".to_owned(),
        Some(time) if robot.expired => style::bad(&format!("ended {time}")),
        Some(time) => time.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::plain;
    use insta::assert_snapshot;

    fn robot() -> Robot {
        Robot {
            roles: Vec::new(),
            last_used_at: None,
            name: "ci".to_owned(),
            about: "builds\u{1b}[2J".to_owned(),
            allow: vec!["team/*:pull,push".to_owned(), "base:pull".to_owned()],
            created_at: "2026-11-20T12:00:00Z".to_owned(),
            secret_at: "2026-11-20T14:00:00Z".to_owned(),
            expires_at: Some("2026-12-20T12:00:00Z".to_owned()),
            expired: false,
        }
    }

    #[test]
    fn a_list_says_what_each_may() {
        let now = "2026-11-20T14:06:00Z".parse().unwrap();
        let forever = Robot {
            name: "node".to_owned(),
            about: String::new(),
            allow: vec!["*:pull".to_owned()],
            expires_at: None,
            ..robot()
        };
        let ended = Robot {
            name: "old".to_owned(),
            expired: true,
            ..robot()
        };
        assert_snapshot!(plain(&list(&[robot(), forever, ended], now, None)), @r#"
        ROBOT  SECRET          LAST USED  ENDS                        MAY                         ABOUT
        ci     made 6 min ago  never      2026-12-20T12:00:00Z        team/*:pull,push base:pull  builds\u{1b}[2J
        node   made 6 min ago  never      never                       *:pull
        old    made 6 min ago  never      ended 2026-12-20T12:00:00Z  team/*:pull,push base:pull  builds\u{1b}[2J
        "#);
        assert!(list(&[], now, None).starts_with("No robots yet."));
    }

    #[test]
    fn one_is_shown_with_all_that_is_known() {
        assert_snapshot!(plain(&show(&robot())), @r#"
        robot   ci
        may     team/*:pull,push base:pull
        about   builds\u{1b}[2J
        added   2026-11-20T12:00:00Z
        secret  2026-11-20T14:00:00Z
        ends    2026-12-20T12:00:00Z
        "#);
    }

    #[test]
    fn a_secret_is_shown_with_what_to_do_with_it() {
        let robot = RobotSecret {
            robot: robot(),
            secret: "abc".to_owned(),
        };
        assert_snapshot!(plain(&secret(&robot, "localhost:7411")), @r#"
        robot   ci
        may     team/*:pull,push base:pull
        secret  abc
        The secret is kept nowhere and not shown again.
        Next:  docker login localhost:7411 --username ci --password-stdin
        "#);
    }
}
