//! `start.sh`: starts the program where nothing else says how.

use super::{Declared, Weight};
use crate::ecosystem::shell;
use crate::sources::Sources;

pub(super) fn read(sources: &Sources<'_>, declared: &mut Declared) {
    let Some(command) = shell::start_script(sources) else {
        return;
    };
    if let Some(start) = declared.start(&command, shell::STARTS.to_owned(), "start.sh") {
        start.weight = Weight::MayStart;
    }
}
