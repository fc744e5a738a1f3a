//! Whether a container can be reached, and answers.

use std::time::Duration;

use jiff::SignedDuration;

use super::{Draft, Look, Severity};
use crate::evidence::Fact;
use crate::observation::{Listener, Outcome};
use crate::words;

/// A server that takes longer than this for its health page is slow.
const SLOW: Duration = Duration::from_secs(1);

/// From then on somebody should renew a certificate that lives for months.
const EXPIRES_SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

impl Look<'_> {
    pub(super) fn probe(&self) -> Option<Draft> {
        let observation = self.observation;
        let probe = observation
            .probe
            .as_ref()
            .filter(|_| observation.is_running())?;
        let asked = probe.target.asked();
        let port = probe.target.container_port;
        let latency = words::latency(probe.latency);
        if probe.is_good() {
            let slow = probe.target.path.is_some() && probe.latency >= SLOW;
            let text = format!("I am slow: {asked} took {latency}");
            return slow.then(|| {
                Draft::new("probe.slow", Severity::Warning, text).because(self.facts.probe())
            });
        }
        // A server may take its time to come up; and a closed port is told once, by `ports`.
        if observation.is_starting()
            || self.closed_ports().contains(&port)
            || self.loopback_ports().contains(&port)
        {
            return None;
        }
        let text = match &probe.outcome {
            Outcome::Connected => return None,
            Outcome::Status(status) => format!("{asked} answers {status}"),
            Outcome::Refused => {
                format!("Nothing answers on port {port}: the connection is refused")
            }
            Outcome::TimedOut => format!("{asked} does not answer within {latency}"),
            Outcome::NotHttp(got) => format!("{asked} gets no HTTP answer: {got}"),
            Outcome::Unreachable(reason) => {
                let text = format!("I could not ask myself over the network: {reason}");
                return Some(
                    Draft::new("probe.impossible", Severity::Info, text)
                        .because(self.facts.probe()),
                );
            }
        };
        Some(Draft::new("probe.failed", Severity::Critical, text).because(self.facts.probe()))
    }

    pub(super) fn ports(&self) -> Vec<Draft> {
        let open: Vec<String> = self
            .listeners()
            .iter()
            .filter(|one| !one.loopback)
            .map(|one| one.port.to_string())
            .collect();
        let instead = if open.is_empty() {
            String::new()
        } else {
            format!("; I listen on {} instead", words::list(&open))
        };
        let closed = self.closed_ports().into_iter().map(|port| {
            let text =
                format!("Nothing listens on port {port}, which the manifest says is mine{instead}");
            Draft::new("port.closed", Severity::Critical, text)
                .because(self.port_facts())
                .remedy("Make the program listen on that port, or correct `ports` in ergon.json.")
        });
        let loopback = self.loopback_ports().into_iter().map(|port| {
            let text = format!(
                "I listen on 127.0.0.1:{port} only, so nobody outside the container can reach it"
            );
            Draft::new("port.loopback", Severity::Critical, text)
                .because(self.port_facts())
                .remedy("Make the program listen on 0.0.0.0.")
        });
        closed.chain(loopback).collect()
    }

    /// Certificates that its ports show, and that nobody accepts any more or soon will not.
    pub(super) fn certificates(&self) -> Vec<Draft> {
        let now = self.observation.time;
        let certificates = &self.observation.signals.certificates;
        let told = certificates.iter().filter_map(|certificate| {
            let of = format!(
                "The certificate of {} on port {}",
                certificate.subject, certificate.port
            );
            let (id, severity, text) = if certificate.not_after <= now {
                let ago = words::duration(now.duration_since(certificate.not_after));
                let text = format!("{of} expired {ago} ago");
                ("certificate.expired", Severity::Critical, text)
            } else if certificate.not_before > now {
                let left = words::duration(certificate.not_before.duration_since(now));
                let text = format!("{of} is valid only in {left}");
                ("certificate.early", Severity::Critical, text)
            } else {
                let left = certificate.not_after.duration_since(now);
                let lifetime = certificate.not_after.duration_since(certificate.not_before);
                // What lives for a day is renewed within the day.
                if left > EXPIRES_SOON.min(lifetime / 10) {
                    return None;
                }
                let text = format!("{of} expires in {}", words::duration(left));
                ("certificate.expiring", Severity::Warning, text)
            };
            let draft = Draft::new(id, severity, text)
                .because([self.facts.certificate(certificate)])
                .remedy("Renew the certificate, and let the server read it again.");
            Some(draft)
        });
        told.collect()
    }

    pub(super) fn unhealthy(&self) -> Option<Draft> {
        let state = self
            .observation
            .state()
            .filter(|state| state.is_running())?;
        let health = state
            .health
            .as_ref()
            .filter(|health| health.status == "unhealthy")?;
        let output = health
            .last_output
            .as_ref()
            .map(|text| format!(": {}", words::cut(text, 160)))
            .unwrap_or_default();
        let text = format!(
            "My own health check has failed {} times in a row{output}",
            health.failing_streak
        );
        Some(
            Draft::new("health.unhealthy", Severity::Critical, text)
                .because(self.facts.own_health(state)),
        )
    }

    fn listeners(&self) -> &[Listener] {
        self.observation.listeners.as_deref().unwrap_or_default()
    }

    /// The manifest's ports, where one can see who listens and the time to start is over.
    fn awaited_ports(&self) -> Vec<u16> {
        let observation = self.observation;
        let visible = observation.is_running()
            && !observation.is_starting()
            && observation.listeners.is_some();
        if visible {
            observation.meant_ports()
        } else {
            Vec::new()
        }
    }

    /// Ports of the manifest that nobody listens on.
    fn closed_ports(&self) -> Vec<u16> {
        let mut ports = self.awaited_ports();
        ports.retain(|port| {
            self.listeners()
                .iter()
                .all(|listener| listener.port != *port)
        });
        ports
    }

    /// Ports of the manifest that can be reached from inside only.
    fn loopback_ports(&self) -> Vec<u16> {
        let mut ports = self.awaited_ports();
        ports.retain(|port| {
            let mut listeners = self
                .listeners()
                .iter()
                .filter(|listener| listener.port == *port)
                .peekable();
            listeners.peek().is_some() && listeners.all(|listener| listener.loopback)
        });
        ports
    }

    fn port_facts(&self) -> Vec<Fact> {
        self.facts
            .meant_ports()
            .into_iter()
            .chain(self.facts.listeners())
            .collect()
    }
}
