//! What could be done about what is wasteful. Nobody is asked about it who did not ask.

use ergon_engine::ContainerState;

use super::propose::Maker;
use super::{Action, Proposal};
use crate::findings::{self, Cure, Waste};
use crate::observation::Observation;

/// Proposals that cure what is wasteful in a container, as far as the engine can.
pub fn improve(observation: &Observation) -> Vec<Proposal> {
    let Some(state) = observation.state() else {
        return Vec::new();
    };
    let wastes = findings::wastes(observation).found;
    let drafts: Vec<_> = wastes.iter().map(|waste| waste.draft.clone()).collect();
    let maker = Maker {
        observation,
        state,
        drafts: &drafts,
    };
    let all = observation.signals.machine.memory;
    let cured = |waste: &Waste| Some((waste.draft.id, step(waste.cure?, state, all)?));
    let proposal = |(id, step)| maker.make(vec![step], &[id]);
    wastes.iter().filter_map(cured).map(proposal).collect()
}

/// The ids of everything that is found in a container: what is wrong, and what is wasteful.
pub fn found(observation: &Observation) -> Vec<&'static str> {
    let wrong = findings::drafts(observation)
        .into_iter()
        .map(|draft| draft.id);
    let wasteful = findings::wastes(observation).found.into_iter();
    wrong.chain(wasteful.map(|waste| waste.draft.id)).collect()
}

/// `all` is the machine's memory.
fn step(cure: Cure, state: &ContainerState, all: Option<u64>) -> Option<Action> {
    Some(match cure {
        Cure::Memory(to) => {
            let from = state.memory_limit.or(all)?;
            // As much swap beside it as there was; none where there was no limit of either.
            let swap = state.memory_and_swap.unwrap_or(from).saturating_sub(from);
            Action::LimitMemory {
                from,
                to,
                with_swap: to.saturating_add(swap),
            }
        }
        Cure::Processors(to) => Action::LimitProcessors {
            from: state.processor_limit?,
            to,
        },
    })
}
