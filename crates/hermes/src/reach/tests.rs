use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const OWN: &str = "127.0.0.1:7411";

fn reach(allowances: &[&str], own: &str) -> Reach {
    // What is not written here is no name.
    with_names(allowances, own, |_, name| match name {
        "localhost" => vec!["127.0.0.1", "::1"],
        "west.example" => vec!["192.0.2.1"],
        "inside.example" => vec!["10.1.2.3"],
        "mixed.example" => vec!["192.0.2.9", "10.1.2.3"],
        "cloud.example" => vec!["169.254.169.254"],
        _ => Vec::new(),
    })
}

/// `names` is told how often it was asked before.
fn with_names(
    allowances: &[&str],
    own: &str,
    names: fn(usize, &str) -> Vec<&'static str>,
) -> Reach {
    let asked = AtomicUsize::new(0);
    let allowances = allowances.iter().map(|text| text.parse().unwrap());
    Reach::with_lookup(allowances, own.parse().unwrap(), move |name, port| {
        let found = names(asked.fetch_add(1, Ordering::Relaxed), &name);
        let found = found.into_iter();
        let found = found.map(|text| SocketAddr::new(text.parse().unwrap(), port));
        let found: Vec<_> = found.collect();
        Box::pin(async move {
            if found.is_empty() {
                return Err(io::Error::other("no such name"));
            }
            Ok(found)
        })
    })
}

async fn found(reach: &Reach, host: &str, port: u16) -> Result<Vec<String>, ReachError> {
    let found = reach.addresses(&host.parse().unwrap(), port).await?;
    Ok(found.iter().map(ToString::to_string).collect())
}

fn server(host: &str, port: u16) -> Server {
    Server {
        protocol: Protocol::Http,
        host: host.parse().unwrap(),
        port,
        endpoint: "/chat".to_owned(),
    }
}

fn set_up_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[tokio::test]
async fn this_machine_may_be_reached_and_nobody_else() {
    let reach = reach(&[], OWN);
    for host in [
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "::ffff:127.0.0.1",
        "localhost",
    ] {
        assert!(found(&reach, host, 80).await.is_ok(), "{host}");
    }
    for host in [
        "10.1.2.3",
        "192.0.2.1",
        "169.254.169.254",
        "0.0.0.0",
        "::",
        "::ffff:10.1.2.3",
        "west.example",
    ] {
        let refused = found(&reach, host, 80).await;
        assert!(
            matches!(refused, Err(ReachError::Outside { .. })),
            "{host}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn whoever_is_refused_is_told_how_to_be_let_through() {
    let error = found(&reach(&[], OWN), "west.example", 443)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "west.example:443 (192.0.2.1) is outside of what this stack may reach"
    );
    assert_eq!(
        error.remedy().unwrap(),
        "if it may be reached, start the stack with `ergon up --reach west.example:443`"
    );
    let let_through = reach(&["west.example:443"], OWN);
    assert!(found(&let_through, "west.example", 443).await.is_ok());
    assert!(found(&let_through, "west.example", 80).await.is_err());
}

#[tokio::test]
async fn the_stack_is_not_asked_in_its_own_name() {
    for (own, host) in [
        (OWN, "127.0.0.1"),
        (OWN, "localhost"),
        (OWN, "0.0.0.0"),
        (OWN, "::ffff:127.0.0.1"),
        ("0.0.0.0:7411", "127.0.0.9"),
        ("[::]:7411", "127.0.0.1"),
        ("[::]:7411", "::1"),
    ] {
        // Whatever is allowed.
        let reach = reach(&["0.0.0.0/0", "::/0", "0.0.0.0/8"], own);
        let refused = match found(&reach, host, 7411).await {
            Ok(addresses) => {
                assert_eq!(addresses, ["[::1]:7411"], "{own} {host}");
                continue;
            }
            Err(error) => error,
        };
        assert!(matches!(refused, ReachError::Itself { .. }), "{refused}");
    }
    assert!(found(&reach(&[], OWN), "127.0.0.1", 7412).await.is_ok());
}

#[tokio::test]
async fn of_several_addresses_only_those_are_used_that_are_allowed() {
    let reach = reach(&["10.0.0.0/8"], OWN);
    let addresses = found(&reach, "mixed.example", 80).await.unwrap();
    assert_eq!(addresses, ["10.1.2.3:80"]);
    assert!(found(&reach, "inside.example", 80).await.is_ok());
    let error = found(&reach, "nowhere.example", 80).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "nowhere.example cannot be found: no such name"
    );
}

#[tokio::test]
async fn of_a_name_that_could_not_be_reached_nothing_is_said() {
    for (allowances, is_outside) in [
        (vec![], true),
        (vec!["west.example"], true),
        (vec!["nowhere.example"], false),
        (vec!["10.0.0.0/8"], false),
    ] {
        let error = found(&reach(&allowances, OWN), "nowhere.example", 80).await;
        let said = matches!(error, Err(ReachError::Outside { .. }));
        assert_eq!(said, is_outside, "{allowances:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_name_that_is_allowed_does_not_lead_to_a_clouds_credentials() {
    let reach = reach(&["cloud.example"], OWN);
    assert!(found(&reach, "cloud.example", 80).await.is_err());
}

#[tokio::test]
async fn a_name_that_changes_its_mind_leads_nowhere_new() {
    set_up_tls();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // Asked a second time, it would be another machine's.
    let reach = with_names(&[], OWN, |asked, _| match asked {
        0 => vec!["127.0.0.1"],
        _ => vec!["192.0.2.1"],
    });
    let pinned = reach.client(&server("fickle.example", port)).await.unwrap();
    assert_eq!(pinned.url, format!("http://fickle.example:{port}/chat"));
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).await.unwrap();
        let answer =
            "HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let answer = pinned.client.get(&pinned.url).send().await.unwrap();
    assert_eq!(
        answer.status(),
        302,
        "a redirect is an answer like any other"
    );
    let request = answering.await.unwrap();
    assert!(
        request.contains(&format!("host: fickle.example:{port}")),
        "{request}"
    );
    assert!(reach.client(&server("fickle.example", port)).await.is_err());
}

#[tokio::test]
async fn a_server_is_asked_again_with_the_same_client() {
    set_up_tls();
    let reach = reach(&[], OWN);
    for port in 1..=200 {
        reach
            .client(&server(&format!("127.0.0.{port}"), 80))
            .await
            .unwrap();
        reach
            .client(&server(&format!("127.0.0.{port}"), 80))
            .await
            .unwrap();
    }
    let kept = reach.0.clients.lock().unwrap().len();
    assert!(kept <= CLIENTS, "{kept}");
}

#[tokio::test]
async fn who_takes_no_connection_is_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let reach = reach(&[], OWN);
    let host: Host = "127.0.0.1".parse().unwrap();
    reach.connect(&host, port).await.unwrap();
    drop(listener);
    let error = reach.connect(&host, port).await.unwrap_err();
    assert!(matches!(error, ReachError::Away { .. }), "{error}");
}
