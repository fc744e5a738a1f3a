//! Files that exist to hold credentials. Pure.

/// A file that programs keep credentials in.
pub struct CredentialFile {
    /// What it is called in findings.
    pub name: &'static str,
    /// How its path ends.
    path: &'static str,
    /// Whether a line of it holds a credential, and not a place for one.
    line: fn(&str) -> bool,
    /// Where it is described.
    pub source: &'static str,
}

/// No such file is larger, in bytes.
pub const LARGEST: u64 = 1 << 20;

pub const FILES: &[CredentialFile] = &[
    CredentialFile {
        name: "password in .netrc",
        path: ".netrc",
        line: |line| follows(line, "password "),
        source: "https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html",
    },
    CredentialFile {
        name: "registry credentials of Docker",
        path: ".docker/config.json",
        line: |line| follows(line, "\"auth\":") || follows(line, "\"identitytoken\":"),
        source: "https://docs.docker.com/reference/cli/docker/login/#credential-stores",
    },
    CredentialFile {
        name: "credentials in .npmrc",
        path: ".npmrc",
        line: |line| {
            ["_authToken=", "_password=", "_auth="]
                .iter()
                .any(|name| follows(line, name))
        },
        source: "https://docs.npmjs.com/cli/configuring-npm/npmrc#auth-related-configuration",
    },
    CredentialFile {
        name: "password in .pypirc",
        path: ".pypirc",
        line: |line| {
            let line: String = line.chars().filter(|character| *character != ' ').collect();
            line.starts_with("password") && follows(&line.replace(':', "="), "password=")
        },
        source: "https://packaging.python.org/en/latest/specifications/pypirc/",
    },
    CredentialFile {
        name: "password of git",
        path: ".git-credentials",
        line: |line| {
            let user = line
                .split_once("://")
                .and_then(|(_, rest)| rest.split_once('@'));
            user.and_then(|(user, _)| user.split_once(':'))
                .is_some_and(|(_, password)| is_credential(password))
        },
        source: "https://git-scm.com/docs/git-credential-store",
    },
    CredentialFile {
        name: "secret key of AWS",
        path: ".aws/credentials",
        line: |line| {
            let line: String = line.chars().filter(|character| *character != ' ').collect();
            follows(&line, "aws_secret_access_key=") && !line.ends_with("EXAMPLEKEY")
        },
        source: "https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html",
    },
    CredentialFile {
        name: "token of cargo",
        path: ".cargo/credentials.toml",
        line: |line| follows(&line.replace(' ', ""), "token="),
        source: "https://doc.rust-lang.org/cargo/reference/config.html#credentials",
    },
    CredentialFile {
        name: "credentials of Kubernetes",
        path: ".kube/config",
        line: |line| follows(line, "client-key-data:") || follows(line, "token:"),
        source: "https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/",
    },
];

impl CredentialFile {
    /// Whether a file of this path is one.
    pub fn is_at(&self, path: &str) -> bool {
        let before = path.strip_suffix(self.path);
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    }

    /// The first line that holds a credential, counted from 1.
    pub fn first_in(&self, content: &[u8]) -> Option<u64> {
        let text = String::from_utf8_lossy(content);
        let found = text.lines().position(|line| (self.line)(line.trim()));
        found.map(|place| place as u64 + 1)
    }
}

/// Whether what follows a name on a line is a credential.
fn follows(line: &str, name: &str) -> bool {
    let Some((before, value)) = line.split_once(name) else {
        return false;
    };
    !before.starts_with(['#', ';']) && is_credential(value)
}

/// Whether a value is there and stands for itself: `${NPM_TOKEN}` and `<password>` do not.
fn is_credential(value: &str) -> bool {
    let value = value.trim_matches([' ', '"', '\'', ',']);
    value.len() >= 4 && !value.starts_with(['$', '<', '{', '%', '*'])
}
