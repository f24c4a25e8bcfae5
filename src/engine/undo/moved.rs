use crate::model::{Document, DocumentPath, KindSchema, PathStep};

/// What a task touched, with the places that elements of sets which exclude each other came from: they move back there.
pub(super) fn with_origins(
    touched: &[DocumentPath],
    former: Option<&Document>,
    schema: &KindSchema,
) -> Vec<DocumentPath> {
    let origins = touched.iter().filter_map(|path| origin(path, former?, schema));
    touched.iter().cloned().chain(origins).collect()
}

fn origin(path: &DocumentPath, former: &Document, schema: &KindSchema) -> Option<DocumentPath> {
    let [PathStep::Field(list), PathStep::Element { element }] = path.0.as_slice() else { return None };
    let beside = schema.fields.iter().find(|rule| rule.path == *list)?.excludes.as_ref()?;
    let was_there = former.value.get(beside)?.as_array()?.contains(element);
    was_there
        .then(|| DocumentPath(vec![PathStep::Field(beside.clone()), PathStep::Element { element: element.clone() }]))
}
