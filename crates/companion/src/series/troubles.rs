//! What keeps a series from being written: said once, and not every second. No I/O.

use std::collections::BTreeMap;
use std::io;

/// The troubles there are, by the id of the container.
#[derive(Debug, Default)]
pub(super) struct Troubles(BTreeMap<String, String>);

/// What is worth saying.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// There is a trouble, or another than before.
    Trouble(String),
    Over,
}

impl Troubles {
    /// Takes in how it went; true where something was written, so that whatever was in the way is over.
    pub(super) fn take_in(&mut self, id: &str, written: io::Result<bool>) -> Option<News> {
        match written {
            Ok(false) => None,
            Ok(true) => self.0.remove(id).map(|_| News::Over),
            Err(error) => {
                let trouble = error.to_string();
                let before = self.0.insert(id.to_owned(), trouble.clone());
                (before.as_ref() != Some(&trouble)).then_some(News::Trouble(trouble))
            }
        }
    }

    /// Forgets all others.
    pub(super) fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.0.retain(|id, _| is_there(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_once_until_something_changes() {
        let mut troubles = Troubles::default();
        let full = || Err(io::Error::from(io::ErrorKind::StorageFull));
        let told = |news: Option<News>| match news {
            Some(News::Trouble(_)) => "trouble",
            Some(News::Over) => "over",
            None => "",
        };
        let mut take = |id: &str, written| told(troubles.take_in(id, written));
        assert_eq!(take("a", Ok(true)), "");
        assert_eq!(take("a", full()), "trouble");
        assert_eq!(take("a", full()), "");
        // Nothing was to be written: that says nothing.
        assert_eq!(take("a", Ok(false)), "");
        assert_eq!(take("a", full()), "");
        assert_eq!(take("b", full()), "trouble", "another container");
        let denied = Err(io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(take("a", denied), "trouble", "another trouble");
        assert_eq!(take("a", Ok(true)), "over");
        assert_eq!(take("a", full()), "trouble");
        troubles.retain(|id| id == "b");
        assert_eq!(told(troubles.take_in("b", full())), "");
        assert_eq!(told(troubles.take_in("a", full())), "trouble");
    }
}
