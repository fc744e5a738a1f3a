//! How everybody is, in a few lines.

use ergon_server::api::{Companion, ContainerSummary};
use serde::Serialize;

use crate::table::Table;
use crate::{style, words};

/// How everybody is.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Companions that listen, and those that do not.
    up: usize,
    down: usize,
    containers: Containers,
    /// Those that are not well, or do not run, with what they say.
    unwell: Vec<Unwell>,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Containers {
    well: usize,
    unwell: usize,
    stopped: usize,
    unknown: usize,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Unwell {
    name: String,
    wellness: String,
    sentence: String,
}

impl Status {
    pub fn of(companions: &[Companion], containers: &[ContainerSummary]) -> Self {
        let up = companions
            .iter()
            .filter(|companion| companion.health == "up")
            .count();
        let count = |wellness: &str| {
            containers
                .iter()
                .filter(|container| container.wellness == wellness)
                .count()
        };
        let unwell = containers
            .iter()
            .filter(|container| container.wellness != "well")
            .map(|container| Unwell {
                name: container.companion.clone(),
                wellness: container.wellness.clone(),
                sentence: container.sentence.clone(),
            });
        Self {
            up,
            down: companions.len() - up,
            containers: Containers {
                well: count("well"),
                unwell: count("unwell"),
                stopped: count("stopped"),
                unknown: count("unknown"),
            },
            unwell: unwell.collect(),
        }
    }

    pub fn told(&self, width: Option<usize>) -> String {
        let down = match self.down {
            0 => String::new(),
            down => format!(", {down} away"),
        };
        let Containers {
            well,
            unwell,
            stopped,
            unknown,
        } = self.containers;
        let counts = [
            (well, "well"),
            (unwell, "unwell"),
            (stopped, "stopped"),
            (unknown, "unknown"),
        ];
        let counts: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, wellness)| format!("{count} {wellness}"))
            .collect();
        let containers = if counts.is_empty() {
            "none".to_owned()
        } else {
            counts.join(", ")
        };
        let mut text = format!(
            "companions   {} here{down}\ncontainers   {containers}\n",
            self.up
        );
        if !self.unwell.is_empty() {
            let mut table = Table::new(["COMPANION", "IS", "SAYS"]);
            for one in &self.unwell {
                table.row([
                    words::harmless(&one.name),
                    style::state(&one.wellness),
                    words::harmless(&one.sentence),
                ]);
            }
            text.push('\n');
            text.push_str(&table.render(width));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::examples::container;
    use crate::style::plain;

    #[test]
    fn those_that_are_not_well_are_told_with_what_they_say() {
        let well = ContainerSummary {
            wellness: "well".to_owned(),
            ..container()
        };
        let companion = || Companion {
            name: "fastapi-ci".to_owned(),
            kind: "container".to_owned(),
            health: "up".to_owned(),
            ..Companion::default()
        };
        let away = Companion {
            health: "down".to_owned(),
            ..companion()
        };
        let status = Status::of(&[companion(), companion(), away], &[container(), well]);
        assert_snapshot!(plain(&status.told(None)), @"
        companions   2 here, 1 away
        containers   1 well, 1 unwell

        COMPANION   IS      SAYS
        fastapi-ci  unwell  I answer, but DATABASE_URL is not set.
        ");
        assert_snapshot!(plain(&Status::of(&[], &[]).told(None)), @"
        companions   0 here
        containers   none
        ");
    }
}
