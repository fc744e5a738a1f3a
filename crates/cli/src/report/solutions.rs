//! Solutions, as lists and in full.

use std::fmt::Write as _;

use ergon_server::api::{Solution, Standard};
use jiff::Timestamp;

use crate::table::{Table, pad};
use crate::{style, words};

pub fn list(solutions: &[Solution], width: Option<usize>) -> String {
    let mut table = Table::new(["SOLUTION", "VERSION", "KIND", "STANDARDS", "DESCRIPTION"]);
    for solution in solutions {
        table.row([
            words::on_one_line(&solution.name),
            words::on_one_line(&solution.version),
            solution.kind.clone(),
            verdict(solution),
            words::on_one_line(&solution.description),
        ]);
    }
    if table.is_empty() {
        return "No such solutions.  Keep a finished project as one: ergon solution import <project>\n"
            .to_owned();
    }
    table.render(width)
}

/// `meets all`, or what is lacking.
fn verdict(solution: &Solution) -> String {
    if solution.meets_standards {
        return style::good("meets all");
    }
    let lacking = solution.standards.iter().filter(|one| is_lacking(one));
    let names: Vec<&str> = lacking.map(|one| one.name.as_str()).collect();
    style::warning(&format!("lacks {}", names.join(", ")))
}

fn is_lacking(standard: &Standard) -> bool {
    !matches!(standard.state.as_str(), "met" | "not-applicable")
}

pub fn show(solution: &Solution, now: Timestamp) -> String {
    let called = format!("{}@{}", solution.name, solution.version);
    let mut page = format!(
        "{}   {}   {}   {}\n",
        style::strong(&words::on_one_line(&called)),
        solution.kind,
        verdict(solution),
        words::ago(&solution.added_at, now)
    );
    let _ = writeln!(page, "  {}\n", words::harmless(&solution.description));
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(page, "  {}{value}", pad(&style::faint(label), 16));
    };
    if let Some(source) = &solution.source {
        line("from", &words::on_one_line(source));
    }
    if let Some(digest) = &solution.source_digest {
        let commit = solution.commit.as_deref();
        let commit = commit
            .map(|commit| format!("  (git {})", words::short(commit)))
            .unwrap_or_default();
        line("", &format!("source {}{commit}", words::glimpse(digest)));
    }
    if let Some(hash) = &solution.build_hash {
        line("build", words::short(hash));
    }
    for image in &solution.images {
        let text = format!(
            "{}  {}  {}",
            image.container,
            image.image_digest,
            words::size(image.size)
        );
        line("image", &text);
    }
    if let Some(content) = &solution.configuration {
        let text = serde_json::to_string(content).unwrap_or_default();
        let text = crate::table::cut(&words::on_one_line(&text), 100);
        line("says", &text);
    }
    if let Some(derived) = &solution.derived_from {
        line("derived from", &words::on_one_line(derived));
    }
    for need in &solution.needs {
        line("needs", &words::on_one_line(need));
    }
    for dependent in &solution.dependents {
        let name = words::on_one_line(&dependent.name);
        let name = if dependent.kind == "build" {
            words::short(&name).to_owned()
        } else {
            name
        };
        line(
            "needed by",
            &format!("{} {name}, which {}", dependent.kind, dependent.how),
        );
    }
    if !solution.keywords.is_empty() {
        line(
            "keywords",
            &words::on_one_line(&solution.keywords.join(", ")),
        );
    }
    if solution.versions.len() > 1 {
        line(
            "versions",
            &words::on_one_line(&solution.versions.join(", ")),
        );
    }
    line("digest", &solution.digest);
    page.push('\n');
    for standard in &solution.standards {
        let mark = match standard.state.as_str() {
            "met" => style::good("✓"),
            "not-met" => style::bad("✗"),
            "unknown" => style::warning("?"),
            _ => style::faint("–"),
        };
        let why = words::on_one_line(&standard.why);
        let _ = writeln!(page, "  {mark} {}{why}", pad(&standard.name, 17));
    }
    for secret in solution.secrets.iter().skip(1) {
        let _ = writeln!(
            page,
            "    {} in {}, line {}",
            secret.kind,
            words::on_one_line(&secret.path),
            secret.line
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use ergon_server::api::Dependent;
    use insta::assert_snapshot;

    use super::*;
    use crate::report::examples::{self, now};
    use crate::style::plain;

    fn solution() -> Solution {
        let standard = |name: &str, state: &str, why: &str| Standard {
            name: name.into(),
            state: state.into(),
            why: why.into(),
        };
        let build = examples::build();
        Solution {
            name: "shop".into(),
            version: "1.1.0".into(),
            kind: "container".into(),
            description: "The shop, \u{1b}[2Jwith a basket.".into(),
            keywords: vec!["web".into(), "python".into()],
            digest: format!("sha256:{:0<64}", "d1"),
            source: Some("/code/shop".into()),
            source_digest: Some(build.source_digest),
            commit: Some("1a2b3c4".repeat(6)),
            build_hash: Some(build.summary.build_hash),
            images: build.summary.images,
            configuration: None,
            derived_from: Some("starter@1.0.0".into()),
            needs: vec!["database@2.0.0".into()],
            dependents: vec![Dependent {
                kind: "solution".into(),
                name: "mall@1.0.0".into(),
                how: "needs it".into(),
            }],
            standards: vec![
                standard("pinned", "met", "everything is fixed"),
                standard("proven", "not-met", "nobody has built it a second time"),
                standard("sbom", "unknown", "its build is not held any more"),
                standard("health-check", "not-applicable", "a tool runs and ends"),
            ],
            meets_standards: false,
            secrets: Vec::new(),
            versions: vec!["1.1.0".into(), "1.0.0".into()],
            added_at: "2026-01-02T14:03:00Z".into(),
        }
    }

    #[test]
    fn a_solution_is_shown_with_where_it_is_from_and_how_it_does() {
        assert_snapshot!(plain(&show(&solution(), now())), @r"
        shop@1.1.0   container   lacks proven, sbom   6 min ago
          The shop, with a basket.

          from            /code/shop
                          source sha256:c66f2100…  (git 1a2b3c41a2b3)
          build           4f1c09ab77e2
          image           fastapi  sha256:8be2000000000000000000000000000000000000000000000000000000000000  41 MB
          derived from    starter@1.0.0
          needs           database@2.0.0
          needed by       solution mall@1.0.0, which needs it
          keywords        web, python
          versions        1.1.0, 1.0.0
          digest          sha256:d100000000000000000000000000000000000000000000000000000000000000

          ✓ pinned           everything is fixed
          ✗ proven           nobody has built it a second time
          ? sbom             its build is not held any more
          – health-check     a tool runs and ends
        ");
    }

    #[test]
    fn solutions_are_one_line_each() {
        assert_snapshot!(plain(&list(&[solution()], None)), @r"
        SOLUTION  VERSION  KIND       STANDARDS           DESCRIPTION
        shop      1.1.0    container  lacks proven, sbom  The shop, \u{1b}[2Jwith a basket.
        ");
    }
}
