/// What files of a kind begin with, and where.
const KINDS: &[(usize, &[u8], &str)] = &[
    (0, b"\x7fELF", "ELF program"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"BZh", "bzip2"),
    (0, b"PK\x03\x04", "zip"),
    (257, b"ustar", "tar"),
    (0, b"\x89PNG", "PNG image"),
    (0, b"\xff\xd8\xff", "JPEG image"),
    (0, b"GIF8", "GIF image"),
    (0, b"%PDF", "PDF"),
    (0, b"SQLite format 3\0", "SQLite database"),
    (0, b"\x89HDF", "HDF5"),
    (0, b"\x93NUMPY", "NumPy array"),
    (0, b"PAR1", "Parquet"),
];

/// What kind of file this is the beginning of, where that is known.
pub(super) fn kind_of(beginning: &[u8]) -> Option<&'static str> {
    let begins =
        |(at, mark, _): &&(usize, &[u8], &str)| beginning.get(*at..).is_some_and(|rest| rest.starts_with(mark));
    KINDS.iter().find(begins).map(|(_, _, name)| *name)
}

pub(super) fn words((before, after): (Option<&str>, Option<&str>)) -> String {
    let kind = match (before, after) {
        (Some(before), Some(after)) if before != after => format!(" ({before} → {after})"),
        (Some(kind), _) | (None, Some(kind)) => format!(" ({kind})"),
        (None, None) => String::new(),
    };
    format!("binary{kind}: not shown line by line")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_file_says_what_it_is() {
        assert_eq!(
            words((kind_of(b"\x1f\x8b\x08"), kind_of(b"PK\x03\x04"))),
            "binary (gzip → zip): not shown line by line"
        );
        assert_eq!(words((kind_of(b"\0\0"), kind_of(b"%PDF-1.7"))), "binary (PDF): not shown line by line");
        assert_eq!(words((None, None)), "binary: not shown line by line");
    }
}
