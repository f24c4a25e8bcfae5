use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of one request on its way to the server.
#[derive(Clone, Debug)]
pub enum Fate {
    Pass,
    /// The server never hears of it.
    CutBefore,
    /// The server does it, and its answer is lost.
    CutAfter,
    /// The server does it, and half of its answer arrives.
    Truncate,
    /// Answered by whoever stands between: status line, more headers, body.
    Answer(&'static str, &'static str, &'static str),
}

/// One request as the proxy saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    /// How many of the same kind, read or write, came before it.
    pub before: usize,
}

impl Asked {
    /// Whether it may change something. A realm's partial export and a login are asked for by POST.
    pub fn writes(&self) -> bool {
        self.method != "GET" && !self.path.contains("/partial-export") && !self.is_login()
    }

    pub fn is_login(&self) -> bool {
        self.path.contains("/protocol/openid-connect/token")
    }
}

type Script = dyn Fn(&Asked) -> Fate + Send + Sync;

/// Stands before the real server: one connection for each request, so that any of them can be cut.
pub struct Proxy {
    pub url: String,
    seen: Arc<Mutex<Vec<Asked>>>,
    script: Arc<Mutex<Arc<Script>>>,
}

impl Proxy {
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Mutex<Arc<Script>>> = Arc::new(Mutex::new(Arc::new(|_: &Asked| Fate::Pass)));
        let (record, fates) = (Arc::clone(&seen), Arc::clone(&script));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (record, fates) = (Arc::clone(&record), Arc::clone(&fates));
                std::thread::spawn(move || {
                    let _ = carry(stream, server, &record, &fates);
                });
            }
        });
        Self { url, seen, script }
    }

    /// From now on; what was seen before is forgotten.
    pub fn script(&self, script: impl Fn(&Asked) -> Fate + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
        self.seen.lock().unwrap().clear();
    }

    pub fn seen(&self, which: impl Fn(&Asked) -> bool) -> usize {
        self.seen.lock().unwrap().iter().filter(|asked| which(asked)).count()
    }
}

fn carry(
    mut client: TcpStream,
    server: u16,
    record: &Mutex<Vec<Asked>>,
    fates: &Mutex<Arc<Script>>,
) -> std::io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(60)))?;
    let (head, body) = request(&mut client)?;
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut asked = Asked { method, path, before: 0 };
    {
        let mut record = record.lock().unwrap();
        let alike = |other: &&Asked| other.is_login() == asked.is_login() && other.writes() == asked.writes();
        asked.before = record.iter().filter(alike).count();
        record.push(asked.clone());
    }
    let script = Arc::clone(&*fates.lock().unwrap());
    let fate = script(&asked);
    match fate {
        Fate::CutBefore => return client.shutdown(Shutdown::Both),
        Fate::Answer(status, more, body) => {
            let kind = if body.starts_with('<') { "text/html" } else { "application/json" };
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}");
            client.write_all(format!("{head}\r\n{more}\r\n{body}").as_bytes())?;
            return client.shutdown(Shutdown::Write);
        }
        Fate::Pass | Fate::CutAfter | Fate::Truncate => {}
    }
    let mut upstream = TcpStream::connect(("127.0.0.1", server))?;
    let lines = head.split("\r\n").filter(|line| !line.to_lowercase().starts_with("connection:") && !line.is_empty());
    let head = lines.collect::<Vec<_>>().join("\r\n");
    upstream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())?;
    upstream.write_all(&body)?;
    let mut answer = Vec::new();
    let read = upstream.read_to_end(&mut answer);
    match fate {
        Fate::CutAfter => client.shutdown(Shutdown::Both),
        Fate::Truncate => {
            let body = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(0, |at| at + 4);
            let half = body + (answer.len() - body) / 2;
            client.write_all(&answer[..half])?;
            client.shutdown(Shutdown::Both)
        }
        _ => {
            client.write_all(&answer)?;
            read?;
            client.shutdown(Shutdown::Write)
        }
    }
}

/// The head as text, and the body, both whole.
fn request(client: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut got = Vec::new();
    let mut some = vec![0; 64 * 1024];
    loop {
        let count = client.read(&mut some)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        got.extend_from_slice(&some[..count]);
        let Some(end) = got.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&got[..end]).into_owned();
        let length = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let wanted = end + 4 + length.unwrap_or(0);
        while got.len() < wanted {
            let count = client.read(&mut some)?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            got.extend_from_slice(&some[..count]);
        }
        return Ok((head, got.split_off(end + 4)));
    }
}
