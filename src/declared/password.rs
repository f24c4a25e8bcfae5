/// Where a password is found; never the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password<T> {
    Env(String),
    File(T),
    /// An argument list; the password is its first line of output.
    Command(Vec<T>),
    /// A secret input, by its name.
    Input(T),
    /// Of Vault or OpenBao: `path#field`. Which server, and who asks it, is the operator's own matter.
    Vault(T),
    /// A key of the kernel's keyring, by its description.
    Keyring(T),
}

impl<T> Password<T> {
    /// Those in which variables may stand.
    pub fn texts(&self) -> &[T] {
        match self {
            Self::File(text) | Self::Vault(text) | Self::Keyring(text) => std::slice::from_ref(text),
            Self::Command(argv) => argv,
            Self::Env(_) | Self::Input(_) => &[],
        }
    }

    /// The same with each text made into another. Errors: the first of `fill`'s.
    pub fn fill<U, E>(&self, fill: &dyn Fn(&T) -> Result<U, E>) -> Result<Password<U>, E> {
        Ok(match self {
            Self::Env(name) => Password::Env(name.clone()),
            Self::File(path) => Password::File(fill(path)?),
            Self::Command(argv) => Password::Command(argv.iter().map(fill).collect::<Result<_, E>>()?),
            Self::Input(name) => Password::Input(fill(name)?),
            Self::Vault(path) => Password::Vault(fill(path)?),
            Self::Keyring(name) => Password::Keyring(fill(name)?),
        })
    }
}
