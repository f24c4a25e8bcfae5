use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use crate::model::Zone;

/// `--utc`, the configuration's, or the time zone of this machine: `TZ`, else its own setting, else UTC.
pub fn choose(utc: bool) {
    let zone = if utc { Zone::utc() } else { super::config::chosen().zone.unwrap_or_else(system) };
    zone.choose();
}

/// That of this machine, or in words why it is not known.
pub fn read() -> Result<TimeZone, String> {
    match endless() {
        Some(place) => Err(format!("{} is no file of a time zone", place.display())),
        None => TimeZone::try_system().map_err(|error| error.to_string()),
    }
}

fn system() -> Zone {
    match read() {
        Ok(zone) => Zone::from(zone),
        Err(error) => {
            tracing::debug!("times are in UTC: {error}");
            Zone::utc()
        }
    }
}

/// What is named as the file of the zone and is none: whoever reads it, reads for ever.
pub fn endless() -> Option<PathBuf> {
    named().filter(|place| !can_be_a_zone(place))
}

/// The file that tells the zone, where that is not looked up by a name.
fn named() -> Option<PathBuf> {
    let Some(zone) = std::env::var_os("TZ").filter(|zone| !zone.is_empty()) else {
        return Some("/etc/localtime".into());
    };
    let path = zone.to_str().map_or_else(|| PathBuf::from(&zone), |zone| zone.trim_start_matches(':').into());
    path.is_absolute().then_some(path)
}

/// A device or a pipe is read for ever. What is not there is no reason: others say so.
fn can_be_a_zone(place: &Path) -> bool {
    std::fs::metadata(place).map_or(true, |there| there.is_file() && there.len() <= LARGEST)
}

/// In bytes. The zones of this world have some 4 kB.
const LARGEST: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_a_folder_and_a_large_file_are_no_zones() {
        let folder = tempfile::tempdir().unwrap();
        let large = folder.path().join("large");
        std::fs::File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
        for place in [Path::new("/dev/zero"), folder.path(), &large] {
            assert!(!can_be_a_zone(place), "{}", place.display());
        }
        assert!(can_be_a_zone(&folder.path().join("none")) && can_be_a_zone(Path::new(file!())));
    }
}
