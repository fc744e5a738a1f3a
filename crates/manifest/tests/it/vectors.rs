//! RFC 8785: the canonical form, byte for byte.

use ergon_manifest::canonical_json;

fn canonical(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    String::from_utf8(canonical_json(&value).unwrap()).unwrap()
}

#[test]
fn white_space_goes_and_keys_are_sorted() {
    assert_eq!(
        canonical(" { \"b\" : [ 1 , true , null ] ,\n \"a\" : { } } "),
        r#"{"a":{},"b":[1,true,null]}"#
    );
}

/// The RFC's own example in section 3.2.2.
#[test]
fn strings_have_the_shortest_escapes() {
    let text = r#"{ "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/" }"#;
    assert_eq!(
        canonical(text),
        "{\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
    );
    assert_eq!(
        canonical(r#""\u0008\u0009\u000a\u000c\u000d\u001f\u007f\u2028""#),
        "\"\\b\\t\\n\\f\\r\\u001f\u{7f}\u{2028}\""
    );
}

/// The RFC's own example in section 3.2.3: UTF-16 code units decide, so that U+1F600 comes before U+FB33.
#[test]
fn keys_are_sorted_by_utf_16() {
    let text = r#"{
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\ud83d\ude00": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis"
    }"#;
    let canonical = canonical(text);
    let order = [
        "Carriage Return",
        "One",
        "Control",
        "Latin",
        "Euro",
        "Emoji",
        "Hebrew",
    ];
    let places: Vec<_> = order.map(|word| canonical.find(word).unwrap()).to_vec();
    assert!(places.is_sorted(), "{canonical}");
}

#[test]
fn whole_numbers_are_written_in_full() {
    assert_eq!(
        canonical("[0, -1, 9007199254740991, -9007199254740991]"),
        "[0,-1,9007199254740991,-9007199254740991]"
    );
}
