//! Fields and values that are refused, each with its own message, its place and what would be right.

use insta::assert_snapshot;

use crate::{SEED_EXAMPLE, refusals, with, with_application, with_container, with_containers};

#[test]
fn the_seed_example_passes_as_it_is() {
    let document = ergon_manifest::check(SEED_EXAMPLE).unwrap();
    assert_eq!(document.manifest.build_order(), ["api-container"]);
    assert_eq!(document.manifest.companion_name("api-container"), "api-ci");
}

#[test]
fn fields_that_are_missing() {
    assert_snapshot!(refusals("{}"), @r#"
    1:1 missing-field at {
      manifest_version is missing
      help: add  "manifest_version": "1.0"
    1:1 missing-field at {
      applications is missing
      help: add  "applications": { … }
    1:1 missing-field at {
      containers is missing
      help: add  "containers": { … }
    "#);
    assert_snapshot!(refusals(&with_containers(r#""web": {}"#)), @r#"
    5:5 missing-field at "web"
      containers.web.base_image is missing
      help: add  "base_image": "python:3.11-slim"
    5:5 missing-field at "web"
      containers.web.applications is missing
      help: add  "applications": [ … ]
    "#);
    assert_snapshot!(refusals(&with(r#""project": {}"#)), @r#"
    5:3 missing-field at "project"
      project.name is missing
      help: add  "name": "my-project"
    "#);
}

#[test]
fn a_version_that_is_unknown() {
    let version = |version: &str| SEED_EXAMPLE.replacen(r#""1.0""#, version, 1);
    assert_snapshot!(refusals(&version(r#""2.0""#)), @r#"
    2:23 unknown-version at "2.0"
      manifest_version is "2.0", which this Ergon does not know
      help: write "1.0"
    "#);
    assert_snapshot!(refusals(&version("1.0")), @r#"
    2:23 float at 1.0
      manifest_version is 1.0, which is not a whole number
      help: only whole numbers up to 9007199254740991 are the same everywhere; write it as a string: "1.0"
    "#);
    assert_snapshot!(refusals(&version("1")), @r#"
    2:23 wrong-type at 1
      manifest_version is the number 1; wanted is "1.0"
      help: write "1.0"
    "#);
}

#[test]
fn fields_that_are_unknown() {
    assert_snapshot!(refusals(&with_container(r#""port": 8000"#)), @r#"
    8:7 unknown-field at "port"
      containers.web.port is not a field
      help: did you mean `ports`, a list?  "ports": [8000]
    "#);
    assert_snapshot!(refusals(&with_container(r#""depends-on": []"#)), @r#"
    8:7 unknown-field at "depends-on"
      containers.web.depends-on is not a field
      help: did you mean `depends_on`?
    "#);
    assert_snapshot!(refusals(&with_application(r#""Env": {}"#)), @r#"
    7:7 unknown-field at "Env"
      applications.api.Env is not a field
      help: did you mean `env`?
    "#);
    assert_snapshot!(refusals(&with_application(r#""health": { "url": "/" , "path": "/"}"#)), @r#"
    7:19 unknown-field at "url"
      applications.api.health.url is not a field
      help: the fields here are path, port
    "#);
    assert_snapshot!(refusals(&with("\"x\\u001b[31m\": 1")), @r#"
    5:3 unknown-field at "x\u001b[31m"
      ["x\u{1b}[31m"] is not a field
      help: the fields here are manifest_version, project, applications, containers, packaging, lifecycle, federation
    "#);
}

#[test]
fn values_of_the_wrong_type() {
    assert_snapshot!(refusals(&with_container(r#""ports": 8000"#)), @r#"
    8:16 wrong-type at 8000
      containers.web.ports is the number 8000; wanted is a list [ … ]
      help: write [8000]
    "#);
    assert_snapshot!(refusals(&with_container(r#""ports": ["8000", "http", true]"#)), @r#"
    8:17 wrong-type at "8000"
      containers.web.ports[0] is the string "8000"; wanted is a port, 1 to 65535
      help: write it without quotes: 8000
    8:25 wrong-type at "http"
      containers.web.ports[1] is the string "http"; wanted is a port, 1 to 65535
      help: none
    8:33 wrong-type at true
      containers.web.ports[2] is true; wanted is a port, 1 to 65535
      help: none
    "#);
    assert_snapshot!(refusals(&with_application(r#""build_commands": "make""#)), @r#"
    7:25 wrong-type at "make"
      applications.api.build_commands is the string "make"; wanted is a list [ … ]
      help: write ["make"]
    "#);
    assert_snapshot!(refusals(&with_application(r#""run_command": ["node", "server.js"]"#)), @r#"
    7:22 wrong-type at ["node", "server.js"]
      applications.api.run_command is a list; wanted is a string
      help: none
    "#);
    assert_snapshot!(refusals(&with_application(r#""path": null"#)), @r#"
    7:15 wrong-type at null
      applications.api.path is null; wanted is a string
      help: leave the field out
    "#);
    assert_snapshot!(refusals(&with_application(r#""runtime": "python""#)), @r#"
    7:18 wrong-type at "python"
      applications.api.runtime is the string "python"; wanted is an object { … }
      help: none
    "#);
    assert_snapshot!(refusals(&with_application(r#""env": { "A": { "required": "yes", "default": 5 }, "B": "c" }"#)), @r#"
    7:35 wrong-type at "yes"
      applications.api.env.A.required is the string "yes"; wanted is true or false
      help: none
    7:53 wrong-type at 5
      applications.api.env.A.default is the number 5; wanted is a string
      help: write it in quotes: "5"
    7:63 wrong-type at "c"
      applications.api.env.B is the string "c"; wanted is an object { … }
      help: none
    "#);
    assert_snapshot!(refusals(&with(r#""lifecycle": [], "federation": "all""#)), @r#"
    5:16 wrong-type at []
      lifecycle is a list; wanted is an object { … }
      help: none
    5:34 wrong-type at "all"
      federation is the string "all"; wanted is an object { … }
      help: none
    "#);
    assert_snapshot!(refusals(r#"{ "manifest_version": "1.0", "applications": [], "containers": [] }"#), @r#"
    1:46 wrong-type at []
      applications is a list; wanted is an object { … }
      help: none
    1:64 wrong-type at []
      containers is a list; wanted is an object { … }
      help: none
    "#);
}

#[test]
fn values_out_of_a_few() {
    assert_snapshot!(refusals(&with_container(r#""tier": "Backend""#)), @r#"
    8:15 unknown-value at "Backend"
      containers.web.tier is "Backend", which is none of its values
      help: write "database" or "backend" or "middleware" or "frontend"
    "#);
    assert_snapshot!(refusals(&with(r#""packaging": { "tagging": "latest" }"#)), @r#"
    5:29 unknown-value at "latest"
      packaging.tagging is "latest", which is none of its values
      help: write "git-sha" or "build-hash"
    "#);
    assert_snapshot!(refusals(&with(r#""packaging": { "platforms": ["linux/amd64", "aarch64", 1, "linux/amd64"] }"#)), @r#"
    5:47 platform at "aarch64"
      packaging.platforms[1] is "aarch64", which is not a platform
      help: did you mean "linux/arm64"?
    5:58 wrong-type at 1
      packaging.platforms[2] is the number 1; wanted is a string
      help: write it in quotes: "1"
    5:61 duplicate-item at "linux/amd64"
      packaging.platforms[3] says "linux/amd64" a second time
      help: remove it
    "#);
    assert_snapshot!(refusals(&with(r#""packaging": { "platform": "linux/arm64" }"#)), @r#"
    5:18 unknown-field at "platform"
      packaging.platform is not a field
      help: did you mean `platforms`, a list?  "platforms": ["linux/arm64"]
    "#);
    assert_snapshot!(refusals(&with(r#""packaging": { "source_date_epoch": "now" }"#)), @r#"
    5:39 unknown-value at "now"
      packaging.source_date_epoch is "now", which is no time
      help: write seconds since 1970, 0 to 4294967295, or "commit"
    "#);
    assert_snapshot!(refusals(&with(r#""packaging": { "source_date_epoch": -1 }"#)), @r#"
    5:39 epoch-range at -1
      packaging.source_date_epoch is -1, which file times cannot hold
      help: write seconds since 1970, 0 to 4294967295, or "commit"
    "#);
    assert_snapshot!(refusals(&with(r#""packaging": { "source_date_epoch": 4294967296 }"#)), @r#"
    5:39 epoch-range at 4294967296
      packaging.source_date_epoch is 4294967296, which file times cannot hold
      help: write seconds since 1970, 0 to 4294967295, or "commit"
    "#);
    assert_snapshot!(refusals(&with(r#""packaging": { "source_date_epoch": false }"#)), @r#"
    5:39 wrong-type at false
      packaging.source_date_epoch is false; wanted is a number of seconds or "commit"
      help: none
    "#);
}

#[test]
fn ports_that_are_none_or_written_twice() {
    assert_snapshot!(refusals(&with_container(r#""ports": [0, 65536, 80, 443, 80]"#)), @r#"
    8:17 port-range at 0
      containers.web.ports[0] is 0, which is not a port
      help: ports are 1 to 65535
    8:20 port-range at 65536
      containers.web.ports[1] is 65536, which is not a port
      help: ports are 1 to 65535
    8:36 duplicate-item at 80
      containers.web.ports[4] says 80 a second time
      help: remove it
    "#);
    assert_snapshot!(refusals(&with_application(r#""health": { "path": "healthz", "port": -1 }"#)), @r#"
    7:27 health-path at "healthz"
      applications.api.health.path is "healthz", which does not begin with `/`
      help: write "/healthz"
    7:46 port-range at -1
      applications.api.health.port is -1, which is not a port
      help: ports are 1 to 65535
    "#);
}

#[test]
fn names_that_docker_would_not_take() {
    assert_snapshot!(refusals(&with_containers(r#""My Web": { "base_image": "python", "applications": ["api"] }"#)), @r#"
    5:5 name at "My Web"
      containers["My Web"] is "My Web", which is not a name
      help: names are lowercase letters and digits, with `-`, `_` or `.` between them: my-web
    "#);
    assert_snapshot!(refusals(&with_containers(r#""w": { "base_image": "python", "applications": ["api"] }"#)), @r#"
    5:5 name at "w"
      containers.w is "w" and has one character
      help: Docker's container names have at least two
    "#);
    assert_snapshot!(refusals(&with_container(r#""ci_name": "Eve!""#)), @r#"
    8:18 name at "Eve!"
      containers.web.ci_name is "Eve!", which is not a name
      help: names are lowercase letters and digits, with `-`, `_` or `.` between them: eve
    "#);
    let long = "x".repeat(62);
    assert_snapshot!(refusals(&with_containers(&format!(r#""{long}": {{ "base_image": "python", "applications": ["api"] }}"#))), @r#"
    5:5 name at "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      containers.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx is too long for its companion "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-c…"
      help: give the companion a `ci_name` of its own
    "#);
}

#[test]
fn paths_that_leave_the_project() {
    assert_snapshot!(refusals(&with_application(r#""path": "/srv/api""#)), @r#"
    7:15 path-leaves-project at "/srv/api"
      applications.api.path is "/srv/api", which is absolute
      help: paths stay inside the project and are relative: services/api
    "#);
    assert_snapshot!(refusals(&with_application(r#""entrypoint": "../main.py""#)), @r#"
    7:21 path-leaves-project at "../main.py"
      applications.api.entrypoint is "../main.py", which goes up with `..`
      help: paths stay inside the project and are relative: services/api
    "#);
    assert_snapshot!(refusals(&with_application(r#""dependencies": "a/../../requirements.txt""#)), @r#"
    7:23 path-leaves-project at "a/../../requirements.txt"
      applications.api.dependencies is "a/../../requirements.txt", which goes up with `..`
      help: paths stay inside the project and are relative: services/api
    "#);
    assert_snapshot!(refusals(&with_application(r#""dependencies": "a\\b.txt""#)), @r#"
    7:23 path at "a\\b.txt"
      applications.api.dependencies is "a\\b.txt" and has a backslash in it
      help: write "a/b.txt"
    "#);
    assert_snapshot!(refusals(&with_application(r#""path": "a\u0000b""#)), @r#"
    7:15 path at "a\u0000b"
      applications.api.path is "a\0b" and has a control character in it
      help: remove it
    "#);
    assert_snapshot!(refusals(&with_application(r#""path": "./services/api/""#)), @r#"
    7:15 path at "./services/api/"
      applications.api.path is "./services/api/", which has needless parts
      help: write "services/api"
    "#);
    assert_snapshot!(refusals(&with_application(r#""path": """#)), @r#"
    7:15 empty at ""
      applications.api.path is empty
      help: leave the field out, or write a path
    "#);
    assert_snapshot!(refusals(&with_application(r#""volumes": ["data", "/", "/var/../etc"]"#)), @r#"
    7:19 volume at "data"
      applications.api.volumes[0] is "data", which is not absolute
      help: a volume is an absolute path in the container: /var/lib/data
    7:27 volume at "/"
      applications.api.volumes[1] is "/", which is the whole container
      help: a volume is an absolute path in the container: /var/lib/data
    7:32 volume at "/var/../etc"
      applications.api.volumes[2] is "/var/../etc", which has `..`, `.` or an empty part in it
      help: a volume is an absolute path in the container: /var/lib/data
    "#);
}

#[test]
fn texts_that_would_be_more_than_data() {
    assert_snapshot!(refusals(&with_application(r#""build_commands": ["", "make\nUSER root"]"#)), @r#"
    7:26 empty at ""
      applications.api.build_commands[0] is an empty command
      help: leave it out, or write a shell line
    7:30 command at "make\nUSER root"
      applications.api.build_commands[1] has more than one line
      help: join lines with ` && `, or write several commands
    "#);
    assert_snapshot!(refusals(&with_application(r#""run_command": " ""#)), @r#"
    7:22 empty at " "
      applications.api.run_command is an empty command
      help: leave it out, or write a shell line
    "#);
    assert_snapshot!(refusals(&with_application(r#""system_packages": ["curl; reboot"]"#)), @r#"
    7:27 package at "curl; reboot"
      applications.api.system_packages[0] is "curl; reboot", which is not a Debian package
      help: write a package's name: libpq5
    "#);
    assert_snapshot!(refusals(&with_application(r#""env": { "A-B": {}, "C": { "default": "a\u0000b" } }"#)), @r#"
    7:16 environment-name at "A-B"
      applications.api.env.A-B is "A-B", which is not a variable's name
      help: letters, digits and `_`, not beginning with a digit: DATABASE_URL
    7:45 control-character at "a\u0000b"
      applications.api.env.C.default is "a\0b" and has a NUL in it
      help: remove it
    "#);
    assert_snapshot!(refusals(&with_application(r#""secrets": { "DB_PASSWORD": {}, "a": { "env": "A-B", "during": "never", "value": "x" } }"#)), @r#"
    7:20 secret-name at "DB_PASSWORD"
      applications.api.secrets.DB_PASSWORD is "DB_PASSWORD", which is not a secret's name
      help: small letters, digits and single dashes between them, a letter first: db-password
    7:53 environment-name at "A-B"
      applications.api.secrets.a.env is "A-B", which is not a variable's name
      help: letters, digits and `_`, not beginning with a digit: DATABASE_URL
    7:70 unknown-value at "never"
      applications.api.secrets.a.during is "never", which is none of its values
      help: write "run" or "build" or "both"
    7:79 unknown-field at "value"
      applications.api.secrets.a.value is not a field
      help: the fields here are during, env
    "#);
    assert_snapshot!(refusals(&with_application(r#""health": { "path": "/a b" }"#)), @r#"
    7:27 health-path at "/a b"
      applications.api.health.path is "/a b", which has a character that no URL has
      help: percent-encode it: %20 for a space
    "#);
    assert_snapshot!(refusals(&with(r#""project": { "name": "a\u001bb", "repository": "--upload-pack=x" }"#)), @r#"
    5:24 control-character at "a\u001bb"
      project.name is "a\u{1b}b" and has a control character in it
      help: remove it
    5:50 repository at "--upload-pack=x"
      project.repository is "--upload-pack=x", which is not a repository
      help: github.com/company/api
    "#);
}

#[test]
fn images_and_registries_that_are_none() {
    let image = |image: &str| {
        with_containers(&format!(
            r#""web": {{ "base_image": "{image}", "applications": ["api"] }}"#
        ))
    };
    assert_snapshot!(refusals(&image("--privileged")), @r#"
    5:28 image at "--privileged"
      containers.web.base_image is "--privileged", which is not an image: the name is lowercase letters and digits, with `-`, `_` or `.` between them
      help: name:tag, as after a Dockerfile's FROM: python:3.11-slim
    "#);
    assert_snapshot!(refusals(&image("python 3.11")), @r#"
    5:28 image at "python 3.11"
      containers.web.base_image is "python 3.11", which is not an image: the name is lowercase letters and digits, with `-`, `_` or `.` between them
      help: name:tag, as after a Dockerfile's FROM: python:3.11-slim
    "#);
    assert_snapshot!(refusals(&image("python:3.11\\nRUN x")), @r#"
    5:28 image at "python:3.11\nRUN x"
      containers.web.base_image is "python:3.11\nRUN x", which is not an image: the tag is letters, digits, `_`, `.` and `-`, at most 128
      help: name:tag, as after a Dockerfile's FROM: python:3.11-slim
    "#);
    assert_snapshot!(refusals(&image("python@sha256:abc")), @r#"
    5:28 image at "python@sha256:abc"
      containers.web.base_image is "python@sha256:abc", which is not an image: the digest is sha256: and 64 hex digits
      help: name:tag, as after a Dockerfile's FROM: python:3.11-slim
    "#);
    assert_snapshot!(refusals(&with(r#""packaging": { "registry": "https://docker.io/company" }"#)), @r#"
    5:30 registry at "https://docker.io/company"
      packaging.registry is "https://docker.io/company", which has a scheme
      help: write "docker.io/company"
    "#);
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_text() {
    let text = r#"{
  "manifest_version": "1",
  "project": { "name": "" },
  "aplications": {},
  "containers": { "WEB": { "base_image": "a b", "applications": ["x"], "tier": 5 } }
}"#;
    assert_snapshot!(refusals(text), @r#"
    2:23 unknown-version at "1"
      manifest_version is "1", which this Ergon does not know
      help: write "1.0"
    3:24 empty at ""
      project.name is empty
      help: say what it is
    4:3 unknown-field at "aplications"
      aplications is not a field
      help: did you mean `applications`?
    5:19 name at "WEB"
      containers.WEB is "WEB", which is not a name
      help: names are lowercase letters and digits, with `-`, `_` or `.` between them: web
    5:42 image at "a b"
      containers.WEB.base_image is "a b", which is not an image: the name is lowercase letters and digits, with `-`, `_` or `.` between them
      help: name:tag, as after a Dockerfile's FROM: python:3.11-slim
    5:80 wrong-type at 5
      containers.WEB.tier is the number 5; wanted is "database" or "backend" or "middleware" or "frontend"
      help: none
    "#);
}
