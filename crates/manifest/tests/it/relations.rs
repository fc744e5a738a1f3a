//! Names that do not fit together.

use insta::assert_snapshot;

use crate::{SEED_EXAMPLE, refusals, with, with_container, with_containers};

#[test]
fn names_that_point_at_nothing() {
    assert_snapshot!(refusals(&with_containers(r#""web": { "base_image": "python", "applications": ["api", "apo"] }"#)), @r#"
    5:62 unknown-application at "apo"
      containers.web.applications[1] names "apo", which is not an application
      help: did you mean "api"?
    "#);
    assert_snapshot!(refusals(&with_container(r#""depends_on": ["database"]"#)), @r#"
    8:22 unknown-container at "database"
      containers.web.depends_on[0] names "database", which is not a container
      help: there is "web"
    "#);
    assert_snapshot!(refusals(&with(r#""packaging": { "build_order": ["web", "worker"] }"#)), @r#"
    5:41 unknown-container at "worker"
      packaging.build_order[1] names "worker", which is not a container
      help: there is "web"
    "#);
}

#[test]
fn an_application_in_no_container() {
    assert_snapshot!(refusals(&with_containers(r#""web": { "base_image": "python", "applications": [] }"#)), @r#"
    3:21 unused-application at "api"
      applications.api is in no container
      help: add "api" to a container's `applications`
    "#);
}

#[test]
fn two_containers_with_one_companion() {
    assert_snapshot!(refusals(&with_containers(r#""web": { "base_image": "python", "applications": ["api"] },
    "other": { "base_image": "python", "applications": ["api"], "ci_name": "web-ci" }"#)), @r#"
    6:76 duplicate-companion at "web-ci"
      containers.other has the companion "web-ci", and so has container "web"
      help: give one of them another `ci_name`
    "#);
}

#[test]
fn containers_that_wait_for_each_other() {
    let containers = r#"
    "aa": { "base_image": "python", "applications": ["api"], "depends_on": ["bb"] },
    "bb": { "base_image": "python", "applications": [], "depends_on": ["cc"] },
    "cc": { "base_image": "python", "applications": [], "depends_on": ["aa", "cc"] }"#;
    assert_snapshot!(refusals(&with_containers(containers)), @r#"
    8:72 cycle at "aa"
      containers.cc.depends_on[0] closes a circle: aa → bb → cc → aa
      help: none of them could be first; take one dependency out
    8:78 cycle at "cc"
      containers.cc.depends_on[1] closes a circle: cc → cc
      help: none of them could be first; take one dependency out
    "#);
}

#[test]
fn a_build_order_that_cannot_be() {
    let ordered = |order: &str| {
        format!(
            r#"{{ "manifest_version": "1.0", "applications": {{}},
  "containers": {{
    "api": {{ "base_image": "a", "applications": [], "depends_on": ["db"] }},
    "db": {{ "base_image": "a", "applications": [] }}
  }},
  "packaging": {{ "build_order": {order} }} }}"#
        )
    };
    assert_snapshot!(refusals(&ordered(r#"["api", "db"]"#)), @r#"
    6:34 build-order at "api"
      packaging.build_order[0] builds "api" before "db", which it depends on
      help: put "db" before "api", or leave `build_order` out
    "#);
    assert_snapshot!(refusals(&ordered(r#"["db"]"#)), @r#"
    3:5 build-order-incomplete at "api"
      containers.api is not in packaging.build_order
      help: add "api" to it, or leave `build_order` out
    "#);
    assert_snapshot!(refusals(&ordered(r#"["db", "api", "db"]"#)), @r#"
    6:47 duplicate-item at "db"
      packaging.build_order[2] says "db" a second time
      help: remove it
    "#);
    assert!(ergon_manifest::check(&ordered(r#"["db", "api"]"#)).is_ok());
}

#[test]
fn what_could_not_be_read_causes_no_second_message() {
    assert_snapshot!(refusals(&with_containers(r#""web": { "base_image": "python", "applications": "api" }"#)), @r#"
    5:54 wrong-type at "api"
      containers.web.applications is the string "api"; wanted is a list [ … ]
      help: write ["api"]
    "#);
    assert_snapshot!(refusals(&with_containers(r#""web": []"#)), @r#"
    5:12 wrong-type at []
      containers.web is a list; wanted is an object { … }
      help: none
    "#);
    assert_snapshot!(refusals(&with(r#""packaging": { "build_order": [1] }"#)), @r#"
    5:34 wrong-type at 1
      packaging.build_order[0] is the number 1; wanted is a string
      help: write it in quotes: "1"
    "#);
    assert_snapshot!(refusals(&SEED_EXAMPLE.replace(r#""api-ci""#, "{}")), @r#"
    22:18 wrong-type at {}
      containers.api-container.ci_name is an object; wanted is a string
      help: none
    "#);
}
