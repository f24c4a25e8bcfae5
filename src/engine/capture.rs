use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};
use zeroize::Zeroizing;

use super::mask::Mask;
use crate::model::{MOST_OUTPUT, size};

/// The beginning of what a command prints, for later steps.
#[derive(Clone, Default)]
pub(super) struct Captured(Arc<Mutex<Zeroizing<Vec<u8>>>>);

impl Captured {
    /// Hands on what is read from `pipe` and keeps as much of it as is allowed, and one byte more.
    pub fn from<P: AsyncRead + Unpin>(&self, pipe: P) -> impl AsyncRead + Unpin + use<P> {
        Tee { pipe, kept: self.clone() }
    }

    fn add(&self, read: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = (MOST_OUTPUT + 1).saturating_sub(kept.len()).min(read.len());
        kept.extend_from_slice(read.get(..room).unwrap_or_default());
    }

    /// Without the line breaks at its end. An output that a later step cannot use, or that may not go on record, is
    /// refused: why, in words.
    pub fn text(&self, mask: &Mask) -> Result<String, String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() > MOST_OUTPUT {
            return Err(format!("it is longer than {}", size(MOST_OUTPUT as u64)));
        }
        if mask.covered(&kept) != **kept {
            return Err("it holds a secret, and no secret goes on record".to_owned());
        }
        match std::str::from_utf8(&kept) {
            Ok(text) if text.contains('\0') => Err("it holds a NUL byte".to_owned()),
            Ok(text) => Ok(text.trim_end_matches(['\n', '\r']).to_owned()),
            Err(_) => Err("it is not UTF-8".to_owned()),
        }
    }
}

struct Tee<P> {
    pipe: P,
    kept: Captured,
}

impl<P: AsyncRead + Unpin> AsyncRead for Tee<P> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.pipe).poll_read(context, buffer);
        self.kept.add(buffer.filled().get(before..).unwrap_or_default());
        polled
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::model::Secret;

    async fn captured(printed: &[u8]) -> Result<String, String> {
        let captured = Captured::default();
        let mut passed_on = Vec::new();
        captured.from(printed).read_to_end(&mut passed_on).await.unwrap();
        assert_eq!(passed_on, printed);
        captured.text(&Mask::of(&[Secret::new("hunter22")]))
    }

    #[tokio::test]
    async fn an_output_is_kept_as_a_shell_would_and_refused_where_it_cannot_be_used() {
        assert_eq!(captured(b"7.4.2\n\n").await.as_deref(), Ok("7.4.2"));
        assert_eq!(captured(b" two\nlines \r\n").await.as_deref(), Ok(" two\nlines "));
        assert_eq!(captured(b"").await.as_deref(), Ok(""));
        for (printed, why) in [
            (&b"token=hunter22"[..], "holds a secret"),
            (&b"aHVudGVyMjI="[..], "holds a secret"),
            (&b"a\0b"[..], "NUL"),
            (&b"\xff\xfe"[..], "UTF-8"),
            (&vec![b'x'; MOST_OUTPUT + 1][..], "longer than"),
        ] {
            let refused = captured(printed).await.unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        assert_eq!(captured(&vec![b'x'; MOST_OUTPUT]).await.map(|text| text.len()), Ok(MOST_OUTPUT));
    }
}
