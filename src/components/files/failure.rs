use crate::model::{Error, ErrorKind, Result, TreePath};

/// Why a file was not written.
pub(super) enum Failed {
    /// The source does not hand over this one; it may hand over others.
    Unread(TreePath, Error),
    Other(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// Why files were not written. What cannot be read is learnt to the end: else each try would tell of the next one.
#[derive(Default)]
pub(super) struct Failure {
    /// Of what cannot be read the first by name, whichever was tried first: the same is told each time.
    first: Option<(Option<TreePath>, Error)>,
    others: Vec<TreePath>,
    is_final: bool,
}

/// More names than a person reads would say no more.
const MOST_UNREAD: usize = 20;

impl Failure {
    pub(super) fn add(&mut self, failed: Failed) {
        match failed {
            Failed::Unread(path, error) => {
                // A source that is away is so for all, and each question waits for it.
                self.is_final |= matches!(
                    error.kind(),
                    ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Busy | ErrorKind::LoggedOut
                );
                match &mut self.first {
                    None => self.first = Some((Some(path), error)),
                    Some((Some(first), of_first)) if path < *first => {
                        self.others.push(std::mem::replace(first, path));
                        *of_first = error;
                    }
                    Some(_) => self.others.push(path),
                }
            }
            Failed::Other(error) => {
                self.first.get_or_insert((None, error));
                self.is_final = true;
            }
        }
        self.is_final |= self.others.len() >= MOST_UNREAD;
    }

    /// Whether no more files are to be tried.
    pub(super) fn is_final(&self) -> bool {
        self.is_final
    }

    pub(super) fn into_result(mut self) -> Result<()> {
        let Some((_, first)) = self.first else { return Ok(()) };
        if self.others.is_empty() {
            return Err(first);
        }
        self.others.sort();
        let names: Vec<String> = self.others.iter().map(TreePath::to_string).collect();
        Err(first.and_also(&format!("these cannot be read either: {}", names.join(", "))))
    }
}
