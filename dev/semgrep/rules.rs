//! What the rules beside this find, and what they let be. Nothing of it is built.

fn shells() {
    // ruleid: no-shell
    Command::new("sh").arg("-c").arg(text);
    // ruleid: no-shell
    std::process::Command::new("sh").arg("-c");
    // ok: no-shell
    Command::new("git").arg("clone").arg("--").arg(url);
}

fn secrets(secret: &Secret, guess: &str) {
    // ruleid: secrets-are-not-compared
    let same = secret.reveal() == guess;
    // ruleid: secrets-are-not-compared
    let other = guess != secret.reveal();
    // ok: secrets-are-not-compared
    let known = secret.matches(guess);
    // ruleid: secrets-are-not-logged
    println!("{}", secret.reveal());
    // ruleid: secrets-are-not-logged
    tracing::info!("{}", secret.reveal());
    // ok: secrets-are-not-logged
    tracing::info!(?secret, "given");
}

fn clients() {
    // ruleid: certificates-are-checked
    builder.danger_accept_invalid_certs(true);
    // ruleid: redirects-are-decided
    let client = reqwest::Client::new();
    // ruleid: redirects-are-decided
    let client = Client::builder().timeout(PATIENCE).build();
    // ok: redirects-are-decided
    let client = Client::builder().redirect(Policy::none()).build();
}

fn queries() {
    // ruleid: no-sql-from-texts
    sqlx::query(&format!("SELECT * FROM people WHERE name = '{name}'"));
    // ok: no-sql-from-texts
    sqlx::query("SELECT * FROM people WHERE name = $1").bind(name);
}

fn files() {
    // ruleid: nothing-is-for-everybody
    options.mode(0o666);
    // ruleid: nothing-is-for-everybody
    fs::set_permissions(path, Permissions::from_mode(0o777));
    // ok: nothing-is-for-everybody
    options.mode(0o600);
    // ok: nothing-is-for-everybody
    options.mode(0o755);
    // ruleid: no-file-with-a-name-to-guess
    let path = std::env::temp_dir().join("ergon");
    // ok: no-file-with-a-name-to-guess
    let folder = tempfile::tempdir();
}

fn listeners() {
    // ruleid: loopback-by-default
    TcpListener::bind("0.0.0.0:80");
    // ok: loopback-by-default
    TcpListener::bind("127.0.0.1:0");
}
