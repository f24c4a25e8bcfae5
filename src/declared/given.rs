use super::Password;

/// What a runbook gives for the keys of one map, in the order of their declaration. `T` is a text with variables in it,
/// and a `String` once they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T>(Vec<(&'static str, Value<T>)>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<T> {
    Text(T),
    Word(String),
    Words(Vec<String>),
    Flag(bool),
    Password(Password<T>),
    Map(Given<T>),
    Each(Vec<(String, Given<T>)>),
}

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Given<T> {
    pub fn put(&mut self, key: &'static str, value: Value<T>) {
        self.0.push((key, value));
    }

    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn get(&self, key: &str) -> Option<&Value<T>> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    pub fn text(&self, key: &str) -> Option<&T> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn word(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Word(word)) => Some(word),
            _ => None,
        }
    }

    pub fn words(&self, key: &str) -> &[String] {
        match self.get(key) {
            Some(Value::Words(words)) => words,
            _ => &[],
        }
    }

    /// False where it is not given.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Value::Flag(true)))
    }

    pub fn password(&self, key: &str) -> Option<&Password<T>> {
        match self.get(key) {
            Some(Value::Password(password)) => Some(password),
            _ => None,
        }
    }

    pub fn map(&self, key: &str) -> Option<&Self> {
        match self.get(key) {
            Some(Value::Map(map)) => Some(map),
            _ => None,
        }
    }

    pub fn each(&self, key: &str) -> &[(String, Self)] {
        match self.get(key) {
            Some(Value::Each(maps)) => maps,
            _ => &[],
        }
    }

    /// The same with each text made into another. Errors: the first of `fill`'s.
    pub fn fill<U, E>(&self, fill: &dyn Fn(&T) -> Result<U, E>) -> Result<Given<U>, E> {
        let values = self.0.iter().map(|(key, value)| {
            let value = match value {
                Value::Text(text) => Value::Text(fill(text)?),
                Value::Word(word) => Value::Word(word.clone()),
                Value::Words(words) => Value::Words(words.clone()),
                Value::Flag(flag) => Value::Flag(*flag),
                Value::Password(password) => Value::Password(password.fill(fill)?),
                Value::Map(map) => Value::Map(map.fill(fill)?),
                Value::Each(maps) => {
                    let each = maps.iter().map(|(name, map)| Ok((name.clone(), map.fill(fill)?)));
                    Value::Each(each.collect::<Result<_, E>>()?)
                }
            };
            Ok((*key, value))
        });
        values.collect::<Result<_, E>>().map(Given)
    }

    /// Which keys are given, without their texts.
    pub fn shown(&self) -> Given<()> {
        let Ok(shown) = self.fill::<(), std::convert::Infallible>(&|_| Ok(()));
        shown
    }

    /// Every text, those of passwords among them.
    pub fn texts(&self) -> Vec<&T> {
        let mut texts = Vec::new();
        self.gather(&mut |value| match value {
            Value::Text(text) => texts.push(text),
            Value::Password(password) => texts.extend(password.texts()),
            _ => {}
        });
        texts
    }

    pub fn passwords(&self) -> Vec<&Password<T>> {
        let mut passwords = Vec::new();
        self.gather(&mut |value| {
            if let Value::Password(password) = value {
                passwords.push(password);
            }
        });
        passwords
    }

    fn gather<'a>(&'a self, take: &mut dyn FnMut(&'a Value<T>)) {
        for (_, value) in &self.0 {
            match value {
                Value::Map(map) => map.gather(take),
                Value::Each(maps) => maps.iter().for_each(|(_, map)| map.gather(take)),
                value => take(value),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_passwords_are_found_and_filled_however_deep_they_are() {
        let mut login = Given::default();
        login.put("user", Value::Text("${name}"));
        login.put("password", Value::Password(Password::File("${file}")));
        let mut given = Given::default();
        given.put("server", Value::Text("https://${host}"));
        given.put("ignore", Value::Words(vec!["${as it is}".to_owned()]));
        given.put("login", Value::Map(login));
        assert_eq!(given.texts(), [&"https://${host}", &"${name}", &"${file}"]);
        let filled = given.fill::<String, ()>(&|text| Ok(text.replace('$', ""))).unwrap();
        assert_eq!(filled.map("login").unwrap().text("user").unwrap(), "{name}");
        assert_eq!(filled.passwords(), [&Password::File("{file}".to_owned())]);
        assert_eq!(filled.words("ignore"), ["${as it is}"]);
        assert_eq!(given.fill::<String, _>(&|_| Err("no value")), Err("no value"));
    }
}
