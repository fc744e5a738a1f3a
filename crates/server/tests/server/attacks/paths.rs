//! Paths that mean something else than they say.

use super::By::{Developer, Nobody, Owner, Viewer};
use super::{Attack, Target, attack};

/// Ways to write `GET /api/v1/people` so that whoever checks and whoever answers might read it differently.
const DISGUISES: [&str; 26] = [
    "/api/v1/../v1/people",
    "/api/v1/./people",
    "/api/v1/people/.",
    "/api/v1/people/",
    "/api//v1/people",
    "//api/v1/people",
    "/API/V1/PEOPLE",
    "/api/v1/%70eople",
    "/api/v1%2fpeople",
    "/%61pi/v1/people",
    "/api/v1/people%00",
    "/api/v1/people%20",
    "/api/v1/people;jsessionid=1",
    "/api/v1/people;.css",
    "/api/v1/people.json",
    "/api/v1/people?/healthz",
    "/healthz/../api/v1/people",
    "/healthz/..;/api/v1/people",
    "/healthz%2f..%2fapi%2fv1%2fpeople",
    "/healthz%3f/../api/v1/people",
    "/assets/../api/v1/people",
    "/assets/%2e%2e/api/v1/people",
    "/\\api\\v1\\people",
    "/api/v1/ca/../people",
    "/api/v1/session/../people",
    "/%2e/api/v1/people",
];

/// Ways out of the folder of the pages.
const WAYS_OUT: [&str; 14] = [
    "/../kept",
    "/assets/../../kept",
    "/assets/../../../../../../etc/passwd",
    "/assets/%2e%2e/%2e%2e/kept",
    "/assets/%2e%2e%2f%2e%2e%2fkept",
    "/assets/..%5c..%5ckept",
    "/assets/....//....//kept",
    "/assets/%252e%252e%252fkept",
    "/assets/..%c0%af..%c0%afkept",
    "/assets/%c0%ae%c0%ae/kept",
    "/assets/..%00/kept",
    "/assets//etc/passwd",
    "/assets/file:///etc/passwd",
    "/../../../../../../etc/passwd",
];

#[tokio::test]
async fn no_way_to_write_a_path_leads_past_whoever_checks_it() {
    let target = Target::new().await;
    // 200 is the page that anybody may have, which has nothing in it.
    let nothing: &[u16] = &[200, 400, 401, 403, 404, 405];
    let mut attacks: Vec<Attack> = Vec::new();
    for path in DISGUISES {
        for by in [Nobody, Viewer] {
            attacks.push(attack(
                "a path in disguise",
                by,
                format!("GET {path}"),
                nothing,
            ));
        }
    }
    for path in WAYS_OUT {
        attacks.push(attack(
            "a way out of the pages",
            Nobody,
            format!("GET {path}"),
            nothing,
        ));
    }
    for (what, line) in [
        (
            "another host's address",
            "GET http://evil.example/api/v1/people",
        ),
        ("a tunnel", "CONNECT 127.0.0.1:22"),
        ("everything", "OPTIONS *"),
        ("what came in is shown", "TRACE /api/v1/people"),
        ("a method of nobody's", "PROPFIND /api/v1/people"),
        ("a method in small letters", "get /api/v1/people"),
        ("a byte that ends texts", "GET /api/v1/people\0"),
        ("letters that are none", "GET /api/v1/\u{ff50}eople"),
        (
            "two lines in one",
            "GET /healthz\r\nx-a: b\r\n\r\nGET /api/v1/people",
        ),
        ("a path of tabs", "GET\t/api/v1/people"),
        ("no path", "GET"),
    ] {
        attacks.push(attack(
            what,
            Nobody,
            line,
            &[0, 200, 400, 401, 404, 405, 421],
        ));
    }
    for size in [9_000, 70_000, 1_000_000] {
        let line = format!("GET /api/v1/{}", "a".repeat(size));
        attacks.push(attack(
            "a long path",
            Nobody,
            line,
            &[0, 400, 401, 404, 414, 431],
        ));
    }
    target.withstands(attacks).await;
    for attack in DISGUISES {
        let (_, text) = target
            .send(&super::attack("", Viewer, format!("GET {attack}"), &[]))
            .await;
        assert!(
            !text.contains("\"developer\""),
            "{attack} shows who there is: {text}"
        );
    }
    target.world.end().await;
}

#[tokio::test]
async fn no_name_leads_out_of_where_names_belong() {
    let target = Target::new().await;
    let mut attacks: Vec<Attack> = Vec::new();
    let refused: &[u16] = &[400, 404, 405, 422];
    for name in [
        "..%2fkept",
        "..%2f..%2fkept",
        "%2fetc%2fpasswd",
        "..",
        "%2e%2e",
        "crown%00",
        "crown%0a",
        "-rf",
        "%7e",
        "crown%2f..%2fcrown%2fx",
    ] {
        for line in [
            format!("GET /api/v1/secrets/{name}"),
            format!("GET /api/v1/policies/{name}"),
            format!("GET /api/v1/projects/{name}"),
            format!("GET /api/v1/solutions/{name}"),
            format!("DELETE /api/v1/containers/{name}"),
            format!("GET /api/v1/jobs/{name}/log"),
            format!("GET /v2/{name}/manifests/latest"),
            format!("GET /v2/open/app/manifests/{name}"),
            format!("GET /v2/open/app/blobs/{name}"),
        ] {
            attacks.push(attack(
                "a name that leads elsewhere",
                Owner,
                line,
                &[200, 307, 400, 404, 405, 422],
            ));
        }
        let secret = serde_json::json!({ "value": "x" });
        attacks.push(
            attack(
                "a secret kept elsewhere",
                Owner,
                format!("PUT /api/v1/secrets/{name}"),
                refused,
            )
            .json(&secret),
        );
        let policy = serde_json::json!({ "text": "permit(principal, action, resource);" });
        attacks.push(
            attack(
                "a policy kept elsewhere",
                Owner,
                format!("PUT /api/v1/policies/{name}"),
                refused,
            )
            .json(&policy),
        );
    }
    for location in [
        "/etc",
        "/proc/self",
        "/",
        "../..",
        "file:///etc",
        "/root/.ssh",
    ] {
        let project = serde_json::json!({ "location": location });
        let by_viewer = attack(
            "a folder of the machine",
            Viewer,
            "POST /api/v1/projects",
            &[403],
        );
        attacks.push(by_viewer.json(&project));
        let by_developer = attack(
            "a folder of the machine",
            Developer,
            "POST /api/v1/projects",
            &[400, 403],
        );
        attacks.push(by_developer.json(&project));
    }
    for location in [
        "ext::sh -c id",
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=id",
        "ssh://-oProxyCommand=id/x",
        "https://-x/y",
        "git@-x:y",
    ] {
        let project = serde_json::json!({ "location": location });
        attacks.push(
            attack(
                "a repository that is a command",
                Developer,
                "POST /api/v1/projects",
                &[400, 403, 404, 422],
            )
            .json(&project),
        );
    }
    target.withstands(attacks).await;
    target.world.end().await;
}
