use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{DocumentPath, Entry, Meta, NodeKind, PathStep, TreePath, visible};

/// What an adapter declares of its kinds, so that diffs, masks and labels are made once for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    pub kinds: BTreeMap<String, KindSchema>,
}

impl Schema {
    pub fn kind(&self, kind: &str) -> &KindSchema {
        static PLAIN: KindSchema = KindSchema {
            fields: Vec::new(),
            ignore: Vec::new(),
            reserved: Vec::new(),
            after: Vec::new(),
            privileges: Privileges::Strip,
            identity: None,
            fills_in: false,
        };
        self.kinds.get(kind).unwrap_or(&PLAIN)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindSchema {
    /// For documents. A field without a rule is plain, exact and compared.
    pub fields: Vec<FieldRule>,
    /// For trees: gitignore patterns of paths that are neither compared nor written.
    pub ignore: Vec<String>,
    /// For trees: places below the component's root that are rekindle's own, never compared nor written.
    pub reserved: Vec<TreePath>,
    /// Kinds that must be there first.
    pub after: Vec<String>,
    /// For trees: what becomes of setuid bits, setgid bits of files, and file capabilities.
    pub privileges: Privileges,
    /// For documents: the field by which one tells whether what has a name now is what had it before.
    pub identity: Option<String>,
    /// For documents: the system gives fields of its own choice to what is made, where the source says nothing. They are
    /// no difference from what was asked for. Elements of sets and keyed lists are never of that kind.
    pub fills_in: bool,
}

/// What a restore does with what would let a file run with another's rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privileges {
    /// Neither compared nor written, and listed.
    #[default]
    Strip,
    /// A file that has them is not restored, and listed.
    Refuse,
    Keep,
}

const SETID: u32 = 0o6000;
pub(super) const CAPABILITY: &str = "security.capability";

impl Privileges {
    /// Whether an entry is a file that lends rights to whoever runs it.
    pub fn are_in(entry: &Entry) -> bool {
        let capable = || entry.meta.xattrs.iter().any(|(name, _)| &**name == CAPABILITY);
        matches!(entry.kind, NodeKind::File { .. }) && (entry.meta.mode & SETID != 0 || capable())
    }

    /// The entry as it is written under this rule.
    pub fn applied_to(self, entry: &Entry) -> Entry {
        let meta = if self == Self::Keep { entry.meta.clone() } else { Self::stripped(entry) };
        Entry { meta, ..entry.clone() }
    }

    /// Metadata as it is compared and written: of a file, without what lends rights.
    pub fn stripped(entry: &Entry) -> Meta {
        let mut meta = entry.meta.clone();
        if matches!(entry.kind, NodeKind::File { .. }) {
            meta.mode &= !SETID;
            meta.xattrs.retain(|(name, _)| &**name != CAPABILITY);
        }
        meta
    }
}

/// One rule for the fields that `path` names: names between dots, `*` for any one name, `*key*` for any one name with that
/// in it in upper or lower case, `[]` for every element of a list, as in `credentials[].secretData`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldRule {
    pub path: String,
    pub shape: FieldShape,
    pub secret: bool,
    /// Set by the server, or of no interest: neither compared nor written.
    pub ignored: bool,
    pub fidelity: Fidelity,
    /// Of what is created where nothing was, if that is another: a new password can be taken away again, a
    /// replaced one cannot be brought back.
    #[serde(default)]
    pub created: Option<Fidelity>,
    /// Can be given to a resource when it is created and never again: not compared on one that is there.
    #[serde(default)]
    pub create_only: bool,
    /// Of what can be given only so: it can be taken away at any time.
    #[serde(default)]
    pub removable: bool,
    /// Given by the system itself where nobody gives one, and never taken away: a backup that lacks it says nothing.
    #[serde(default)]
    pub given: bool,
    /// Why what differs here is not restored in a resource that is there. The plan names it each time.
    #[serde(default)]
    pub missed: Option<String>,
    /// Written after all else of its task: what a run has made may have the system's own value there until then.
    #[serde(default)]
    pub written_last: bool,
    /// Of a set: the set beside it that cannot hold the same element. What comes here leaves there, and is one change.
    #[serde(default)]
    pub excludes: Option<String>,
    /// Of a list: the system passes over another order of the same values, and how often each comes. Such a change is
    /// written by way of another list, which a cut write leaves behind. Nor does the system promise the order in which
    /// it gives the values back: it is planned, and is no part of the proof.
    #[serde(default)]
    pub by_way: bool,
    /// Why a difference here is none where all else is as wanted: then nothing is written, and the plan says this.
    #[serde(default)]
    pub alone: Option<String>,
    /// Fields whose hunks must be taken along with this one's.
    pub needs: Vec<String>,
    /// What stands there in the words of people, where the path is only ours. `{}` is the element's key; a time in it,
    /// milliseconds after an `@`, is told as a date.
    #[serde(default)]
    pub said: Option<String>,
}

impl KindSchema {
    /// A place in the words of people, where it has such.
    pub fn said(&self, path: &DocumentPath) -> Option<String> {
        self.fields.iter().find_map(|rule| rule.said.as_ref().and_then(|said| named(&rule.path, said, path)))
    }

    /// The same, and the path itself where it has none.
    pub fn words(&self, path: &DocumentPath) -> String {
        self.said(path).unwrap_or_else(|| path.to_string())
    }
}

fn named(pattern: &str, said: &str, path: &DocumentPath) -> Option<String> {
    let mut steps = path.0.iter();
    let mut key = None;
    for part in pattern.split('.') {
        let name = part.trim_end_matches("[]");
        if !matches!(steps.next()?, PathStep::Field(field) if field == name) {
            return None;
        }
        if name != part {
            let PathStep::Keyed { is, .. } = steps.next()? else { return None };
            key = is.as_str();
        }
    }
    steps.next().is_none().then(|| said.replace("{}", &dated(key.unwrap_or_default())))
}

fn dated(key: &str) -> String {
    let dated = key.split_once('@').and_then(|(kind, time)| {
        let time = jiff::Timestamp::from_millisecond(time.parse().ok()?).ok()?;
        Some(format!("{kind} of {}", time.strftime("%F %T")))
    });
    visible(&dated.unwrap_or_else(|| key.to_owned())).into_owned()
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldShape {
    #[default]
    Plain,
    /// A list whose order means nothing and whose elements are compared by value.
    Set,
    /// A list of maps that are the same one where the field `key` is equal.
    KeyedList { key: String },
}

/// What restoring a field can give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fidelity {
    #[default]
    Exact,
    /// It comes back, under a new id.
    ReCreated,
    /// It can be written, but not read back to prove it.
    Unreadable,
    /// It can be written, but the present value cannot be brought back.
    Irreversible,
}

impl Fidelity {
    /// From the best to the worst.
    pub const ALL: [Self; 4] = [Self::Exact, Self::ReCreated, Self::Unreadable, Self::Irreversible];

    /// What its word on a screen means.
    pub fn about(self) -> &'static str {
        match self {
            Self::Exact => "it comes back as it was, is read back, and an undo brings the present value back",
            Self::ReCreated => "it comes back under a new id, for the system gives its own",
            Self::Unreadable => "it is written, and no reading can prove it: the system does not show it",
            Self::Irreversible => "it is written, and no undo brings the present value back: it is lost",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::ReCreated => "re-created",
            Self::Unreadable => "unreadable",
            Self::Irreversible => "irreversible",
        }
    }
}
