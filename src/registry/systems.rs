use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::absent::Absent;
use super::inline::Inline;
use super::live_source::LiveSource;
use super::operators_secrets::OperatorsSecrets;
use super::placed::Placed;
use crate::component::Component;
use crate::declared::{Given, Opening};
use crate::engine::{Ask, Asking, CommandLine, Restore, Script, When, Work};
use crate::model::{
    ComparePrecision, Error, ErrorKind, FoundOwners, Mode, Outputs, Owner, OwnerSet, Problem, Result, Scope,
    TargetIdentity,
};
use crate::reader::Reader;
use crate::runbook::{Inputs, OnTimeout, Program, Question, Runbook, SourceFrom, TaskCondition, TaskWork};

/// The systems of a runbook, opened, and what its steps mean to them.
pub struct Systems {
    runbook: Runbook,
    inputs: Inputs,
    sources: BTreeMap<String, Arc<dyn Reader>>,
    components: BTreeMap<String, Arc<dyn Component>>,
    /// By component and source.
    fitted: Mutex<BTreeMap<(String, String), Arc<dyn Reader>>>,
    /// Components that were not opened, where none is needed, and why.
    missing: BTreeMap<String, Problem>,
}

/// Handed what tells that a component is waited for, before anything is asked of it.
pub type OnOpened<'a> = &'a (dyn Fn(&str, watch::Receiver<Option<String>>) + Sync);

/// What may be missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Nothing,
    Sources,
    Anything,
    /// A system that is not the one that the run began with counts as missing too.
    AnythingOrReplaced,
}

/// What the sources called themselves when a run began: a resumed run reads the same snapshots.
pub type Pins = BTreeMap<String, TargetIdentity>;

impl Systems {
    /// Opens the components; sources as far as they can be reached, for what needs none.
    pub async fn open_live(runbook: Runbook, inputs: Inputs, pins: &Pins, opened: OnOpened<'_>) -> Result<Self> {
        Self::open_with(runbook, inputs, pins, Missing::Sources, opened).await
    }

    /// Opens what can be reached, for what needs none of it; [`missing`](Self::missing) says what is not there.
    pub async fn open_what_is_there(
        runbook: Runbook,
        inputs: Inputs,
        pins: &Pins,
        takes_replaced_for_missing: bool,
        opened: OnOpened<'_>,
    ) -> Result<Self> {
        let may_miss = if takes_replaced_for_missing { Missing::AnythingOrReplaced } else { Missing::Anything };
        Self::open_with(runbook, inputs, pins, may_miss, opened).await
    }

    /// Opens every store; a source that no step uses is opened too, for a runbook that names a repository which
    /// is not there is wrong before anything is written.
    pub async fn open(runbook: Runbook, inputs: Inputs, pins: &Pins, opened: OnOpened<'_>) -> Result<Self> {
        Self::open_with(runbook, inputs, pins, Missing::Nothing, opened).await
    }

    async fn open_with(
        runbook: Runbook,
        inputs: Inputs,
        pins: &Pins,
        may_miss: Missing,
        on_opened: OnOpened<'_>,
    ) -> Result<Self> {
        let (mut components, mut missing) = (BTreeMap::new(), BTreeMap::new());
        for settings in runbook.filled_components(&inputs)? {
            let name = settings.name.clone();
            let secrets = OperatorsSecrets(&inputs);
            let opened = (settings.adapter.open)(&opening(&name, &settings.given, &secrets, None)).await;
            if let Some(told) = opened.as_ref().ok().and_then(|component| component.back_off()) {
                on_opened(&name, told);
            }
            // Before a source is opened: a run that was taken elsewhere must not cost a password.
            let opened = match opened {
                Ok(component) => is_pinned(&name, &*component, pins).await.map(|()| component),
                Err(error) => Err(error),
            };
            let component = match opened {
                // Another one in its place is a mistake, such as a disk that is not mounted, and nothing is missing.
                Err(error)
                    if may_miss == Missing::AnythingOrReplaced
                        || (may_miss == Missing::Anything && error.kind() != ErrorKind::Refused) =>
                {
                    missing.insert(name.clone(), error.problem());
                    Arc::new(Absent::new(&name, &error)) as Arc<dyn Component>
                }
                opened => opened?,
            };
            components.insert(name, component);
        }
        let mut sources: BTreeMap<String, Arc<dyn Reader>> = BTreeMap::new();
        for source in runbook.filled_sources(&inputs)? {
            let name = source.name.clone();
            let (store, format) = match &source.from {
                SourceFrom::Store(store, format) => (*store, *format),
                SourceFrom::Component(of) => {
                    let live = components.get(&of.value).cloned().ok_or_else(|| unknown("component", &of.value))?;
                    sources.insert(name, Arc::new(LiveSource(live)));
                    continue;
                }
            };
            let pinned = pins.get(&name).and_then(|pin| pin.id.split()).map(|(_, id)| id);
            let secrets = OperatorsSecrets(&inputs);
            let opened = (store.open)(&opening(&name, &source.given, &secrets, pinned)).await;
            match opened.and_then(|store| (format.read)(store, &source.given)) {
                Ok(reader) => {
                    sources.insert(name, reader);
                }
                Err(error) if may_miss == Missing::Nothing => return Err(error),
                Err(error) => {
                    tracing::warn!("the source '{name}' cannot be read: {}", error.chain());
                    sources.insert(name.clone(), Arc::new(Absent::new(&name, &error)));
                }
            }
        }
        let fitted = Mutex::default();
        Ok(Self { runbook, inputs, sources, components, fitted, missing })
    }

    pub fn runbook(&self) -> &Runbook {
        &self.runbook
    }

    /// Components that could not be opened, and why.
    pub fn missing(&self) -> &BTreeMap<String, Problem> {
        &self.missing
    }

    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// What every component calls itself now.
    pub async fn live_identities(&self) -> Result<Pins> {
        let mut identities = Pins::new();
        for (name, component) in &self.components {
            identities.insert(name.clone(), component.identity().await?);
        }
        Ok(identities)
    }

    /// What every source and component calls itself now.
    pub async fn identities(&self) -> Result<Pins> {
        let mut identities = self.live_identities().await?;
        for (name, source) in &self.sources {
            identities.insert(name.clone(), source.identity().await?);
        }
        for step in &self.runbook.steps {
            identities.insert(inline_name(&step.id), Inline::identity_of(&step.id));
        }
        identities.retain(|name, _| !name.starts_with(INLINE) || self.is_inline(name));
        Ok(identities)
    }

    fn is_inline(&self, name: &str) -> bool {
        let inline = |step: &&crate::runbook::Step| matches!(step.action, crate::runbook::Action::Apply(_));
        self.runbook.steps.iter().filter(inline).any(|step| inline_name(&step.id) == name)
    }

    /// The names of every declared set of owners.
    pub async fn owners(&self) -> Result<Vec<OwnerSet>> {
        let mut sets = Vec::new();
        for at in self.runbook.filled_owners(&self.inputs)? {
            let reader = self.reader(&at.from)?;
            let FoundOwners { names, unusable } = reader.owners(&at.below, at.kind.as_deref()).await?;
            sets.push(OwnerSet { set: at.set, names, unusable });
        }
        Ok(sets)
    }

    /// Whether a set of owners can be empty: its reader says so.
    pub fn can_be_empty(&self, set: &str) -> bool {
        let from = self.runbook.owners.iter().find(|owners| owners.set == set);
        from.and_then(|owners| self.reader(&owners.from.value).ok()).is_some_and(|reader| reader.can_have_no_owners())
    }

    fn reader(&self, name: &str) -> Result<Arc<dyn Reader>> {
        if let Some(source) = self.sources.get(name) {
            return Ok(source.clone());
        }
        self.component(name).map(|component| component as Arc<dyn Reader>)
    }

    /// A source as that component takes it. One and the same for all tasks of a step: they are planned together.
    fn fitted(&self, component: &str, source: &str) -> Result<Arc<dyn Reader>> {
        let name = (component.to_owned(), source.to_owned());
        let mut known = self.fitted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fitted) = known.get(&name) {
            return Ok(Arc::clone(fitted));
        }
        let is_of_documents = self.runbook.sources.iter().any(|one| {
            one.name == source && matches!(&one.from, SourceFrom::Store(_, format) if format.is_of_documents)
        });
        let (taken, component) = (self.reader(source)?, self.component(component)?);
        let taken = if is_of_documents { Arc::new(Placed::new(taken, Arc::clone(&component))) } else { taken };
        let fitted = component.fitted(taken);
        known.insert(name, Arc::clone(&fitted));
        Ok(fitted)
    }

    fn component(&self, name: &str) -> Result<Arc<dyn Component>> {
        self.components.get(name).cloned().ok_or_else(|| unknown("component", name))
    }

    fn asking(&self, how: Asking, question: Option<Question>) -> Result<Work> {
        let (reader, probe) = match question {
            Some(question) => (Some(self.reader(&question.component)?), Some(question.probe)),
            None => (None, None),
        };
        Ok(Work::Ask(Ask { how, reader, probe }))
    }
}

fn opening<'a>(
    name: &'a str,
    given: &'a Given<String>,
    secrets: &'a OperatorsSecrets<'a>,
    pinned: Option<&'a str>,
) -> Opening<'a> {
    let OperatorsSecrets(inputs) = secrets;
    Opening { name, given, secrets, is_insecure: inputs.insecure, kept_out: inputs.kept_out.clone(), pinned }
}

/// Whether the system is the one that a run began with, if it began with one.
async fn is_pinned(name: &str, component: &dyn Component, pins: &Pins) -> Result<()> {
    if !pins.contains_key(name) {
        return Ok(());
    }
    same_system(name, pins, &component.identity().await?)
}

/// Refused where another system answers than the one that a run began with.
pub fn same_system(name: &str, pins: &Pins, found: &TargetIdentity) -> Result<()> {
    let recorded = pins.get(name);
    // Of an archive, older versions recorded less.
    let is_same = |recorded: &TargetIdentity| {
        let older = found.id.split().is_some_and(|(id, _)| id == recorded.id.as_str());
        recorded == found
            || recorded.is_made_as(found)
            || (older && recorded.system == found.system && recorded.address == found.address)
    };
    if recorded.is_some_and(is_same) {
        return Ok(());
    }
    let recorded = recorded.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let why = format!("the run began with {recorded}, and {found} answers now");
    Err(Error::new(ErrorKind::Refused, format!("go on with '{name}'"), why)
        .next("bring the former system back to its place, or start a new run"))
}

/// A command's directory is part of what is approved, so it is the same wherever the run is resumed.
fn absolute(directory: &str) -> Result<std::path::PathBuf> {
    // `.` alone stays at the end of what `absolute` makes.
    let path = std::path::absolute(directory).map_err(|error| Error::io("find the command's directory", error))?;
    Ok(path.components().collect())
}

const INLINE: &str = "step:";

fn inline_name(step: &str) -> String {
    format!("{INLINE}{step}")
}

fn unknown(what: &str, name: &str) -> Error {
    Error::new(ErrorKind::Bug, format!("use the {what} '{name}'"), "the runbook passed its lint without it")
}

impl Script for Systems {
    fn work(&self, step: usize, owner: Option<&Owner>, outputs: Outputs<'_>) -> Result<Work> {
        let spec = self.runbook.task(step, owner, &self.inputs, outputs)?;
        Ok(match spec.work {
            TaskWork::Restore { source, component, scope, mode, precision } => Work::Restore(Restore {
                source: self.fitted(&component, &source)?,
                source_name: source.into(),
                component: self.component(&component)?,
                component_name: component.into(),
                scope,
                mode,
                precision,
            }),
            TaskWork::Apply { component: name, scope, documents } => {
                let component = self.component(&name)?;
                let id = self.runbook.steps.get(step).map_or_else(String::new, |step| step.id.clone());
                Work::Restore(Restore {
                    source_name: inline_name(&id).into(),
                    source: Arc::new(Placed::new(Arc::new(Inline::new(id, documents)), Arc::clone(&component))),
                    component,
                    component_name: name.into(),
                    // These documents are what the runbook names, whoever they belong to.
                    scope: Scope { owner: None, ..scope },
                    mode: Mode::Merge,
                    precision: ComparePrecision::Quick,
                })
            }
            TaskWork::Run { program, env, cwd, deadline, captures } => Work::Run(CommandLine {
                argv: match program {
                    Program::Argv(argv) => argv,
                    Program::Shell(script) => vec!["sh".to_owned(), "-c".to_owned(), script],
                },
                env,
                secrets: self.inputs.known_secrets(),
                cwd: Some(absolute(cwd.as_deref().unwrap_or("."))?),
                deadline,
                captures,
            }),
            TaskWork::Wait { asked, deadline, every, on_timeout } => {
                let go_on = matches!(on_timeout, OnTimeout::GoOn);
                self.asking(Asking::Wait { every, deadline, go_on }, Some(asked))?
            }
            TaskWork::Check(asked) => self.asking(Asking::Check, Some(asked))?,
            TaskWork::Confirm { text, asked } => self.asking(Asking::Confirm { text }, asked)?,
        })
    }

    fn outputs_used(&self, step: usize) -> Vec<String> {
        self.runbook.outputs_used(step)
    }

    fn when(&self, step: usize, owner: Option<&Owner>, outputs: Outputs<'_>) -> Result<Option<When>> {
        let condition = self.runbook.condition(step, owner, &self.inputs, outputs)?;
        let Some(TaskCondition { condition, asked, words }) = condition else { return Ok(None) };
        let asks = asked.into_iter().map(|question| {
            let reader = Some(self.reader(&question.component)?);
            Ok(Ask { how: Asking::Check, reader, probe: Some(question.probe) })
        });
        Ok(Some(When { condition, asks: asks.collect::<Result<_>>()?, words }))
    }

    fn components(&self) -> Vec<(String, Arc<dyn Component>)> {
        self.components.iter().map(|(name, component)| (name.clone(), component.clone())).collect()
    }
}
