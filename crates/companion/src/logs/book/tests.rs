use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
}

fn told(digest: &LogDigest) -> String {
    let lines: Vec<String> = digest
        .templates
        .iter()
        .map(|template| {
            format!(
                "{}{} ×{} {}/min before {} | {}",
                if template.is_new { "NEW " } else { "" },
                template.level.as_str(),
                template.count,
                template.per_minute / 100,
                template
                    .per_minute_before
                    .map_or("?".to_owned(), |rate| (rate / 100).to_string()),
                template.pattern
            )
        })
        .collect();
    lines.join("\n")
}

#[test]
fn errors_come_first_and_traces_are_one_error() {
    let mut book = LogBook::default();
    for second in 0..20 {
        book.take_in(
            at(second),
            false,
            &format!("10.0.0.{second} - - [x] \"GET /items/{second}?q={second} HTTP/1.1\" 200 17"),
        );
    }
    book.take_in(
        at(20),
        false,
        "10.0.0.1 - - [x] \"GET /pay HTTP/1.1\" 500 17",
    );
    for line in [
        "Traceback (most recent call last):",
        "  File \"/app/main.py\", line 9, in load",
        "    x",
        "ValueError: bad item 17",
    ] {
        book.take_in(at(20), true, line);
    }
    book.take_in(at(21), true, "warning: disk 91% full");
    let digest = book.digest(at(30));
    insta::assert_snapshot!(told(&digest), @"
    error ×1 1/min before ? | GET 500 /pay
    error ×1 1/min before ? | ValueError: bad item <num>
    warning ×1 1/min before ? | warning: disk <num> full
    info ×20 20/min before ? | GET 200 /items/<num>
    ");
    assert_eq!((digest.lines, digest.errors, digest.warnings), (23, 2, 1));
    let trace = &digest.traces[0];
    assert_eq!(
        (trace.error.as_str(), trace.place.as_deref(), trace.count),
        ("ValueError", Some("/app/main.py:9 in load"), 1)
    );
}

#[test]
fn after_a_deployment_what_was_not_there_before_is_new() {
    let mut book = LogBook::default();
    for second in 0..600 {
        book.take_in(at(second), false, &format!("user u{second} logged in"));
    }
    book.take_in(at(600), false, "user ann logged in");
    let mut next = book.succeed();
    for second in 700..760 {
        for _ in 0..10 {
            next.take_in(at(second), false, "user bob logged in");
        }
    }
    next.take_in(at(760), true, "ERROR: no such column: price");
    let digest = next.digest(at(770));
    insta::assert_snapshot!(told(&digest), @"
    NEW error ×1 0/min before 0 | ERROR: no such column: price
    unknown ×600 514/min before 60 | user <*> logged in
    ");
    assert_eq!(digest.compared_with, Some(at(700)));
}

#[test]
fn the_first_of_its_name_is_compared_with_its_first_minutes() {
    let mut book = LogBook::default();
    book.take_in(at(0), false, "starting");
    assert_eq!(book.digest(at(60)).compared_with, None);
    for minute in 0..30 {
        book.take_in(at(minute * 60), false, "tick");
    }
    book.take_in(at(1800), false, "ERROR: tock");
    let digest = book.digest(at(1801));
    assert_eq!(digest.compared_with, Some(at(600)));
    insta::assert_snapshot!(told(&digest), @"
    NEW error ×1 0/min before 0 | ERROR: tock
    unknown ×30 0/min before 1 | tick
    unknown ×1 0/min before 0 | starting
    ");
}

#[test]
fn a_log_without_any_shape_takes_bounded_memory_and_keeps_its_errors() {
    let mut book = LogBook::default();
    book.take_in(at(0), true, "ERROR: the one that matters");
    let word = |number: u64| -> String {
        (0..12)
            .map(|at| char::from(b'a' + u8::try_from((number >> at) % 26).unwrap_or(0)))
            .collect()
    };
    for number in 0..20_000_u64 {
        let line = format!(
            "{} {} {}",
            word(number * 7_919),
            word(number * 104_729),
            word(number * 31)
        );
        book.take_in(
            at(1 + i64::try_from(number / 1_000).expect("small")),
            false,
            &line,
        );
    }
    let digest = book.digest(at(60));
    assert!(digest.templates.len() <= MOST_TEMPLATES);
    assert_eq!(digest.templates[0].sample, "ERROR: the one that matters");
    let counted: u64 = digest.templates.iter().map(|template| template.count).sum();
    assert_eq!(counted + digest.forgotten, digest.lines);
}

#[test]
fn a_trace_in_json_is_found_and_counted_once() {
    let mut book = LogBook::default();
    book.take_in(
        at(0),
        false,
        r#"{"level":"error","msg":"job failed","err":{"stack":"TypeError: no\n    at load (/app/a.js:3:9)"}}"#,
    );
    let digest = book.digest(at(1));
    assert_eq!((digest.lines, digest.errors), (1, 1));
    assert_eq!(digest.templates[0].pattern, "job failed");
    assert_eq!(digest.traces[0].error, "TypeError");
}
