//! Our canonical JSON beside that of others: the `rfc8785` package of PyPI.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use ergon_manifest::canonical_json;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Number, Value};

/// Reads a JSON value from each line, writes its canonical form as hexadecimal digits.
const OTHERS: &str = "
import json, sys, rfc8785
for line in sys.stdin.buffer:
    print(rfc8785.dumps(json.loads(line)).hex())
";

/// How many values are compared.
const VALUES: usize = 4000;

/// Whole numbers that a double holds, which is what I-JSON allows; others' code refuses any larger.
fn number() -> impl Strategy<Value = Number> {
    const LARGEST: i64 = (1 << 53) - 1;
    prop_oneof![
        (-LARGEST..=LARGEST).prop_map(Number::from),
        (-20..20_i64).prop_map(Number::from),
        prop::num::f64::NORMAL.prop_filter_map("finite", Number::from_f64),
        prop::num::f64::SUBNORMAL.prop_filter_map("finite", Number::from_f64),
        (-1e25..1e25).prop_filter_map("finite", Number::from_f64),
        Just(Number::from_f64(-0.0).unwrap()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        // What sorts otherwise by UTF-16 than by code point, and what is escaped.
        "[\u{e000}-\u{ffff}\u{10000}-\u{10ff00}\u{0}-\u{20}\"\\\\/\u{7f}-\u{9f}\u{2028}]{0,6}",
        "[a-z]{0,3}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..8)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

#[test]
fn any_value_has_the_form_that_others_give_it() {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/rfc8785");
    let python = |code: &str| {
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", &tools).args(["-c", code]);
        command
    };
    let found = python("import rfc8785").output();
    if !found.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no rfc8785 here; dev/setup --test installs it (from PyPI)");
        return;
    }
    let mut runner = TestRunner::default();
    let values: Vec<Value> = (0..VALUES)
        .map(|_| value().new_tree(&mut runner).unwrap().current())
        .collect();
    let mut others = python(OTHERS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = others.stdin.take().unwrap();
    let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = others.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success());
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert_eq!(theirs.lines().count(), VALUES);
    for (value, theirs) in values.iter().zip(theirs.lines()) {
        let ours = canonical_json(value).unwrap();
        let digits: String = ours.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, theirs, "{value}");
    }
}
