use serde_json::Value;

use super::lines::{lines, name_length};

/// How a value is written behind the `=`. `None`: no writing of it means this value.
pub(super) fn written(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./:@%+,=-".contains(&byte));
    let forms = ["\"", "'", ""].map(|quote| format!("{quote}{text}{quote}"));
    if is_word { Some(text.to_owned()) } else { forms.into_iter().find(|form| means(form, value)) }
}

fn means(form: &str, value: &Value) -> bool {
    let line = format!("A={form}\n");
    let lines = lines(&line);
    matches!(lines.as_slice(), [only] if only.variable(&line).is_some_and(|(_, read)| read == *value))
}

pub(super) fn line(name: &str, value: &Value) -> Option<String> {
    Some(if value.is_null() { name.to_owned() } else { format!("{name}={}", written(value)?) })
}

/// A value that was written by hand, as reading its file gives it. `None`: it is none.
pub(super) fn normal(name: &str, value: Value) -> Option<Value> {
    let text = match value {
        _ if name.is_empty() || name_length(name) != name.len() => return None,
        Value::Null => return Some(value),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => text,
        Value::Array(_) | Value::Object(_) => return None,
    };
    // What has to stand without quotes though it has spaces, a shell takes for something else.
    let is_loose =
        |form: &String| *form == text && text.contains([' ', '\t', '"', '\'']) && !text.starts_with(['"', '\'']);
    let plain = Value::from(text.replace("\r\n", "\n"));
    if written(&plain).is_some_and(|form| !is_loose(&form)) {
        return Some(plain);
    }
    let mut escaped = String::from('"');
    for one in plain.as_str()?.chars() {
        if matches!(one, '"' | '\\' | '$' | '`') {
            escaped.push('\\');
        }
        escaped.push(one);
    }
    let escaped = Value::from(escaped + "\"");
    written(&escaped).map(|_| escaped)
}
