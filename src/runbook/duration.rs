use std::time::Duration;

/// Longer waits are typing errors.
const MOST: Duration = Duration::from_secs(30 * 24 * 3600);

/// `500ms`, `30s`, `10m`, `1h30m`, `2d`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| format!("'{rest}' does not begin with a whole number"))?;
        let letters = tail.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "" => return Err(format!("{number} has no unit")),
            _ => return Err(format!("'{unit}' is no unit")),
        };
        total = total.saturating_add(Duration::from_millis(number.saturating_mul(milliseconds)));
        rest = tail.trim_start();
    }
    match total {
        Duration::ZERO => Err("it is no time at all".to_owned()),
        total if total > MOST => Err("it is longer than 30 days".to_owned()),
        total => Ok(total),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("2d 1s"), Ok(Duration::from_secs(172_801)));
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in ["", "5", "s", "5 parsecs", "-1s", "0s", "31d", "99999999999999999999s", "18446744073709551615d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?} was taken");
        }
    }
}
