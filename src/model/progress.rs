use super::{plural, size, span};

/// How far one write has come, of how much, since how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub files: u64,
    pub bytes: u64,
    /// What the plan says there is to write; 0 where it does not say.
    pub of_files: u64,
    pub of_bytes: u64,
    /// Milliseconds since the first of it was written.
    pub elapsed: u64,
}

/// Milliseconds. Before that, what went by says nothing of what is to come.
const EARLY: u64 = 3_000;
/// Of a hundred parts, so many must be done first.
const FEWEST: u64 = 2;

impl Progress {
    /// Bytes a second, of the whole write so far: steady, where the last second's would jump.
    pub fn rate(&self) -> Option<u64> {
        (self.elapsed >= 1_000 && self.bytes > 0).then(|| self.bytes.saturating_mul(1_000) / self.elapsed)
    }

    /// Milliseconds that are left, by bytes; none where it would be a guess.
    pub fn left(&self) -> Option<u64> {
        let is_known =
            self.of_bytes > self.bytes && self.bytes.saturating_mul(100) >= self.of_bytes.saturating_mul(FEWEST);
        let rate = self.rate().filter(|rate| *rate > 0 && is_known && self.elapsed >= EARLY)?;
        Some((self.of_bytes - self.bytes).saturating_mul(1_000) / rate)
    }

    /// Without files where none are counted, as in `3 of 40 files, 1.1 GB of 2.0 GB, 231.0 MB/s, 5 s, 4 s left`.
    pub fn words(&self) -> String {
        let files = if self.of_files > 0 {
            format!("{} of {}", self.files, plural(self.of_files, "file"))
        } else {
            plural(self.files, "file")
        };
        let bytes = match self.of_bytes {
            0 => size(self.bytes),
            of => format!("{} of {}", size(self.bytes), size(of)),
        };
        // What is read back is not counted in files.
        let mut words = if self.files + self.of_files > 0 { vec![files, bytes] } else { vec![bytes] };
        words.extend(self.rate().map(|rate| format!("{}/s", size(rate))));
        if self.elapsed >= 1_000 {
            words.push(span(self.elapsed));
        }
        // To the second it would only flicker.
        words.extend(self.left().map(|left| format!("{} left", span(left.next_multiple_of(1_000)))));
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Progress =
        Progress { files: 3, bytes: 1_000_000_000, of_files: 40, of_bytes: 2_000_000_000, elapsed: 5_000 };

    #[test]
    fn progress_says_how_much_of_how_much_how_fast_and_how_long_yet() {
        assert_eq!(HALF.words(), "3 of 40 files, 1.0 GB of 2.0 GB, 200.0 MB/s, 5 s, 5 s left");
    }

    #[test]
    fn an_estimate_that_would_be_a_guess_is_not_made() {
        assert_eq!(Progress { elapsed: 1_500, ..HALF }.left(), None, "too early");
        assert_eq!(Progress { bytes: 1_000, ..HALF }.left(), None, "too little");
        assert_eq!(Progress { of_bytes: 0, ..HALF }.left(), None, "of an unknown whole");
        assert_eq!(Progress { bytes: 3_000_000_000, ..HALF }.left(), None, "the file has grown");
        assert_eq!(Progress { of_files: 0, of_bytes: 0, elapsed: 0, ..HALF }.words(), "3 files, 1.0 GB");
    }
}
