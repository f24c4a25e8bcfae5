use crate::model::{Error, ErrorKind, Result, visible};
use crate::runbook::{Inputs, goes_in_clear};

/// Refuses to send a login where others can read it, unless the operator says that they may.
pub(super) fn check(what: &str, url: &str, inputs: &Inputs) -> Result<()> {
    if inputs.insecure || !goes_in_clear(url) {
        return Ok(());
    }
    let shown = url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, host)| format!("http://{host}"));
    let doing = format!("send {what} to {}", visible(&shown));
    Err(Error::new(ErrorKind::Refused, doing, "it would go over the network as plain text, which others can read")
        .next("use https://, or give --insecure where you trust the network"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_in_clear_needs_the_operators_word() {
        let mut inputs = Inputs::default();
        let error = check("the login", "http://ana:word@id.example.org/", &inputs).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(!error.chain().contains("word@") && error.hint().unwrap().contains("--insecure"), "{error}");
        check("the login", "http://127.0.0.1:8080", &inputs).unwrap();
        check("the login", "https://id.example.org", &inputs).unwrap();
        inputs.insecure = true;
        check("the login", "http://id.example.org", &inputs).unwrap();
    }
}
