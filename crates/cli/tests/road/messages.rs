//! `aish` as people use it beside asking: inboxes, sitting in, names of one's own, completion.

use serde_json::json;

use crate::world::{World, eventually};

impl World {
    /// `aish` at a terminal of this name.
    fn at(&self, terminal: &str, words: &[&str]) -> crate::world::Program {
        self.aish(words).env("ERGON_TERMINAL", terminal)
    }

    fn stack_name(&self) -> String {
        let session = self.aish(["whoami", "--json"]).json();
        session["stack"].as_str().unwrap().to_owned()
    }
}

#[test]
fn people_write_to_each_other_and_it_outlives_a_power_cut() {
    let world = World::new();
    let stack = world.up();
    assert_eq!(
        world.at("desk", &["inbox", "count"]).succeeds().stdout,
        "0\n"
    );
    let sent = world
        .at("sofa", &["inbox", "send", "DESK", "lunch?"])
        .succeeds();
    assert!(
        sent.stdout.contains("in the inbox of desk"),
        "{}",
        sent.stdout
    );
    world
        .at("sofa", &["desk"])
        .run_with_input("or \u{1b}[31mlater\n");
    stack.kill();
    let _stack = world.up();
    assert_eq!(
        world.at("desk", &["inbox", "count"]).succeeds().stdout,
        "2\n"
    );
    let shown = world.at("desk", &["inbox"]).succeeds().stdout;
    assert!(
        shown.contains("● sofa") && shown.contains("lunch?"),
        "{shown}"
    );
    assert!(
        shown.contains("or later") && !shown.contains('\u{1b}'),
        "{shown:?}"
    );
    assert_eq!(
        world.at("desk", &["inbox", "count"]).succeeds().stdout,
        "0\n"
    );
    let again = world.at("desk", &["inbox", "show", "--json"]).json();
    assert_eq!(
        (&again["unread"], &again["messages"]),
        (&json!(0), &json!(2))
    );
    let cleared = world.at("desk", &["inbox", "clear"]).succeeds();
    assert_eq!(cleared.stdout, "2 messages removed.\n");
    let nowhere = world.aish(["inbox"]).ends_with(2);
    assert!(
        nowhere.stderr.contains("ERGON_TERMINAL=NAME"),
        "{}",
        nowhere.stderr
    );
    let wrong = world.at("desk", &["inbox", "burn"]).ends_with(2);
    assert!(
        wrong.stderr.contains("aish inbox [show|count|clear"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_person_sits_in_and_gets_up_again() {
    let world = World::new();
    let _stack = world.up();
    let name = world.stack_name();
    world.at("desk", &["forward", &name]).succeeds();
    let told = world.aish([&name, "how are you?"]).succeeds().stdout;
    assert!(told.contains("in the inbox of desk, who sits in"), "{told}");
    let list = world.aish(["forward", "list"]).succeeds().stdout;
    assert!(list.contains(&name) && list.contains("desk"), "{list}");
    let team = world.aish(["team-chat", "well?"]).succeeds().stdout;
    assert!(team.contains("who sits in"), "{team}");
    let shown = world.at("desk", &["inbox"]).succeeds().stdout;
    assert!(shown.contains(&format!("owner to {name}")), "{shown}");
    world.aish(["forward", "remove", &name]).succeeds();
    let reply = world.aish([&name, "how are you?", "--json"]).json();
    assert_eq!(reply["from"], name.as_str());
    world.aish(["forward", "remove", &name]).ends_with(1);
    world.at("desk", &["forward", "desk"]).ends_with(1);
}

#[test]
fn a_name_of_ones_own_stands_for_what_was_said() {
    let world = World::new();
    let _stack = world.up();
    let name = world.stack_name();
    world.aish(["alias", "add", "home", &name]).succeeds();
    world
        .aish(["alias", "add", "morning", "team-chat", "anyone unwell?"])
        .succeeds();
    let reply = world.aish(["HOME", "how are you?", "--json"]).json();
    assert_eq!(reply["from"], name.as_str());
    let team = world.aish(["morning", "--json"]).json();
    assert_eq!(team["items"][0]["outcome"], "answered");
    let list = world.aish(["alias", "list", "--json"]).json();
    assert_eq!(list["morning"], json!(["team-chat", "anyone unwell?"]));
    world.aish(["alias", "remove", "home"]).succeeds();
    world.aish(["alias", "remove", "home"]).ends_with(1);
    world.aish(["alias", "add", "list", "x"]).ends_with(2);
    world.aish(["home", "hello"]).ends_with(1);
}

#[test]
fn one_knows_who_one_is_and_what_others_are_for() {
    let world = World::new();
    let _stack = world.up();
    let name = world.stack_name();
    let whoami = world.at("desk", &["whoami", "--json"]).json();
    assert_eq!(
        (&whoami["principal"], &whoami["terminal"]),
        (&json!("owner"), &json!("desk"))
    );
    let none = world.aish(["purpose", &name]).succeeds().stdout;
    assert!(none.contains("nobody said"), "{none}");
    world
        .aish(["purpose", &name, "keeps", "the", "shop"])
        .succeeds();
    let said = world
        .aish(["purpose", &name.to_uppercase(), "--json"])
        .json();
    assert_eq!(
        (&said["purpose"], &said["said_by"]),
        (&json!("keeps the shop"), &json!("owner"))
    );
    world
        .at("desk", &["purpose", "desk", "the front desk"])
        .ends_with(1);
    world.at("desk", &["purpose"]).succeeds();
    world
        .at("desk", &["purpose", "desk", "the front desk"])
        .succeeds();
}

#[test]
fn what_was_said_is_in_the_record_without_its_words() {
    let world = World::new();
    let _stack = world.up();
    let name = world.stack_name();
    world
        .at("desk", &[&name, "how are you, Sesame?"])
        .succeeds();
    let log = eventually("the exchange to be recorded", || {
        let log = world
            .ergon(["message", "log", "--to", &name])
            .succeeds()
            .stdout;
        log.contains("answered").then_some(log)
    });
    assert!(log.contains("desk") && !log.contains("Sesame"), "{log}");
    let waiting = world.ergon(["message", "list", "--all"]).succeeds();
    assert_eq!(waiting.stdout, "Nothing waits.\n");
    world.ergon(["message", "retry", "nothing"]).ends_with(1);
    world.ergon(["message", "drop", "nothing"]).ends_with(1);
}

#[test]
fn the_tab_key_completes_names_and_words() {
    let world = World::new();
    let _stack = world.up();
    let name = world.stack_name();
    world.at("desk", &["inbox", "count"]).succeeds();
    let complete = |words: &[&str]| {
        let line = ["--", "aish"].iter().chain(words);
        let shown = world.aish(line).env("COMPLETE", "fish").succeeds().stdout;
        // Options may stand anywhere.
        shown
            .lines()
            .map(|line| line.split('\t').next().unwrap().to_owned())
            .filter(|word| !word.starts_with('-'))
            .collect::<Vec<_>>()
    };
    let begun = name[..2].to_uppercase();
    assert_eq!(complete(&[&begun]), std::slice::from_ref(&name));
    assert_eq!(complete(&["team"]), ["team-chat"]);
    assert_eq!(complete(&["inbox", "c"]), ["count", "clear"]);
    assert_eq!(complete(&["forward", &name, ""]), ["desk"]);
    for shell in ["bash", "zsh", "fish"] {
        let script = world.ergon(["completion", shell]).succeeds().stdout;
        assert!(
            script.contains("aish") && script.contains("ergon"),
            "{script}"
        );
    }
    world.aish(["completion", "dos"]).ends_with(2);
}

#[test]
fn every_command_has_a_manual_page() {
    let world = World::new();
    let folder = world.path("man");
    world.ergon(["man", folder.to_str().unwrap()]).succeeds();
    for page in ["ergon.1", "ergon-run.1", "ergon-message-log.1", "aish.1"] {
        let text = std::fs::read_to_string(folder.join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
    world.ergon(["man", "/proc/nowhere"]).ends_with(1);
}
