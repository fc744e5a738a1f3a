//! What is in a project's folder: analysed once for each state of it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ergon_detect::analysis::Analysis;
use ergon_detect::disk::DiskTree;
use ergon_detect::tree::{FileTree, OWN_FILES};
use ergon_manifest::Document;
use ergon_pack::{GitState, PackError};

/// So long a look is as good as a new one where nothing depends on it.
const FRESH: Duration = Duration::from_secs(3);

/// What is in a project's folder.
#[derive(Clone, Debug)]
pub struct Look {
    /// What detection says, also where there is a manifest.
    pub analysis: Arc<Analysis>,
    /// The manifest that counts: the folder's own, else the generated one.
    pub document: Option<Arc<Document>>,
    /// Why nothing can be built of it, and what to do.
    pub problem: Option<Problem>,
    pub git: Option<GitState>,
}

/// Why nothing can be built of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub text: String,
    pub remedy: Option<String>,
}

/// Remembers what was seen, for as long as nothing changes.
#[derive(Debug, Default)]
pub struct Looks {
    seen: Mutex<HashMap<PathBuf, Seen>>,
}

/// A look that was taken.
#[derive(Clone, Debug)]
struct Seen {
    at: Instant,
    state: u64,
    look: Look,
}

impl Looks {
    /// What was seen a moment ago, or a new look: for pages that are drawn again and again.
    pub fn glance(&self, folder: &Path) -> Look {
        let seen = self.seen().get(folder).cloned();
        match seen {
            Some(seen) if seen.at.elapsed() < FRESH => seen.look,
            _ => self.at(folder),
        }
    }

    /// Looks into a folder. Blocks while it reads.
    pub fn at(&self, folder: &Path) -> Look {
        let tree = match DiskTree::open(folder) {
            Ok(tree) => tree,
            Err(error) => {
                return Look::of_nothing(Problem {
                    remedy: error.remedy(),
                    text: error.to_string(),
                });
            }
        };
        let state = state(folder, &tree);
        let known = self.seen().get(folder).cloned();
        let mut look = match known {
            Some(seen) if seen.state == state => seen.look,
            _ => Look::at(folder, &tree),
        };
        // A commit changes no file, so this is asked anew.
        look.git = GitState::read(folder);
        let seen = Seen {
            at: Instant::now(),
            state,
            look: look.clone(),
        };
        self.seen().insert(folder.to_owned(), seen);
        look
    }

    /// Forgets a folder.
    pub fn forget(&self, folder: &Path) {
        self.seen().remove(folder);
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<PathBuf, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Look {
    fn at(folder: &Path, tree: &DiskTree) -> Self {
        let analysis = Arc::new(ergon_detect::analyse(tree));
        match ergon_pack::read_project(folder) {
            Ok(project) => Self {
                analysis,
                document: Some(Arc::new(project.document)),
                problem: None,
                git: None,
            },
            Err(error) => Self {
                analysis,
                document: None,
                problem: Some(Problem::of(&error)),
                git: None,
            },
        }
    }

    fn of_nothing(problem: Problem) -> Self {
        let analysis = Analysis {
            manifest: ergon_manifest::Manifest::default(),
            facts: Vec::new(),
            questions: Vec::new(),
            looked_for: Vec::new(),
        };
        Self {
            analysis: Arc::new(analysis),
            document: None,
            problem: Some(problem),
            git: None,
        }
    }

    /// `main@1a2b3c4`; `1a2b3c4` on no branch.
    pub fn git_in_words(&self) -> Option<String> {
        let git = self.git.as_ref()?;
        Some(match &git.branch {
            Some(branch) => format!("{branch}@{}", git.short()),
            None => git.short().to_owned(),
        })
    }
}

impl Problem {
    fn of(error: &PackError) -> Self {
        Self {
            text: error.to_string(),
            remedy: error.remedy(),
        }
    }
}

/// A number that is another one when a file was added, removed or written.
fn state(folder: &Path, tree: &DiskTree) -> u64 {
    let mut hasher = DefaultHasher::new();
    let own = OWN_FILES.iter().map(ToString::to_string);
    for path in tree.entries().keys().cloned().chain(own) {
        path.hash(&mut hasher);
        if let Ok(metadata) = std::fs::symlink_metadata(folder.join(&path)) {
            (
                metadata.len(),
                metadata.mode(),
                metadata.mtime(),
                metadata.mtime_nsec(),
                metadata.ino(),
            )
                .hash(&mut hasher);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_seen_and_an_unchanged_folder_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let looks = Looks::default();
        assert!(looks.at(folder.path()).problem.is_some());
        std::fs::write(
            folder.path().join("requirements.txt"),
            "fastapi==0.115.0\nuvicorn==0.30.0\n",
        )
        .unwrap();
        std::fs::write(
            folder.path().join("main.py"),
            "from fastapi import FastAPI\napp = FastAPI()\n",
        )
        .unwrap();
        let first = looks.at(folder.path());
        assert_eq!(first.problem, None);
        assert!(Arc::ptr_eq(
            &first.analysis,
            &looks.at(folder.path()).analysis
        ));
        std::fs::write(folder.path().join("ergon.json"), "{").unwrap();
        assert!(
            looks
                .at(folder.path())
                .problem
                .unwrap()
                .text
                .contains("ergon.json")
        );
    }

    #[test]
    fn a_folder_that_is_gone_is_a_problem_and_no_panic() {
        let look = Looks::default().at(Path::new("/nonexistent/project"));
        assert!(look.problem.is_some() && look.document.is_none());
    }
}
