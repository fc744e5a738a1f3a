//! Text that is refused whatever its fields mean: no JSON, or not the same JSON to everybody.

use insta::assert_snapshot;

use crate::{refusals, with, with_application, with_container, with_containers};

#[test]
fn text_that_is_no_json() {
    assert_snapshot!(refusals(""), @r#"
    1:1 syntax at 
      the manifest is empty
      help: `ergon manifest init` writes one from the project
    "#);
    assert_snapshot!(refusals("{\n  // the version\n  \"a\": 1 }"), @r#"
    2:3 comment at // the version
      a comment; JSON has none
      help: remove it
    "#);
    assert_snapshot!(refusals("{ \"a\": [1, 2,] }"), @r#"
    1:13 trailing-comma at ,
      a comma after the last item
      help: remove it
    "#);
    assert_snapshot!(refusals("{ 'a': 1 }"), @r#"
    1:3 syntax at '
      a string in single quotes
      help: JSON strings have double quotes
    "#);
    assert_snapshot!(refusals("{ a: 1 }"), @r#"
    1:3 syntax at a
      a field's name must be in double quotes
      help: write "a"
    "#);
    assert_snapshot!(refusals("{ \"a\": 1 \"b\": 2 }"), @r#"
    1:9 syntax at 
      a comma is missing here
      help: put a comma between two items
    "#);
    assert_snapshot!(refusals("{ \"a\" 1 }"), @r#"
    1:7 syntax at 1
      a colon is missing here
      help: a field is written "name": value
    "#);
    assert_snapshot!(refusals("{ \"a\": }"), @r#"
    1:8 syntax at }
      "}" was not expected here
      help: a value is missing before it
    "#);
    assert_snapshot!(refusals("{ \"a\": yes }"), @r#"
    1:8 syntax at yes
      "yes" is not JSON
      help: strings need double quotes; the only bare words are true, false and null
    "#);
    assert_snapshot!(refusals("{ \"a\": { }"), @r#"
    1:1 syntax at {
      this `{` is never closed
      help: add a `}`
    "#);
    assert_snapshot!(refusals("{ \"a\": 1 } { }"), @r#"
    1:12 syntax at {
      there is more after the end of the manifest
      help: a manifest is one object { … }
    "#);
    assert_snapshot!(refusals("{ \"a\": 08 }"), @r#"
    1:9 syntax at 
      a number that begins with 0
      help: remove the leading zero
    "#);
    assert_snapshot!(refusals("{ \"a\": 0x10 }"), @r#"
    1:8 syntax at 0
      this is not a number in JSON
      help: write a whole number in decimal digits
    "#);
    assert_snapshot!(refusals("{ \"a\": \"b }\n}"), @r#"
    1:8 syntax at "
      this string is never closed
      help: add a `"`
    "#);
    assert_snapshot!(refusals("{ \"a\": \"b"), @r#"
    1:8 syntax at "
      this string is never closed
      help: add a `"`
    "#);
    assert_snapshot!(refusals("{ \"a\": \"b\tc\" }"), @r#"
    1:10 syntax at 	
      a control character stands unescaped in a string
      help: write \u0009
    "#);
    assert_snapshot!(refusals(r#"{ "a": "\x41" }"#), @r#"
    1:9 syntax at \x
      an escape that JSON does not have
      help: the escapes are \" \\ \/ \b \f \n \r \t \u0041
    "#);
    assert_snapshot!(refusals(r#"{ "a": "\ud83d." }"#), @r#"
    1:9 syntax at \ud83d
      half of a surrogate pair is no character
      help: a pair is written \ud83d\udc33
    "#);
    assert_snapshot!(refusals("{\u{a0}\"a\": 1 }"), @r#"
    1:2 syntax at  
      U+00A0 is not white space in JSON
      help: replace it with a plain space
    "#);
    assert_snapshot!(refusals("\u{feff}{ }"), @r#"
    1:1 syntax at ﻿
      the text begins with a byte order mark
      help: save it as UTF-8 without one
    "#);
    assert_snapshot!(refusals("{ \"ü🐳\": 1 ] }"), @r#"
    1:11 syntax at ]
      "]" was not expected here
      help: none
    "#);
}

#[test]
fn text_that_is_too_much() {
    assert_snapshot!(refusals(&"[".repeat(100_000)), @r#"
    1:65 too-deep at [
      values are nested more than 64 deep
      help: none
    "#);
    assert_snapshot!(refusals(&" ".repeat((1 << 20) + 1)), @r#"
    1:1 too-large at 
      the manifest has 1048577 bytes; at most 1048576 (1 MiB) are read
      help: none
    "#);
}

#[test]
fn a_manifest_that_is_no_object() {
    assert_snapshot!(refusals("[]"), @r#"
    1:1 wrong-type at []
      the manifest is a list; wanted is an object { … }
      help: none
    "#);
    assert_snapshot!(refusals("null"), @r#"
    1:1 wrong-type at null
      the manifest is null; wanted is an object { … }
      help: none
    "#);
}

#[test]
fn keys_that_are_written_twice() {
    assert_snapshot!(refusals(&with_container(r#""ports": [1], "ports": [2]"#)), @r#"
    8:21 duplicate-key at "ports"
      containers.web.ports is written twice
      help: keep one of them
    "#);
    assert_snapshot!(refusals(&with(r#""lifecycle": { "a": [{ "b": 1, "\u0062": 2 }] }"#)), @r#"
    5:34 duplicate-key at "\u0062"
      lifecycle.a[0].b is written twice
      help: keep one of them
    "#);
    assert_snapshot!(refusals(&with_containers(r#""web": { "base_image": "a", "applications": ["api"] },
    "web": { "nonsense": 1 }"#)), @r#"
    6:5 duplicate-key at "web"
      containers.web is written twice
      help: keep one of them
    "#);
}

#[test]
fn numbers_that_are_not_the_same_everywhere() {
    assert_snapshot!(refusals(&with_application(r#""runtime": { "name": "python", "version": 3.11 }"#)), @r#"
    7:49 float at 3.11
      applications.api.runtime.version is 3.11, which is not a whole number
      help: only whole numbers up to 9007199254740991 are the same everywhere; write it as a string: "3.11"
    "#);
    assert_snapshot!(refusals(&with(r#""lifecycle": { "a": [1e3, -0, 9007199254740992, -9007199254740991] }"#)), @r#"
    5:24 float at 1e3
      lifecycle.a[0] is 1e3, which is not a whole number
      help: only whole numbers up to 9007199254740991 are the same everywhere; write it as a string: "1e3"
    5:29 float at -0
      lifecycle.a[1] is -0, which is not a whole number
      help: only whole numbers up to 9007199254740991 are the same everywhere; write it as a string: "-0"
    5:33 number-too-large at 9007199254740992
      lifecycle.a[2] is 9007199254740992, which is beyond 9007199254740991
      help: only whole numbers up to 9007199254740991 are the same everywhere; write it as a string: "9007199254740992"
    "#);
    assert_snapshot!(refusals(&with_container(r#""ports": [8000.0]"#)), @r#"
    8:17 float at 8000.0
      containers.web.ports[0] is 8000.0, which is not a whole number
      help: only whole numbers up to 9007199254740991 are the same everywhere; write it as a string: "8000.0"
    "#);
}
