use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether what is sent to this address can be read on its way: by http, and to another machine.
pub fn goes_in_clear(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    if !scheme.eq_ignore_ascii_case("http") {
        return false;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    !is_loopback(host)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::goes_in_clear;

    #[test]
    fn only_http_to_another_machine_can_be_read_on_its_way() {
        for clear in [
            "http://id.example.org",
            "HTTP://id.example.org:8080/auth",
            "http://127.0.0.1.example.org",
            "http://localhost.example.org",
            "http://127.0.0.1@example.org/",
            "http://example.org/127.0.0.1",
            "http://10.0.0.1",
            "http://[fe80::1]:8080",
            "http://",
        ] {
            assert!(goes_in_clear(clear), "{clear}");
        }
        for safe in [
            "https://id.example.org",
            "http://127.0.0.1:8080",
            "http://127.9.9.9/auth",
            "http://localhost:8080/x",
            "http://user:word@localhost/",
            "http://[::1]:8080",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(!goes_in_clear(safe), "{safe}");
        }
    }
}
