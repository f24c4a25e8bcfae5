/// As in "3.1 MB"; exact below 1,000.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes / 100;
    for unit in UNITS {
        if tenths < 10_000 || unit == "PB" {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        tenths /= 1_000;
    }
    String::new()
}

/// As in "1 file", "2 files".
pub fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_say_them() {
        let said: Vec<_> = [0, 999, 1_000, 123_456, 3_100_000, 2_000_000_000].map(size).into();
        assert_eq!(said, ["0 B", "999 B", "1.0 kB", "123.4 kB", "3.1 MB", "2.0 GB"]);
    }
}
