//! What a model has cost today, and whether there is more to spend.

use std::path::Path;

use ergon_companion::model::Usage;
use serde::{Deserialize, Serialize};

use super::settings::ModelLimits;

/// What was spent in one day. It is kept in a file, so that starting again is no way to spend more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// `2026-11-20`, in UTC.
    day: String,
    requests: u32,
    tokens: u64,
    money: f64,
}

/// What a request may cost at most; it counts as spent until it is known better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reserved {
    input: u64,
    output: u64,
}

/// Nothing is left, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Spent {
    #[error("as many requests were sent today as may be")]
    Requests,
    #[error("as many tokens were used today as may be")]
    Tokens,
    #[error("as much money was spent today as may be")]
    Money,
}

impl Ledger {
    /// The ledger of a file; one that cannot be read is begun anew.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read(path).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string(self)?;
        crate::data_folder::replace(path, &text)
    }

    /// Takes what a request may cost at most from what is left.
    pub fn reserve(
        &mut self,
        today: &str,
        input: u64,
        output: u64,
        limits: &ModelLimits,
    ) -> Result<Reserved, Spent> {
        if self.day != today {
            *self = Self {
                day: today.to_owned(),
                ..Self::default()
            };
        }
        let tokens = self.tokens.saturating_add(input).saturating_add(output);
        let money = self.money + cost(input, output, limits);
        if self.requests >= limits.requests_a_day {
            return Err(Spent::Requests);
        }
        if tokens > limits.tokens_a_day {
            return Err(Spent::Tokens);
        }
        if limits.money_a_day.is_some_and(|most| money > most) {
            return Err(Spent::Money);
        }
        self.requests += 1;
        self.tokens = tokens;
        self.money = money;
        Ok(Reserved { input, output })
    }

    /// Puts what it did cost in the place of what it might have. What is not told stays as it was taken.
    pub fn settle(&mut self, reserved: Reserved, usage: Usage, limits: &ModelLimits) {
        let input = usage.input.unwrap_or(reserved.input);
        let output = usage.output.unwrap_or(reserved.output);
        let taken = reserved.input.saturating_add(reserved.output);
        let used = input.saturating_add(output);
        self.tokens = self.tokens.saturating_sub(taken).saturating_add(used);
        let too_much = cost(reserved.input, reserved.output, limits);
        self.money = (self.money - too_much).max(0.0) + cost(input, output, limits);
    }
}

fn cost(input: u64, output: u64, limits: &ModelLimits) -> f64 {
    limits.price.map_or(0.0, |price| {
        (input as f64 * price.input + output as f64 * price.output) / 1e6
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::settings::ModelPrice;

    fn limits() -> ModelLimits {
        ModelLimits {
            requests_a_day: 3,
            tokens_a_day: 1000,
            price: Some(ModelPrice {
                input: 1000.0,
                output: 2000.0,
            }),
            money_a_day: Some(1.5),
            ..ModelLimits::default()
        }
    }

    #[test]
    fn nothing_is_sent_once_something_is_spent() {
        let limits = limits();
        let mut ledger = Ledger::default();
        assert_eq!(ledger.reserve("1", 900, 200, &limits), Err(Spent::Tokens));
        assert_eq!(ledger.reserve("1", 400, 600, &limits), Err(Spent::Money));
        for _ in 0..3 {
            let reserved = ledger.reserve("1", 100, 100, &limits).unwrap();
            let usage = Usage {
                input: Some(10),
                output: None,
            };
            ledger.settle(reserved, usage, &limits);
        }
        assert_eq!(ledger.tokens, 330);
        assert!((ledger.money - 0.63).abs() < 1e-9, "{}", ledger.money);
        assert_eq!(ledger.reserve("1", 1, 1, &limits), Err(Spent::Requests));
        assert!(ledger.reserve("2", 1, 1, &limits).is_ok(), "another day");
    }

    #[test]
    fn what_was_spent_is_still_spent_after_a_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spent");
        let mut ledger = Ledger::read(&path);
        ledger.reserve("1", 600, 0, &limits()).unwrap();
        ledger.write(&path).unwrap();
        assert_eq!(
            Ledger::read(&path).reserve("1", 600, 0, &limits()),
            Err(Spent::Tokens)
        );
    }
}
