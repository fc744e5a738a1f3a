use std::io::Cursor;

use super::*;

/// Random enough, without being anybody's.
fn letters(count: usize) -> String {
    let all = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z";
    all.chars().cycle().take(count).collect()
}

/// A token with the checksum that GitHub and npm put into theirs.
fn checked(beginning: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let random = letters(30);
    let mut crc = flate2::Crc::new();
    crc.update(random.as_bytes());
    let (mut left, mut checksum) = (crc.sum(), [b'0'; 6]);
    for place in checksum.iter_mut().rev() {
        *place = DIGITS[(left % 62) as usize];
        left /= 62;
    }
    format!("{beginning}{random}{}", String::from_utf8_lossy(&checksum))
}

fn pem(kind: &str, line: &str) -> String {
    let body = letters(64);
    format!("-----BEGIN {kind}-----{line}{body}{line}{body}{line}-----END {kind}-----{line}")
}

fn kinds(text: &str) -> Vec<String> {
    let found = known_secrets_in("file", text.as_bytes());
    found.into_iter().map(|secret| secret.kind).collect()
}

#[test]
fn the_example_of_github_has_the_checksum_it_should() {
    let (random, checksum) = ("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17");
    let example = format!("token = {}{random}{checksum}", "ghp_");
    assert_eq!(kinds(&example), ["GitHub token"]);
    assert_eq!(kinds(&example.replace("0mLq17", "0mLq18")), [""; 0]);
}

#[test]
fn every_kind_of_token_is_found_where_it_stands() {
    let hex = "0123456789abcdef".repeat(4);
    let tokens = [
        (
            "AWS access key",
            format!("{}{}", "AKIA", "ABCDEFGH2345672Q"),
        ),
        ("GitHub token", checked("ghs_")),
        (
            "GitHub fine-grained token",
            format!("github_pat_{}_{}", letters(22), letters(59)),
        ),
        ("GitLab token", format!("glpat-{}", letters(20))),
        ("Slack token", format!("xoxb-123456789012-{}", letters(24))),
        ("Stripe live key", format!("sk_live_{}", letters(24))),
        ("Google API key", format!("AIza{}", letters(35))),
        ("npm token", checked("npm_")),
        (
            "PyPI token",
            format!("pypi-AgEIcHlwaS5vcmc{}", letters(120)),
        ),
        ("Docker Hub token", format!("dckr_pat_{}", letters(27))),
        ("HashiCorp Vault token", format!("hvs.{}", letters(90))),
        ("Hugging Face token", format!("hf_{}", letters(34))),
        ("DigitalOcean token", format!("dop_v1_{hex}")),
        (
            "age secret key",
            format!("AGE-SECRET-KEY-1{}", letters(58).to_uppercase()),
        ),
        ("Azure storage key", format!("AccountKey={}==", letters(86))),
        ("private key", pem("RSA PRIVATE KEY", "\n")),
        ("private key", pem("PRIVATE KEY", "\\n")),
    ];
    for (kind, token) in &tokens {
        for around in [
            "TOKEN",
            "\"TOKEN\"",
            "https://user:TOKEN@host/",
            "a\nTOKEN\nb",
        ] {
            let text = around.replace("TOKEN", token);
            assert_eq!(kinds(&text), [*kind], "{around}");
        }
    }
    let known: std::collections::BTreeSet<_> = tokens.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(known.len(), TOKENS.len(), "a rule has no example");
}

#[test]
fn what_only_looks_like_one_is_none() {
    for text in [
        // Documentation, and places for a token.
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "glpat-xxxxxxxxxxxxxxxxxxxx",
        // Too short, too long, inside another word.
        "AKIAABCDEFGH234567",
        "AKIAABCDEFGH2345672QQ",
        &format!("x{}", checked("ghp_")),
        // A program that reads keys.
        "if line == '-----BEGIN RSA PRIVATE KEY-----': parse(line)",
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----",
    ] {
        assert_eq!(kinds(text), [""; 0], "{text}");
    }
}

#[test]
fn a_token_is_found_wherever_pieces_are_cut_and_once() {
    let token = checked("ghp_");
    for before in [
        0,
        1,
        PIECE - 2000,
        PIECE - 1025,
        PIECE - 1024,
        PIECE - 20,
        PIECE,
        2 * PIECE,
    ] {
        let mut content = vec![b'\n'; before];
        content.extend(token.as_bytes());
        content.extend(vec![b'\n'; 3000]);
        let mut search = Search::new("file");
        search.read(&mut Cursor::new(content)).unwrap();
        let lines: Vec<u64> = search.found.iter().map(|found| found.line).collect();
        assert_eq!(lines, [before as u64 + 1], "{before}");
    }
}

#[test]
fn files_that_hold_credentials_are_found_by_their_place_and_content() {
    for (path, content, line) in [
        (
            "root/.netrc",
            "machine a\nlogin b password hunter22",
            Some(2),
        ),
        (
            "root/.docker/config.json",
            "{\"auths\":{\"r\":{\"auth\":\"dXNlcjpwYXNz\"}}}",
            Some(1),
        ),
        (
            "root/.docker/config.json",
            "{\"auths\":{}, \"credsStore\": \"desktop\"}",
            None,
        ),
        ("app/.npmrc", "//r/:_authToken=${NPM_TOKEN}", None),
        ("app/.npmrc", "//r/:_authToken=0123456789abcdef", Some(1)),
        (
            "root/.pypirc",
            "[pypi]\nusername = a\npassword = secret1",
            Some(3),
        ),
        (
            "root/.git-credentials",
            "https://user:hunter22@host",
            Some(1),
        ),
        ("root/.git-credentials", "https://user@host", None),
        (
            "root/.aws/credentials",
            "aws_secret_access_key = abcdefghijkl",
            Some(1),
        ),
        (
            "root/.cargo/credentials.toml",
            "[registry]\ntoken = \"abcdefgh\"",
            Some(2),
        ),
        (
            "root/.kube/config",
            "users:\n- user:\n    client-key-data: LS0tLS1CRUdJ",
            Some(3),
        ),
    ] {
        let rule = FILES.iter().find(|rule| rule.is_at(path)).unwrap();
        assert_eq!(rule.first_in(content.as_bytes()), line, "{path}: {content}");
    }
    for elsewhere in ["root/x.netrc", "docker/config.json", "root/config.json"] {
        assert!(
            !FILES.iter().any(|rule| rule.is_at(elsewhere)),
            "{elsewhere}"
        );
    }
}

#[test]
fn the_keys_that_a_library_tests_itself_with_are_none() {
    let library = format!("\x7fELF{}", pem("RSA PRIVATE KEY", "\n"));
    let found = |path: &str| known_secrets_in(path, library.as_bytes()).len();
    assert_eq!(found("usr/lib/libgnutls.so.30.34.3"), 0);
    assert_eq!((found("usr/bin/program"), found("app/key.so.pem")), (1, 0));
    let text = pem("RSA PRIVATE KEY", "\n");
    assert_eq!(known_secrets_in("app/key.so", text.as_bytes()).len(), 1);
}

#[test]
fn a_layer_tells_where_its_secrets_are_and_not_what_they_are() {
    let token = checked("ghp_");
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in [
        (
            "app/settings.py",
            format!("DEBUG = True\nTOKEN = '{token}'\n"),
        ),
        ("root/.netrc", "machine a password hunter22".to_owned()),
        ("app/README", "nothing".to_owned()),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        tar.append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    let found = of_layer(tar.into_inner().unwrap().as_slice()).unwrap();
    let places: Vec<_> = found
        .secrets
        .iter()
        .map(|secret| (secret.kind.as_str(), secret.path.as_str(), secret.line))
        .collect();
    assert_eq!(
        places,
        [
            ("GitHub token", "app/settings.py", 2),
            ("password in .netrc", "root/.netrc", 1)
        ]
    );
    let said = serde_json::to_string(&found).unwrap();
    assert!(!said.contains(&token) && !said.contains("hunter22"));
}
