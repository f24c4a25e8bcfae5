use std::ops::ControlFlow;

use tokio::sync::watch;

use crate::cli::pager::Pager;
use crate::cli::plain::{Line, Tone};
use crate::cli::say;
use crate::report::escaped;

/// Where a plan is written, line by line as it is made: on a terminal, through a pager, or as a page.
pub struct Paper {
    form: Form,
    pager: Option<Pager>,
    is_left: bool,
}

enum Form {
    Nothing,
    Text { color: bool },
    Page { is_open: bool },
}

const STYLE: &str = "\
body{font:15px/1.45 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#111;background:#fff}\
pre{font:13px/1.4 monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:0}h2{font-size:1.1em;margin:1.2em 0 .2em}\
.removed{background:#fdd}.added{background:#dfd}.place{color:#057}.warning{color:#a30;font-weight:bold}\
.heading{font-weight:bold}b{background:#fc6}@media print{body{margin:0;max-width:none}h2{break-after:avoid}}";

impl Paper {
    /// For what prints its facts in another form.
    pub fn none() -> Self {
        Self { form: Form::Nothing, pager: None, is_left: false }
    }

    pub fn text(color: bool, is_paged: bool) -> Self {
        let pager = is_paged.then(Pager::chosen).flatten();
        Self { form: Form::Text { color }, pager, is_left: false }
    }

    /// One file that needs no other and runs no script.
    pub fn page(title: &str) -> Self {
        let title = escaped(title);
        say(&format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             </head>\n<body>\n<h1>{title}</h1>"
        ));
        Self { form: Form::Page { is_open: false }, pager: None, is_left: false }
    }

    pub fn is_paged(&self) -> bool {
        self.pager.is_some()
    }

    /// Ends once the reader has closed the pager; without one, never.
    pub fn closing(&self) -> impl Future<Output = ()> + use<> {
        let ended: Option<watch::Receiver<bool>> = self.pager.as_ref().map(Pager::ended);
        async move {
            match ended {
                Some(mut ended) => drop(ended.wait_for(|ended| *ended).await),
                None => std::future::pending().await,
            }
        }
    }

    pub fn line(&mut self, line: &Line) {
        match &mut self.form {
            Form::Nothing => {}
            Form::Text { color } => {
                let text = line.painted(*color);
                self.put(&text);
            }
            Form::Page { is_open } => {
                let is_heading = line.tone == Tone::Heading;
                if *is_open && is_heading {
                    say("</pre>");
                    *is_open = false;
                }
                if is_heading {
                    return say(&format!("<h2>{}</h2>", escaped(&line.text)));
                }
                let open = if std::mem::replace(is_open, true) { "" } else { "<pre>" };
                let part = |(text, is_changed): (&str, bool)| match is_changed {
                    true => format!("<b>{}</b>", escaped(text)),
                    false => escaped(text),
                };
                let parts: String = line.parts().into_iter().map(part).collect();
                say(&format!("{open}<span class=\"{}\">{parts}</span>", line.tone.class()));
            }
        }
    }

    pub fn plain(&mut self, text: impl Into<String>) {
        self.line(&Line::plain(text));
    }

    fn put(&mut self, text: &str) {
        match &mut self.pager {
            Some(pager) => self.is_left |= !pager.line(text),
            None => say(text),
        }
    }

    /// Whether to go on: a reader who has closed the pager has seen enough. Who reads from a pipe may go, and the exit
    /// code is made all the same.
    pub fn goes_on(&self) -> ControlFlow<()> {
        if self.is_left { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// `closing`: the last lines. A pager takes what it shows with it, and these stay on the terminal.
    pub async fn close(mut self, closing: Vec<String>) {
        if let Some(pager) = self.pager.take() {
            pager.close().await;
        }
        if !closing.is_empty() {
            self.plain("");
            closing.into_iter().for_each(|line| self.plain(line));
        }
        if let Form::Page { is_open } = self.form {
            say(if is_open { "</pre>\n</body>\n</html>" } else { "</body>\n</html>" });
        }
    }
}
