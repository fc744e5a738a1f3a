//! Asks each service of a container once in its life who it is, and remembers what it said.
//!
//! Asking is harmless: no credentials, nothing left behind, one short question for each port, from inside the
//! container's own network where that can be entered, so that also those are asked who listen for nobody else. Some
//! servers write a line about every guest; who has answered is therefore not asked again.

mod acquaintance;
mod ask;
mod protocol;
mod tls;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::FoundService;
use crate::observation::Certificate;
pub(crate) use acquaintance::{Acquaintance, introduced};
use ask::{Heard, Question, ask};
use protocol::Protocol;

/// A server on the same machine that takes longer does not answer.
const PATIENCE: Duration = Duration::from_millis(300);
/// Who has not answered until the last time may be a slow one.
const LAST_PATIENCE: Duration = Duration::from_secs(1);
/// Who does not answer is asked again, so long after it was asked before: it may still be starting.
const PAUSES: [SignedDuration; 4] = [
    SignedDuration::ZERO,
    SignedDuration::ZERO,
    SignedDuration::from_secs(2),
    SignedDuration::from_secs(10),
];
/// So many questions are asked in one look.
const MOST_QUESTIONS: usize = 16;
/// So many ports of one service are asked.
const MOST_PORTS: usize = 4;
/// A certificate is looked at again after this time, for servers renew theirs without starting again.
const CERTIFICATE_HOLDS: SignedDuration = SignedDuration::from_hours(1);
/// And one that is about to expire, or did, much sooner.
const CERTIFICATE_DOUBTED: SignedDuration = SignedDuration::from_secs(30);
/// That is when it has less time left than this.
const EXPIRES_SOON: SignedDuration = SignedDuration::from_hours(15 * 24);

/// What the services of one container said.
#[derive(Debug, Default)]
pub(crate) struct Introductions {
    /// When the container was started: nobody of an earlier life is there any more.
    life: Option<Timestamp>,
    /// By process and port.
    known: BTreeMap<(u32, u16), Known>,
}

#[derive(Debug, Default)]
struct Known {
    attempts: u8,
    answered: bool,
    version: Option<String>,
    certificate: Option<Certificate>,
    asked: Timestamp,
}

impl Introductions {
    /// What is still to be asked.
    pub(crate) fn questions(
        &mut self,
        life: Option<Timestamp>,
        services: &[FoundService],
        now: Timestamp,
    ) -> Vec<Question> {
        if self.life != life {
            *self = Self {
                life,
                known: BTreeMap::new(),
            };
        }
        let pids: BTreeSet<u32> = services.iter().map(|service| service.pid).collect();
        self.known.retain(|(pid, _), _| pids.contains(pid));
        let mut questions = Vec::new();
        for service in services {
            let Some(protocol) = Protocol::of(service) else {
                continue;
            };
            for port in protocol.ports(&service.ports).into_iter().take(MOST_PORTS) {
                let known = self.known.get(&(service.pid, port));
                let only_certificate = match known {
                    None => false,
                    Some(known) if known.is_to_be_asked_again(now) => false,
                    Some(known) if known.is_out_of_date(now) => true,
                    Some(_) => continue,
                };
                let is_last =
                    known.is_some_and(|known| usize::from(known.attempts) == PAUSES.len());
                questions.push(Question {
                    pid: service.pid,
                    name: service.name.clone(),
                    port,
                    protocol,
                    only_certificate,
                    patience: if is_last { LAST_PATIENCE } else { PATIENCE },
                });
            }
        }
        questions.truncate(MOST_QUESTIONS);
        questions
    }

    /// Takes in what came of the questions.
    pub(crate) fn take_in(&mut self, heard: Vec<(Question, Heard)>, now: Timestamp) {
        for (question, heard) in heard {
            let known = self.known.entry((question.pid, question.port)).or_default();
            known.asked = now;
            match heard {
                Heard::Nothing => known.attempts = known.attempts.saturating_add(1),
                Heard::Said {
                    version,
                    certificate,
                } => {
                    known.answered = true;
                    known.version = version.or(known.version.take());
                    known.certificate = certificate.or(known.certificate.take());
                }
            }
        }
    }

    /// Adds to the services what they said, and tells what certificates they showed.
    pub(crate) fn tell(&self, services: &mut [FoundService]) -> Vec<Certificate> {
        for service in services {
            let of = (service.pid, 0)..=(service.pid, u16::MAX);
            let said = self
                .known
                .range(of)
                .find_map(|(_, known)| known.version.clone());
            service.version = said.or_else(|| written(service)).or(service.version.take());
        }
        let shown: BTreeMap<u16, &Certificate> = self
            .known
            .iter()
            .filter_map(|((_, port), known)| Some((*port, known.certificate.as_ref()?)))
            .collect();
        shown.into_values().cloned().collect()
    }
}

impl Known {
    fn is_to_be_asked_again(&self, now: Timestamp) -> bool {
        let asked = usize::from(self.attempts).checked_sub(1);
        let pause = asked.and_then(|asked| PAUSES.get(asked));
        !self.answered && pause.is_some_and(|pause| now.duration_since(self.asked) >= *pause)
    }

    fn is_out_of_date(&self, now: Timestamp) -> bool {
        self.certificate.as_ref().is_some_and(|certificate| {
            let left = certificate.not_after.duration_since(now);
            let holds = if left < EXPIRES_SOON || certificate.not_before > now {
                CERTIFICATE_DOUBTED
            } else {
                CERTIFICATE_HOLDS
            };
            now.duration_since(self.asked) >= holds
        })
    }
}

/// The version that a process wrote into its own title: `puma 5.6.5 (tcp://0.0.0.0:3000) [shop]`.
fn written(service: &FoundService) -> Option<String> {
    let mut words = service.command.split(' ');
    let is_titled = words.next()? == service.name && service.command.contains('(');
    is_titled.then(|| protocol::version(words.next()?))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn service(name: &str, role: &str, pid: u32, ports: &[u16]) -> FoundService {
        FoundService {
            name: name.to_owned(),
            role: role.to_owned(),
            version: None,
            pid,
            ports: ports.to_vec(),
            command: name.to_owned(),
        }
    }

    fn said(version: &str) -> Heard {
        Heard::Said {
            version: Some(version.to_owned()),
            certificate: None,
        }
    }

    /// Asks, and hears the same from everybody.
    fn round(
        introductions: &mut Introductions,
        life: i64,
        services: &[FoundService],
        now: i64,
        heard: &Heard,
    ) -> Vec<(u16, bool)> {
        let questions = introductions.questions(Some(at(life)), services, at(now));
        let asked = questions
            .iter()
            .map(|question| (question.port, question.only_certificate))
            .collect();
        let heard = questions
            .into_iter()
            .map(|question| (question, heard.clone()))
            .collect();
        introductions.take_in(heard, at(now));
        asked
    }

    #[test]
    fn who_has_answered_is_not_asked_again_in_this_life() {
        let mut introductions = Introductions::default();
        let mut services = [
            service("redis", "cache", 7, &[6379]),
            service("celery", "worker", 8, &[]),
        ];
        let all = &mut introductions;
        assert_eq!(
            round(all, 1, &services, 10, &said("7.0.15")),
            [(6379, false)]
        );
        assert!(round(all, 1, &services, 9_999_999, &Heard::Nothing).is_empty());
        assert!(all.tell(&mut services).is_empty());
        assert_eq!(services[0].version.as_deref(), Some("7.0.15"));
        assert_eq!(services[1].version, None);
        // Another process, and another life of the container.
        let other = [service("redis", "cache", 9, &[6379])];
        assert_eq!(round(all, 1, &other, 11, &said("7.0.15")).len(), 1);
        assert_eq!(round(all, 2, &other, 12, &said("7.0.15")).len(), 1);
        assert_eq!(all.known.len(), 1);
    }

    #[test]
    fn who_does_not_answer_is_asked_five_times_ever_later_and_waited_for_at_last() {
        let mut introductions = Introductions::default();
        let services = [service("nginx", "web server", 7, &[80])];
        let mut asked = Vec::new();
        for now in 0..60 {
            let questions = introductions.questions(Some(at(1)), &services, at(now));
            asked.extend(questions.iter().map(|question| (now, question.patience)));
            let nothing = questions.into_iter().map(|one| (one, Heard::Nothing));
            introductions.take_in(nothing.collect(), at(now));
        }
        let (short, long) = (PATIENCE, LAST_PATIENCE);
        assert_eq!(
            asked,
            [(0, short), (1, short), (2, short), (4, short), (14, long)]
        );
    }

    #[test]
    fn no_container_makes_a_companion_ask_without_end() {
        let ports: Vec<u16> = (1..200).collect();
        let services: Vec<_> = (1..200)
            .map(|pid| service("it", "application server", pid, &ports))
            .collect();
        let questions = Introductions::default().questions(None, &services, at(1));
        assert_eq!(questions.len(), MOST_QUESTIONS);
    }

    #[test]
    fn a_certificate_is_looked_at_again_the_sooner_the_less_it_is_worth() {
        let services = [service("nginx", "web server", 7, &[443])];
        let shown = |until| Heard::Said {
            version: None,
            certificate: Some(Certificate {
                port: 443,
                subject: "shop".to_owned(),
                names: Vec::new(),
                not_before: at(0),
                not_after: at(until),
            }),
        };
        let mut introductions = Introductions::default();
        let all = &mut introductions;
        let year = 365 * 86_400;
        assert_eq!(round(all, 1, &services, 100, &shown(50)), [(443, false)]);
        assert!(round(all, 1, &services, 110, &shown(50)).is_empty());
        assert_eq!(all.tell(&mut services.clone())[0].not_after, at(50));
        assert_eq!(round(all, 1, &services, 130, &shown(year)), [(443, true)]);
        assert_eq!(all.tell(&mut services.clone())[0].not_after, at(year));
        assert!(round(all, 1, &services, 190, &shown(year)).is_empty());
        assert_eq!(
            round(all, 1, &services, 3_730, &Heard::Nothing),
            [(443, true)]
        );
        assert_eq!(all.tell(&mut services.clone()).len(), 1);
    }

    #[test]
    fn a_title_tells_a_version() {
        let mut puma = service("puma", "application server", 7, &[]);
        puma.command = "puma 5.6.5 (tcp://0.0.0.0:3000) [shop]".to_owned();
        assert_eq!(written(&puma).as_deref(), Some("5.6.5"));
        puma.command = "puma -C config.rb".to_owned();
        assert_eq!(written(&puma), None);
    }
}
