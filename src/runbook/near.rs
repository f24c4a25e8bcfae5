/// The known name that was probably meant by `given`, if one is near.
pub(super) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(given, known, 1).into_iter().next()
}

/// The known names nearest to `given`, nearest first, at most `most`.
pub(super) fn near<'a>(given: &str, known: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    // Longer ones are no typing errors, and the distance costs the product of both lengths.
    if given.len() > 128 {
        return Vec::new();
    }
    let given = given.to_lowercase();
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|name| name.len() <= 128 && name.len().abs_diff(given.len()) <= 3)
        .map(|name| (strsim::osa_distance(&given, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(given.len()) / 4)
        .collect();
    found.sort();
    found.truncate(most);
    found.into_iter().map(|(_, name)| name).collect()
}

/// `did you mean 'x'?`, else the names there are.
pub(super) fn suggestion<'a>(given: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(name) = nearest(given, known.clone()) {
        return Some(format!("did you mean '{name}'?"));
    }
    let mut names: Vec<&str> = known.into_iter().take(13).collect();
    if names.is_empty() {
        return None;
    }
    let more = if names.len() > 12 { ", …" } else { "" };
    names.truncate(12);
    Some(format!("there is {}{more}", names.join(", ")))
}
