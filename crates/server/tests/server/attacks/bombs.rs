//! Bodies that are small to send and would be large to read.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::By::{Developer, Owner, Robot, Viewer};
use super::{Attack, Target, attack};

fn packed(size: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..size >> 20 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

/// The head of a file in a tar, with what it claims.
fn tar(name: &str, kind: u8, link: &str, size: &str) -> Vec<u8> {
    let mut head = vec![0_u8; 512];
    head[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
    head[100..107].copy_from_slice(b"0000644");
    head[124..124 + size.len()].copy_from_slice(size.as_bytes());
    head[156] = kind;
    head[157..157 + link.len()].copy_from_slice(link.as_bytes());
    head[257..263].copy_from_slice(b"ustar\0");
    head[148..156].copy_from_slice(b"        ");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    head.resize(2048, 0);
    head
}

#[tokio::test]
async fn json_that_is_too_much_is_refused() {
    let target = Target::new().await;
    let mut attacks: Vec<Attack> = Vec::new();
    let too_much = [
        ("lists in lists", "[".repeat(200_000)),
        ("objects in objects", "{\"a\":".repeat(100_000)),
        (
            "lists in lists that end",
            format!("{}{}", "[".repeat(50_000), "]".repeat(50_000)),
        ),
        (
            "a name for every number",
            format!(
                "{{{}\"z\":1}}",
                (0..40_000)
                    .map(|number| format!("\"k{number}\":1,"))
                    .collect::<String>()
            ),
        ),
        (
            "a number larger than numbers are",
            "{\"location\":1e999999}".to_owned(),
        ),
        (
            "a number of many digits",
            format!("{{\"location\":{}}}", "9".repeat(500_000)),
        ),
        (
            "a text of one letter",
            format!("{{\"location\":\"{}\"}}", "a".repeat(900_000)),
        ),
        (
            "a text of signs",
            format!("{{\"location\":\"{}\"}}", "\\u0000".repeat(100_000)),
        ),
        ("half a letter", "{\"location\":\"\\ud800\"}".to_owned()),
        (
            "the same name twice",
            "{\"location\":\"/etc\",\"location\":\"/\"}".to_owned(),
        ),
        ("what comes after", "{}{}".to_owned()),
        ("what comes before", "\u{feff}{}".to_owned()),
        ("nothing", String::new()),
        ("a word", "NaN".to_owned()),
    ];
    for (what, body) in &too_much {
        for line in [
            "POST /api/v1/projects",
            "POST /api/registry/register",
            "PUT /api/v1/policies/bomb",
            "POST /api/v1/people",
            "POST /api/v1/tool-servers",
            "PUT /api/v1/secrets/bomb",
            "POST /mcp",
        ] {
            let made = attack(*what, Owner, line, &[400, 406, 413, 415, 422]);
            attacks.push(made.text("application/json", body.as_bytes()));
        }
    }
    for line in ["POST /api/v1/projects", "POST /api/v1/people", "POST /mcp"] {
        let large = attack("more than is taken", Owner, line, &[0, 400, 406, 413]);
        attacks.push(large.text("application/json", vec![b' '; 40 << 20]));
        if line != "POST /mcp" {
            let announced = attack("more announced than is taken", Owner, line, &[413]);
            let announced = announced.head("content-length: 999999999999");
            attacks.push(announced.text("application/json", "{}"));
        }
        let squeezed = attack("packed", Owner, line, &[400, 406, 413, 415, 422]);
        attacks.push(
            squeezed
                .head("content-encoding: gzip")
                .text("application/json", packed(64 << 20)),
        );
    }
    target.withstands(attacks).await;
    target.world.end().await;
}

#[tokio::test]
async fn an_archive_that_is_a_bomb_or_a_way_out_leaves_nothing_behind() {
    let target = Target::new().await;
    let refused: &[u16] = &[0, 400, 413, 415, 422];
    let mut attacks: Vec<Attack> = Vec::new();
    let mut both = packed(512 << 20);
    both.extend(packed(512 << 20));
    for (what, body) in [
        ("a gigabyte of nothing", packed(1 << 30)),
        ("two of them", both),
        (
            "a file above",
            tar("../../escaped", b'0', "", "00000000001"),
        ),
        (
            "a file of the machine",
            tar("/etc/cron.d/escaped", b'0', "", "00000000001"),
        ),
        (
            "a link to above",
            tar("oci-layout", b'2', "/etc/passwd", "00000000000"),
        ),
        (
            "a second name of a file",
            tar("index.json", b'1', "/etc/passwd", "00000000000"),
        ),
        ("a device", tar("index.json", b'3', "", "00000000000")),
        ("a pipe", tar("index.json", b'6', "", "00000000000")),
        (
            "a size beyond all",
            tar("index.json", b'0', "", "77777777777"),
        ),
        (
            "a size below nothing",
            tar("index.json", b'0', "", "-0000000001"),
        ),
        (
            "a name of dots",
            tar("blobs/sha256/../../../../escaped", b'0', "", "00000000001"),
        ),
        (
            "a name that is too long",
            tar(&"a/".repeat(50), b'0', "", "00000000001"),
        ),
        ("no archive", b"PK\x03\x04\x14\0\0\0\x08\0".to_vec()),
        ("nothing", Vec::new()),
    ] {
        for kind in [
            "application/x-tar",
            "application/octet-stream",
            "application/gzip",
        ] {
            attacks.push(
                attack(what, Owner, "POST /api/v1/archive", refused).text(kind, body.clone()),
            );
        }
        attacks.push(
            attack(what, Viewer, "POST /api/v1/archive", &[0, 403])
                .text("application/x-tar", body.clone()),
        );
    }
    target.withstands(attacks).await;
    let escaped = ["../escaped", "escaped", "data/escaped"];
    for path in escaped {
        assert!(!target.world.folder.path().join(path).exists(), "{path}");
    }
    assert!(!std::path::Path::new("/etc/cron.d/escaped").exists());
    target.world.end().await;
}

#[tokio::test]
async fn what_is_pushed_is_no_larger_than_it_says_and_no_deeper_than_is_read() {
    let target = Target::new().await;
    let mut attacks: Vec<Attack> = Vec::new();
    let index = "application/vnd.oci.image.index.v1+json";
    let manifest = "application/vnd.oci.image.manifest.v1+json";
    let many: Vec<_> = (0..60_000).map(|number| json!({ "mediaType": manifest, "digest": format!("sha256:{number:064x}"), "size": 1 })).collect();
    let long = json!({ "schemaVersion": 2, "mediaType": index, "manifests": many });
    let layers = json!({ "schemaVersion": 2, "mediaType": manifest, "config": { "mediaType": "x/y", "digest": format!("sha256:{:064x}", 1), "size": -1 }, "layers": [] });
    for (what, kind, body) in [
        ("very many manifests", index, long.to_string()),
        ("a size below nothing", manifest, layers.to_string()),
        ("lists in lists", index, "[".repeat(1_000_000)),
        ("a subject that is itself", index, json!({ "schemaVersion": 2, "subject": { "$ref": "#" } }).to_string()),
        ("a digest that leads elsewhere", manifest, json!({ "schemaVersion": 2, "config": { "mediaType": "x/y", "digest": "sha256:../../../../etc/passwd", "size": 1 }, "layers": [] }).to_string()),
        ("another's kind", "text/html", "<script>alert(1)</script>".to_owned()),
    ] {
        attacks.push(attack(what, Owner, "PUT /v2/open/app/manifests/1", &[0, 400, 404, 413, 415, 422]).text(kind, body.clone()));
        attacks.push(attack(what, Robot, "PUT /v2/open/app/manifests/1", &[0, 401, 403]).text(kind, body.clone()));
        attacks.push(attack(what, Developer, "PUT /v2/open/app/manifests/..%2f1", &[0, 400, 401, 404, 413]).text(kind, body));
    }
    let wrong = format!("POST /v2/open/app/blobs/uploads/?digest=sha256:{:064x}", 7);
    attacks.push(
        attack("content that is another", Owner, wrong, &[400])
            .text("application/octet-stream", "x"),
    );
    let foreign = "POST /v2/open/app/blobs/uploads/?mount=sha256:00&from=closed/app";
    attacks.push(attack(
        "a blob of a repository one may not read",
        Robot,
        foreign,
        &[400, 401, 403],
    ));
    target.withstands(attacks).await;
    target.world.end().await;
}
