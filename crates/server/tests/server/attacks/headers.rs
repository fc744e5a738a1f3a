//! Heads that claim what is not so, and bodies whose length is told in two ways.

use serde_json::json;

use super::By::{Browser, Nobody, Owner, Viewer};
use super::{Attack, Target, attack};

#[tokio::test]
async fn no_header_makes_somebody_of_nobody() {
    let target = Target::new().await;
    let token = target.world.token.clone();
    let mut attacks: Vec<Attack> = Vec::new();
    for line in [
        "x-forwarded-for: 127.0.0.1",
        "x-real-ip: 127.0.0.1",
        "forwarded: for=127.0.0.1;host=localhost;proto=https",
        "x-forwarded-host: localhost",
        "x-forwarded-user: owner",
        "x-remote-user: owner",
        "remote-user: owner",
        "x-auth-request-user: owner",
        "x-webauth-user: owner",
        "x-client-cert: owner",
        "x-ssl-client-verify: SUCCESS",
        "x-forwarded-client-cert: URI=spiffe://stack/ci/numa",
        "ssl-client-s-dn: CN=owner",
        "x-original-url: /healthz",
        "x-rewrite-url: /healthz",
        "x-custom-ip-authorization: 127.0.0.1",
        "authorization: ",
        "authorization: Bearer",
        "authorization: Bearer null",
        "authorization: Bearer undefined",
        "authorization: Basic b3duZXI6",
        "authorization: Basic b3duZXI6b3duZXI=",
        "authorization: Digest username=\"owner\"",
        "authorization: Negotiate AAAA",
        "authorization: AWS4-HMAC-SHA256 Credential=owner",
        "proxy-authorization: Bearer owner",
        "cookie: ergon_session=",
        "cookie: ergon_session=owner",
        "cookie: ergon_session=' OR 1=1 --",
        "cookie: $Version=1; ergon_session=owner",
        "cookie: ergon_session=%00; ergon_session=owner",
    ] {
        attacks.push(attack(line, Nobody, "GET /api/v1/people", &[401]).head(line));
    }
    // What is good in one place is worth nothing in another: addresses are written down, cookies are sent by pages.
    for (what, line, head) in [
        (
            "a token in the address",
            format!("GET /api/v1/people?access_token={token}"),
            String::new(),
        ),
        (
            "a token in the address",
            format!("GET /api/v1/people?token={token}"),
            String::new(),
        ),
        (
            "a token in the address",
            format!("GET /api/v1/people?authorization=Bearer%20{token}"),
            String::new(),
        ),
        (
            "a token as a user of the address",
            format!(
                "GET http://owner:{token}@{}/api/v1/people",
                target.world.authority()
            ),
            String::new(),
        ),
        (
            "a token as a cookie",
            "GET /api/v1/people".to_owned(),
            format!("cookie: ergon_session={token}"),
        ),
        (
            "a token as a key",
            "GET /api/v1/people".to_owned(),
            format!("x-api-key: {token}"),
        ),
        (
            "a token as a password of the API",
            "GET /api/v1/people".to_owned(),
            "authorization: Basic ZXJnb246eA==".to_owned(),
        ),
        (
            "half of the token",
            "GET /api/v1/people".to_owned(),
            format!("authorization: Bearer {}", &token[..token.len() / 2]),
        ),
        (
            "the token and more",
            "GET /api/v1/people".to_owned(),
            format!("authorization: Bearer {token}x"),
        ),
        (
            "the token in large letters",
            "GET /api/v1/people".to_owned(),
            format!("authorization: Bearer {}", token.to_uppercase()),
        ),
    ] {
        let mut made = attack(what, Nobody, line, &[400, 401, 421]);
        if !head.is_empty() {
            made = made.head(head);
        }
        attacks.push(made);
    }
    let mut target = target;
    // The attacker knows it here, and answers name the address that was asked for.
    target.jewels.retain(|jewel| *jewel != token);
    target.withstands(attacks).await;
    target.world.end().await;
}

#[tokio::test]
async fn no_header_makes_a_viewer_more() {
    let target = Target::new().await;
    let mut attacks: Vec<Attack> = Vec::new();
    for line in [
        "x-http-method-override: DELETE",
        "x-http-method: DELETE",
        "x-method-override: DELETE",
    ] {
        attacks.push(attack(line, Viewer, "GET /api/v1/projects", &[200]).head(line));
        attacks.push(
            attack(
                line,
                Viewer,
                "POST /api/v1/people/developer",
                &[403, 404, 405],
            )
            .head(line),
        );
    }
    for line in [
        "x-ergon-principal: owner",
        "x-ergon-role: owner",
        "x-role: owner",
        "x-forwarded-groups: owner",
        "x-sudo: owner",
        "sudo: owner",
        "impersonate-user: owner",
        "impersonate-group: owner",
        "x-act-as: owner",
        "authorization: Bearer owner",
    ] {
        attacks.push(attack(line, Viewer, "GET /api/v1/people", &[400, 401, 403]).head(line));
    }
    for query in [
        "_method=DELETE",
        "role=owner",
        "principal=owner",
        "as=owner",
        "admin=true",
    ] {
        attacks.push(attack(
            "claims in the address",
            Viewer,
            format!("DELETE /api/v1/people/developer?{query}"),
            &[400, 403],
        ));
    }
    let claims = json!({ "location": "https://git.example/x", "principal": "owner", "roles": ["owner"], "__proto__": { "roles": ["owner"] } });
    attacks.push(
        attack(
            "claims in the body",
            Viewer,
            "POST /api/v1/projects",
            &[403],
        )
        .json(&claims),
    );
    let promoted = json!({ "roles": ["owner"] });
    attacks.push(
        attack(
            "a role for oneself",
            Viewer,
            "PATCH /api/v1/people/viewer",
            &[403],
        )
        .json(&promoted),
    );
    attacks.push(
        attack(
            "a token with more roles than one has",
            Viewer,
            "POST /api/v1/people/viewer/tokens",
            &[400, 403],
        )
        .json(&promoted),
    );
    attacks.push(
        attack(
            "a token of somebody else",
            Viewer,
            "POST /api/v1/people/owner/tokens",
            &[403],
        )
        .json(&json!({})),
    );
    attacks.push(
        attack(
            "a link to sign in as somebody else",
            Viewer,
            "POST /api/v1/people/owner/link",
            &[403],
        )
        .json(&json!({})),
    );
    attacks.push(
        attack(
            "somebody else's password",
            Viewer,
            "PUT /api/v1/people/owner/password",
            &[403],
        )
        .json(&json!({ "password": "correct horse battery" })),
    );
    attacks.push(
        attack(
            "a policy of one's own",
            Viewer,
            "PUT /api/v1/policies/mine",
            &[403],
        )
        .json(&json!({ "text": "permit(principal, action, resource);" })),
    );
    target.withstands(attacks).await;
    target.world.end().await;
}

#[tokio::test]
async fn no_page_of_another_site_has_a_browser_change_anything() {
    let target = Target::new().await;
    let own = target.world.url.clone();
    let mut attacks: Vec<Attack> = Vec::new();
    for (what, head) in [
        ("another site", "origin: http://evil.example".to_owned()),
        ("a page of nowhere", "origin: null".to_owned()),
        (
            "a site that begins like this",
            format!("origin: {own}.evil.example"),
        ),
        (
            "a site that ends like this",
            format!("origin: http://evil.example/{own}"),
        ),
        ("another port", "origin: http://127.0.0.1:1".to_owned()),
        (
            "another name of this machine",
            "origin: http://localhost.evil.example".to_owned(),
        ),
        ("a file", "origin: file://".to_owned()),
        ("an extension", "origin: chrome-extension://abc".to_owned()),
        ("two origins", format!("origin: {own} http://evil.example")),
        (
            "what browsers say of another site",
            "sec-fetch-site: cross-site".to_owned(),
        ),
        (
            "what browsers say of a neighbour",
            "sec-fetch-site: same-site".to_owned(),
        ),
        (
            "what browsers say of an address typed in",
            "sec-fetch-site: none".to_owned(),
        ),
        ("no word of where it comes from", "x-nothing: x".to_owned()),
    ] {
        attacks.push(attack(what, Browser, "DELETE /api/v1/session", &[403]).head(head.clone()));
        let form = attack(what, Browser, "POST /api/v1/session/code", &[403]).head(head);
        attacks.push(form.text("application/x-www-form-urlencoded", "a=b"));
    }
    for kind in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ] {
        let body = r#"{"name":"mallory","roles":["owner"],"x":"="}"#;
        let simple = attack(
            "a form that is JSON",
            Browser,
            "POST /api/v1/people",
            &[403],
        );
        attacks.push(simple.head("origin: http://evil.example").text(kind, body));
        let kinds = attack(
            "JSON under another kind",
            Owner,
            "POST /api/v1/people",
            &[415],
        );
        attacks.push(kinds.text(kind, body));
    }
    for path in ["/api/v1/people", "/mcp", "/api/registry/register"] {
        let asked = attack(
            "whether a page may",
            Nobody,
            format!("OPTIONS {path}"),
            &[200, 401, 404, 405],
        );
        attacks.push(
            asked
                .head("origin: http://evil.example")
                .head("access-control-request-method: POST"),
        );
    }
    let framed = attack(
        "a socket of another site",
        Browser,
        "GET /api/v1/events",
        &[200, 400, 403],
    );
    attacks.push(
        framed
            .head("origin: http://evil.example")
            .head("upgrade: websocket")
            .head("sec-websocket-version: 13"),
    );
    target.withstands(attacks).await;
    // And its own page still may.
    let kept =
        attack("", Browser, "DELETE /api/v1/session", &[]).head("sec-fetch-site: same-origin");
    assert_eq!(target.send(&kept).await.0, 204);
    target.world.end().await;
}

#[tokio::test]
async fn no_host_of_somebody_elses_is_answered() {
    let target = Target::new().await;
    let authority = target.world.authority().to_owned();
    let mut attacks: Vec<Attack> = Vec::new();
    for host in [
        "evil.example".to_owned(),
        "localhost.evil.example".to_owned(),
        format!("evil.example@{authority}"),
        format!("{authority}@evil.example"),
        format!("{authority}.evil.example"),
        format!("{authority}, evil.example"),
        format!("{authority}/evil.example"),
        "169.254.169.254".to_owned(),
        "[::ffff:169.254.169.254]".to_owned(),
        "0x7f000001.evil.example".to_owned(),
        "127.0.0.1.nip.io".to_owned(),
        "localhost:port".to_owned(),
        "local\u{212a}host".to_owned(),
        String::new(),
        ":80".to_owned(),
        "[::1".to_owned(),
    ] {
        attacks.push(
            attack(
                format!("host {host}"),
                Owner,
                "GET /api/v1/projects",
                &[400, 421],
            )
            .head(format!("host: {host}")),
        );
    }
    let two = attack("two hosts", Owner, "GET /api/v1/projects", &[400, 421]);
    attacks.push(
        two.head(format!("host: {authority}"))
            .head("host: evil.example"),
    );
    let two = attack("two hosts", Owner, "GET /api/v1/projects", &[400, 421]);
    attacks.push(
        two.head("host: evil.example")
            .head(format!("host: {authority}")),
    );
    let other = attack(
        "another host in the address",
        Owner,
        "GET http://evil.example/api/v1/projects",
        &[400, 421],
    );
    attacks.push(other.head(format!("host: {authority}")));
    target.withstands(attacks).await;
    target.world.end().await;
}

#[tokio::test]
async fn a_length_told_in_two_ways_hides_no_second_request() {
    let target = Target::new().await;
    let hidden = format!(
        "0\r\n\r\nDELETE /api/v1/people/developer HTTP/1.1\r\nhost: {}\r\n\r\n",
        target.world.authority()
    );
    let length = format!("content-length: {}", hidden.len());
    let refused: &[u16] = &[0, 400, 401, 403, 411, 413, 415, 417, 422, 501];
    let mut attacks: Vec<Attack> = Vec::new();
    for (what, heads) in [
        ("both ways", vec!["transfer-encoding: chunked", &length]),
        (
            "both ways, the other way round",
            vec![&length, "transfer-encoding: chunked"],
        ),
        ("two lengths", vec!["content-length: 5", &length]),
        ("a list of lengths", vec!["content-length: 5, 6"]),
        ("a length below nothing", vec!["content-length: -1"]),
        ("a length with a sign", vec!["content-length: +5"]),
        ("a length in hex", vec!["content-length: 0x10"]),
        (
            "more than there are numbers",
            vec!["content-length: 99999999999999999999999"],
        ),
        ("a coding nobody knows", vec!["transfer-encoding: xchunked"]),
        ("chunks twice", vec!["transfer-encoding: chunked, chunked"]),
        (
            "chunks and then something",
            vec!["transfer-encoding: chunked, identity"],
        ),
        (
            "a space before the colon",
            vec!["transfer-encoding : chunked", "content-length: 0"],
        ),
        (
            "a line that goes on",
            vec!["transfer-encoding:", " chunked", "content-length: 0"],
        ),
        ("a tab", vec!["transfer-encoding:\tchunked", &length]),
        (
            "a byte that is no letter",
            vec!["transfer-encoding\0: chunked", "content-length: 0"],
        ),
    ] {
        let mut made = attack(what, Viewer, "POST /api/v1/projects", refused);
        for head in heads {
            made = made.head(head);
        }
        made.head.push("content-type: application/json".to_owned());
        made.body = Some(hidden.clone().into_bytes());
        attacks.push(made);
    }
    for (what, body) in [
        (
            "a chunk larger than numbers are",
            "fffffffffffffffff\r\nx\r\n0\r\n\r\n",
        ),
        ("a chunk below nothing", "-1\r\nx\r\n0\r\n\r\n"),
        ("a chunk that says nothing", "\r\n\r\n"),
        (
            "a chunk without an end of line",
            "5;a=\rb\nhello\r\n0\r\n\r\n",
        ),
    ] {
        let mut made = attack(what, Viewer, "POST /api/v1/projects", refused)
            .head("transfer-encoding: chunked");
        made.head.push("content-type: application/json".to_owned());
        made.body = Some(body.as_bytes().to_vec());
        attacks.push(made);
    }
    let many = (0..2_000).fold(
        attack(
            "very many headers",
            Nobody,
            "GET /api/v1/people",
            &[0, 400, 431],
        ),
        |made, number| made.head(format!("x-{number}: y")),
    );
    attacks.push(many);
    let long = attack(
        "a very long header",
        Nobody,
        "GET /api/v1/people",
        &[0, 400, 431],
    );
    attacks.push(long.head(format!("x-long: {}", "y".repeat(2 << 20))));
    target.withstands(attacks).await;
    target.world.end().await;
}
