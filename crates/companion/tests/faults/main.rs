//! What goes wrong with containers, brought about on purpose, and whether a companion finds it and says why.
//!
//! Each fault has a healthy twin: the same container without the fault, about which a companion has nothing to say.

mod cases;
mod lab;
mod waste;

use std::time::Duration;

use lab::Lab;

/// A fault is to be found within this time.
const PATIENCE: Duration = Duration::from_secs(40);

/// What is to be found.
pub struct Expected {
    /// The finding's id.
    pub finding: &'static str,
    /// What its text says, among other things.
    pub says: &'static str,
    /// What its evidence says, among other things.
    pub evidence: &'static str,
}

/// Waits until it is found, and holds it against what was expected.
async fn finds(lab: &Lab, expected: &Expected) {
    let mut seen = String::new();
    let found = async {
        loop {
            let diagnosis = lab.diagnose().await;
            let finding = diagnosis.findings.iter().find(|finding| {
                finding.id == expected.finding && finding.text.contains(expected.says)
            });
            if let Some(finding) = finding {
                let evidence: Vec<&str> = diagnosis
                    .evidence
                    .iter()
                    .filter(|evidence| finding.evidence.contains(&evidence.number))
                    .map(|evidence| evidence.text.as_str())
                    .collect();
                if evidence.iter().any(|text| text.contains(expected.evidence)) {
                    return finding.severity.clone();
                }
            }
            seen = format!("{diagnosis:#?}");
            // tidy(sleep-in-test): a fault shows itself in figures, of which nothing tells
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let severity = tokio::time::timeout(PATIENCE, found).await;
    let severity = severity.unwrap_or_else(|_| {
        panic!(
            "{} ({}) with {:?} was not found; the last look:\n{seen}",
            expected.finding, expected.says, expected.evidence
        )
    });
    assert_ne!(severity, "info");
    lab.holds_its_claims().await;
}

/// Watches for a while and finds nothing.
async fn is_quiet(lab: &Lab) {
    lab.until_started().await;
    for _ in 0..6 {
        let diagnosis = lab.diagnose().await;
        let alarms: Vec<_> = diagnosis
            .findings
            .iter()
            .filter(|finding| finding.severity != "info")
            .collect();
        assert!(alarms.is_empty(), "{alarms:#?}\n{:#?}", diagnosis.evidence);
        // tidy(sleep-in-test): quiet is what does not happen
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
