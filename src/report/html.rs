use super::Report;
use super::first_page::FirstPage;
use super::markdown::details;
use crate::model::visible;

const STYLE: &str = "\
body{font:15px/1.45 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111;background:#fff}\
table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #999;padding:.25em .6em;text-align:left;\
vertical-align:top}th{background:#eee}code{font-family:monospace;overflow-wrap:anywhere}\
.said{font-size:1.2em;font-weight:bold}h3{margin-bottom:.2em}ul{margin:.2em 0}\
@media print{body{margin:0;max-width:none;font-size:10pt}.details{break-before:page}\
li,tr,h3{break-inside:avoid}h2,h3{break-after:avoid}}";

impl Report {
    /// One file that needs no other and runs no script. The details begin on a page of their own when it is printed.
    pub fn html(&self) -> String {
        let page = FirstPage::of(self);
        let title = escaped(&self.title);
        let mut text = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             </head>\n<body>\n<h1>{title}</h1>\n<p class=\"said\">{}</p>\n<table>\n",
            escaped(&page.sentence)
        );
        for (name, value) in &page.facts {
            text.push_str(&format!("<tr><th>{name}</th><td>{}</td></tr>\n", escaped(value)));
        }
        text.push_str("</table>\n<table>\n");
        for (at, row) in page.steps.iter().enumerate() {
            let cell = if at == 0 { "th" } else { "td" };
            let cells: String = row.iter().map(|value| format!("<{cell}>{}</{cell}>", escaped(value))).collect();
            text.push_str(&format!("<tr>{cells}</tr>\n"));
        }
        text.push_str("</table>\n");
        for (heading, lines) in
            [("What failed or is unknown, and why", &page.failures), ("What was skipped, and why", &page.skipped)]
        {
            if !lines.is_empty() {
                text.push_str(&format!("<h2>{heading}</h2>\n<ul>\n"));
                lines.iter().for_each(|line| text.push_str(&format!("<li>{}</li>\n", escaped(line))));
                text.push_str("</ul>\n");
            }
        }
        text.push_str("<div class=\"details\">\n");
        body(&mut text, &details(self));
        text.push_str("</div>\n</body>\n</html>\n");
        text
    }
}

/// The details are written once, in the few forms of Markdown that [`super::markdown`] uses: headings, lists, tables
/// of two columns, quotes, code and bold.
fn body(out: &mut String, markdown: &str) {
    let (mut depth, mut is_table) = (0, false);
    for line in markdown.lines() {
        let trimmed = line.trim_start();
        let item = trimmed.strip_prefix("- ").filter(|_| !trimmed.is_empty());
        let wanted = item.map_or(0, |_| (line.len() - trimmed.len()) / 2 + 1);
        while depth > wanted {
            out.push_str("</ul>\n");
            depth -= 1;
        }
        while depth < wanted {
            out.push_str("<ul>\n");
            depth += 1;
        }
        let row = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |"));
        if is_table && row.is_none() {
            out.push_str("</table>\n");
            is_table = false;
        }
        if let Some(row) = row {
            if !std::mem::replace(&mut is_table, true) {
                out.push_str("<table>\n");
            }
            let (name, value) = row.split_once(" | ").unwrap_or((row, ""));
            if row != "|" {
                out.push_str(&format!("<tr><th>{}</th><td>{}</td></tr>\n", inline(name), inline(value)));
            }
        } else if let Some(item) = item {
            out.push_str(&format!("<li>{}</li>\n", inline(item)));
        } else if let Some(heading) = line.strip_prefix("### ") {
            out.push_str(&format!("<h3>{}</h3>\n", inline(heading)));
        } else if let Some(heading) = line.strip_prefix("## ") {
            out.push_str(&format!("<h2>{}</h2>\n", inline(heading)));
        } else if !line.is_empty() && !line.starts_with('|') {
            out.push_str(&format!("<p>{}</p>\n", inline(line.strip_prefix("> ").unwrap_or(line))));
        }
    }
    (0..depth).for_each(|_| out.push_str("</ul>\n"));
    if is_table {
        out.push_str("</table>\n");
    }
}

/// Escapes, code spans and bold of one line.
fn inline(text: &str) -> String {
    let (mut out, mut rest, mut is_bold) = (String::new(), text, false);
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix('\\') {
            let Some(kept) = after.chars().next() else { break };
            out.push_str(&escaped(kept.encode_utf8(&mut [0; 4])));
            rest = &after[kept.len_utf8()..];
        } else if let Some(after) = rest.strip_prefix("**") {
            out.push_str(if is_bold { "</strong>" } else { "<strong>" });
            is_bold = !is_bold;
            rest = after;
        } else if first == '`' {
            let fence = &rest[..rest.len() - rest.trim_start_matches('`').len()];
            let after = &rest[fence.len()..];
            let Some(end) = closing(after, fence) else {
                out.push_str(fence);
                rest = after;
                continue;
            };
            let code = &after[..end];
            let code = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' ')).unwrap_or(code);
            out.push_str(&format!("<code>{}</code>", escaped(code)));
            rest = &after[end + fence.len()..];
        } else {
            out.push_str(&escaped(first.encode_utf8(&mut [0; 4])));
            rest = &rest[first.len_utf8()..];
        }
    }
    if is_bold {
        out.push_str("</strong>");
    }
    out
}

/// Where a run of exactly as many backticks as `fence` has begins.
fn closing(text: &str, fence: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find('`') {
        let at = from + found;
        let run = text[at..].len() - text[at..].trim_start_matches('`').len();
        if run == fence.len() {
            return Some(at);
        }
        from = at + run;
    }
    None
}

/// Text as it stands in a page, control characters visible.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
