use linux_keyutils::{KeyError, KeyRing, KeyRingIdentifier};
use zeroize::Zeroizing;

use crate::model::{Error, ErrorKind, Result, visible};

/// Where a key is looked for, in this order. The first holds the second as a rule, and not in every container.
const KEYRINGS: [KeyRingIdentifier; 3] =
    [KeyRingIdentifier::Session, KeyRingIdentifier::User, KeyRingIdentifier::UserSession];

/// A key of the kernel's keyring, of the type "user", by its description.
pub(super) fn read(name: &str) -> Result<Zeroizing<String>> {
    let doing = || format!("read the key '{}' from the kernel's keyring", visible(name));
    let mut last = KeyError::KeyDoesNotExist;
    for keyring in KEYRINGS {
        let read = KeyRing::from_special_id(keyring, false)
            .and_then(|keyring| keyring.search(name))
            .and_then(|key| key.read_to_vec());
        match read {
            Ok(value) => {
                let value = Zeroizing::new(value);
                let text = std::str::from_utf8(&value).map(str::to_owned).map(Zeroizing::new);
                return text.map_err(|_| Error::new(ErrorKind::Invalid, doing(), "it is not UTF-8"));
            }
            Err(error) if is_absent(&error) => {}
            Err(error) => last = error,
        }
    }
    let (kind, why, next) = match last {
        KeyError::KeyDoesNotExist => (
            ErrorKind::NotFound,
            "there is no such key in this session's or this user's keyring".to_owned(),
            format!("add it: keyctl padd user {} @u, with the secret on its standard input", visible(name)),
        ),
        KeyError::KeyExpired => {
            (ErrorKind::NotFound, "the key has expired".to_owned(), "add it again with keyctl padd".to_owned())
        }
        KeyError::KeyRevoked => {
            (ErrorKind::NotFound, "the key was revoked".to_owned(), "add it again with keyctl padd".to_owned())
        }
        KeyError::AccessDenied | KeyError::PermissionDenied => (
            ErrorKind::Denied,
            "this user may not read it".to_owned(),
            "see its rights with keyctl describe".to_owned(),
        ),
        other => (
            ErrorKind::Unsupported,
            format!("the kernel refuses: {other:?}"),
            "see whether keyctl works here; where it does not, use { env: … } or { file: … }".to_owned(),
        ),
    };
    Err(Error::new(kind, doing(), why).next(next))
}

fn is_absent(error: &KeyError) -> bool {
    matches!(error, KeyError::KeyDoesNotExist | KeyError::KeyringDoesNotExist)
}
