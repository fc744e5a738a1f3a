//! Whether the program calls others by TLS, which it does not dare where nothing says whom to trust.

use ergon_manifest::Application;

use super::module::Module;
use super::source::COMMENT;
use crate::analysis::Topic;
use crate::ecosystem::Report;
use crate::scan::Scan;
use crate::sources::Text;

/// What calls others.
const CALLS: [&str; 14] = [
    "http.Get(",
    "http.Head(",
    "http.Post(",
    "http.PostForm(",
    "http.NewRequest(",
    "http.NewRequestWithContext(",
    "http.Client{",
    "http.DefaultClient",
    "httputil.NewSingleHostReverseProxy(",
    "httputil.ReverseProxy{",
    "smtp.SendMail(",
    "tls.Dial(",
    "credentials.NewTLS(",
    "credentials.NewClientTLSFromCert(",
];

/// Modules that call somebody.
const MODULES: [&str; 32] = [
    "cloud.google.com/go/",
    "firebase.google.com/go",
    "github.com/Azure/azure-sdk-for-go",
    "github.com/PuerkitoBio/goquery",
    "github.com/anthropics/anthropic-sdk-go",
    "github.com/aws/aws-sdk-go",
    "github.com/bwmarrin/discordgo",
    "github.com/coreos/go-oidc",
    "github.com/elastic/go-elasticsearch",
    "github.com/getsentry/sentry-go",
    "github.com/go-redis/redis",
    "github.com/go-resty/resty",
    "github.com/go-sql-driver/mysql",
    "github.com/go-telegram",
    "github.com/gocolly/colly",
    "github.com/google/go-github",
    "github.com/hashicorp/go-retryablehttp",
    "github.com/jackc/pgx",
    "github.com/lib/pq",
    "github.com/markbates/goth",
    "github.com/minio/minio-go",
    "github.com/nats-io/nats.go",
    "github.com/openai/openai-go",
    "github.com/redis/go-redis",
    "github.com/sashabaranov/go-openai",
    "github.com/sendgrid/sendgrid-go",
    "github.com/slack-go/slack",
    "github.com/stripe/stripe-go",
    "github.com/twilio/twilio-go",
    "go.mongodb.org/mongo-driver",
    "golang.org/x/oauth2",
    "google.golang.org/api",
];

/// The package that says whom to trust, where anything is called; the bare system has none.
pub(super) fn certificates(
    module: &Module,
    texts: &[Text<'_>],
    application: &mut Application,
    report: &mut Report,
) {
    const PACKAGE: &str = "ca-certificates";
    let called = texts.iter().find_map(|(path, text)| {
        CALLS.iter().find_map(|call| {
            let scan = Scan::behind(text, call, COMMENT).next()?;
            let what = call.trim_end_matches(['(', '{']);
            Some((what.to_owned(), format!("{path}:{}", scan.line())))
        })
    });
    let required = || {
        module.requires.iter().find_map(|(path, _, line)| {
            let known = MODULES.iter().any(|known| path.starts_with(known));
            known.then(|| (path.clone(), format!("go.mod:{line}")))
        })
    };
    if let Some((what, from)) = called.or_else(required) {
        report
            .likely(Topic::SystemPackage, PACKAGE, from)
            .note(format!(
                "{what} calls others, and has to know whom to trust"
            ));
        application.system_packages.push(PACKAGE.to_owned());
    }
}
