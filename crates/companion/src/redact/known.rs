//! The values that are known to be secret, and everything that is to be found in a text for them.
//!
//! There is one list of them in a process, and no way around it: a text that is cleaned by anybody is cleaned of all of
//! them. Whoever would have to be handed the list could be forgotten.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::contiguous::NFA;

use super::forms::{forms, longest_break};
use super::stream::Cleaner;

/// Line breaks and what indents after them may stand within a secret, so many at once, whatever it holds itself.
const BREAKS: usize = 32;

/// Who said which values are secret.
static SAID: LazyLock<RwLock<BTreeMap<String, Forms>>> = LazyLock::new(RwLock::default);
/// All of them together, ready to be looked for.
static KNOWN: LazyLock<RwLock<Arc<Known>>> = LazyLock::new(RwLock::default);

/// What is looked for.
#[derive(Default)]
struct Forms {
    all: BTreeSet<Vec<u8>>,
    longest_break: usize,
}

/// Forms of secrets, to be looked for all at once.
#[derive(Default)]
pub(super) struct Known {
    /// Absent: there is nothing to look for.
    finder: Option<Finder>,
    /// No more line breaks stand within a secret.
    pub most_breaks: usize,
}

struct Finder {
    automaton: NFA,
    start: StateID,
    /// How much of a form a state has seen; by state.
    depths: Vec<u32>,
    /// The same for forms that are not over with it.
    open: Vec<u32>,
}

/// Takes these values for secret from now on, in the place of those that the same one said before.
pub fn know<'v>(who: &str, values: impl IntoIterator<Item = &'v [u8]>) {
    let mut said = Forms::default();
    for value in values {
        said.all.extend(forms(value));
        said.longest_break = said.longest_break.max(longest_break(value));
    }
    let mut all = SAID.write().unwrap_or_else(PoisonError::into_inner);
    if said.all.is_empty() {
        all.remove(who);
    } else {
        all.insert(who.to_owned(), said);
    }
    let longest = all.values().map(|forms| forms.longest_break).max();
    let together: BTreeSet<&Vec<u8>> = all.values().flat_map(|forms| &forms.all).collect();
    let known = Known::new(together, longest.unwrap_or_default());
    // Still under the other lock, so that the last word counts.
    *KNOWN.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
}

/// The text without the secrets that are known; the same text where it has none.
pub fn hide_known(text: &str) -> Cow<'_, str> {
    let known = Known::now();
    if known.finder.is_none() {
        return Cow::Borrowed(text);
    }
    let mut cleaner = Cleaner::over(known);
    let mut clean = Vec::new();
    cleaner.push(text.as_bytes(), &mut clean);
    cleaner.finish(&mut clean);
    if clean == text.as_bytes() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(String::from_utf8_lossy(&clean).into_owned())
}

/// Hides known secrets in every text of a document, wherever it stands. Names of fields stay as they are.
pub fn hide_known_in(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            if let Cow::Owned(clean) = hide_known(text) {
                *text = clean;
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(hide_known_in),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(hide_known_in),
        _ => {}
    }
}

impl Known {
    pub fn now() -> Arc<Self> {
        KNOWN.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn new<'f>(forms: impl IntoIterator<Item = &'f Vec<u8>>, longest_break: usize) -> Self {
        let forms: Vec<&Vec<u8>> = forms.into_iter().collect();
        let most_breaks = BREAKS + longest_break;
        if forms.is_empty() {
            return Self::default();
        }
        let finder = Finder::new(&forms);
        if finder.is_none() {
            tracing::error!("the secrets are too many to be hidden");
        }
        Self {
            finder,
            most_breaks,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.finder.is_none()
    }

    /// Where a search begins.
    pub fn start(&self) -> State {
        State(self.finder.as_ref().map(|finder| finder.start))
    }

    /// The state after one symbol more.
    pub fn next(&self, state: State, byte: u8) -> State {
        let (Some(finder), Some(state)) = (&self.finder, state.0) else {
            return state;
        };
        State(Some(finder.automaton.next_state(Anchored::No, state, byte)))
    }

    /// How many of the last symbols belong to a form, or may.
    pub fn depth(&self, state: State) -> usize {
        self.in_finder(state, |finder| &finder.depths)
    }

    /// How many of the last symbols may be the beginning of a form that goes on.
    pub fn open(&self, state: State) -> usize {
        self.in_finder(state, |finder| &finder.open)
    }

    fn in_finder(&self, state: State, of: impl Fn(&Finder) -> &Vec<u32>) -> usize {
        let (Some(finder), Some(state)) = (&self.finder, state.0) else {
            return 0;
        };
        of(finder)
            .get(state.as_usize())
            .map_or(0, |depth| *depth as usize)
    }

    /// How long the longest form is that ends here.
    pub fn found(&self, state: State) -> Option<usize> {
        let (Some(finder), Some(state)) = (&self.finder, state.0) else {
            return None;
        };
        if !finder.automaton.is_match(state) {
            return None;
        }
        let ends = 0..finder.automaton.match_len(state);
        let lengths = ends.map(|index| {
            let form = finder.automaton.match_pattern(state, index);
            finder.automaton.pattern_len(form)
        });
        lengths.max()
    }
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State(Option<StateID>);

impl Finder {
    fn new(forms: &[&Vec<u8>]) -> Option<Self> {
        let automaton = NFA::new(forms).ok()?;
        let start = automaton.start_state(Anchored::No).ok()?;
        let mut depths: Vec<u32> = Vec::new();
        let mut open: Vec<u32> = Vec::new();
        let ends = |automaton: &NFA, form: &[u8]| {
            let next = |state, byte: &u8| automaton.next_state(Anchored::No, state, *byte);
            form.iter().fold(start, next)
        };
        for form in forms {
            let mut state = start;
            for (seen, byte) in (1..).zip(form.iter()) {
                // What was seen is the beginning of a form: this state stands for it, and for nothing longer.
                state = automaton.next_state(Anchored::No, state, *byte);
                put(&mut depths, state, seen);
                if (seen as usize) < form.len() {
                    put(&mut open, state, seen);
                }
            }
        }
        // Where a form ends and none goes on, what may go on is a part of its end. The shorter ones come first.
        let mut by_length: Vec<&Vec<u8>> = forms.to_vec();
        by_length.sort_by_key(|form| form.len());
        for form in by_length {
            let end = ends(&automaton, form);
            let is_open = open.get(end.as_usize()).is_some_and(|depth| *depth > 0);
            if !is_open {
                let rest = ends(&automaton, form.get(1..).unwrap_or_default());
                let depth = open.get(rest.as_usize()).copied().unwrap_or_default();
                put(&mut open, end, depth);
            }
        }
        Some(Self {
            automaton,
            start,
            depths,
            open,
        })
    }
}

fn put(depths: &mut Vec<u32>, state: StateID, depth: u32) {
    let index = state.as_usize();
    if index >= depths.len() {
        depths.resize(index + 1, 0);
    }
    if let Some(known) = depths.get_mut(index) {
        *known = depth;
    }
}
