//! What leaves, and what is put back.

use super::*;
use crate::History;
use crate::observation::Sight;
use ergon_engine::ContainerState;
use proptest::prelude::*;

fn egress(environment: &[(&str, &str)]) -> Egress {
    let state = ContainerState {
        name: "shop".to_owned(),
        image: "registry.corp.example/kiosk/shop-api:1.2".to_owned(),
        env: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..ContainerState::default()
    };
    let subject = Subject {
        companion: "shop-ci".to_owned(),
        container: "shop".to_owned(),
        container_id: "6e6a564c2e5b6bff".to_owned(),
        ..Subject::default()
    };
    Egress::of(&Observation::empty(
        jiff::Timestamp::UNIX_EPOCH,
        subject,
        Sight::Seen(Box::new(state)),
        History::default(),
    ))
}

#[test]
fn names_and_addresses_are_replaced_and_put_back() {
    let mut egress = egress(&[]);
    for (text, sealed) in [
        ("shop-ci watches shop", "NAME_1 watches NAME_2"),
        (
            "shop_db of kiosk in workshop",
            "NAME_2_db of NAME_3 in workshop",
        ),
        (
            "GET http://172.17.0.2:8000/ at 14:02:11",
            "GET http://IP_1:8000/ at 14:02:11",
        ),
        (
            "127.0.0.1 and [::1] and 0.0.0.0",
            "127.0.0.1 and [::1] and 0.0.0.0",
        ),
        ("fd00::12 to 10.0.0.7:6379", "IP_2 to IP_3:6379"),
        (
            "postgres://anna:pw12345@db.kunde.de/x",
            "postgres://USER_1@HOST_1/x",
        ),
        (
            "redis://cache:6379 and redis://lager7",
            "redis://cache:6379 and redis://HOST_2",
        ),
        ("mail anna.b@kunde.de", "mail MAIL_1"),
        ("no host db.kunde.de found", "no host HOST_1 found"),
        (
            concat!("/home", "/anna/app/main.py:9"),
            concat!("/home", "/USER_2/app/main.py:9"),
        ),
        (
            "java.net.SocketException at main.py, socket.io()",
            "java.net.SocketException at main.py, socket.io()",
        ),
        (
            "container 6e6a564c2e5b6bff used 50331648 of 17179869184000 bytes",
            "container ID_1 used 50331648 of 17179869184000 bytes",
        ),
        ("said HOST_1 by itself", "said NAME_4 by itself"),
        ("std::env and a::b", "std::env and a::b"),
    ] {
        assert_eq!(egress.seal(text).as_str(), sealed);
        assert_eq!(egress.restore(sealed), egress.clean(text));
    }
    assert_eq!(egress.restore("HOST_77 is nobody"), "HOST_77 is nobody");
}

#[test]
fn secrets_never_leave() {
    let mut egress = egress(&[
        ("STRIPE", "rk4Zq81Lm"),
        ("APP_PASSWORD", "geheim99"),
        ("LOG_LEVEL", "information"),
        ("VERSION", "3.11.2"),
    ]);
    for (text, sealed) in [
        ("with rk4Zq81Lm and geheim99", "with ••• and •••"),
        ("at information of 3.11.2", "at information of 3.11.2"),
        ("sent x9Kd83Hs01LqPz7Vb2Nm4", "sent •••"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nAB==\n-----END RSA PRIVATE KEY----- after",
            "••• after",
        ),
        (
            "a_long_name_of_a_function and SomeLongExceptionClassName",
            "a_long_name_of_a_function and SomeLongExceptionClassName",
        ),
    ] {
        assert_eq!(egress.seal(text).as_str(), sealed);
    }
}

proptest! {
    #[test]
    fn what_was_replaced_can_be_put_back(texts in prop::collection::vec("[a-z0-9A-Z_:@./ -]{0,40}|HOST_[0-9]{1,2}|10\\.[0-9]\\.0\\.[0-9]{1,2}|shop", 1..6)) {
        let mut egress = egress(&[]);
        for joint in [" ", "", "_", "/"] {
            let text = texts.join(joint);
            let sealed = egress.seal(&text);
            prop_assert_eq!(egress.restore(sealed.as_str()), egress.clean(&text), "sealed: {}", sealed.as_str());
        }
    }
}
