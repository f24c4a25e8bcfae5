use std::io::Read;

use zstd::bulk::Compressor;

use super::database::MAX_ROW_BYTES;
use crate::model::{Digest, Error, ErrorKind, Plan, Result, Selection};

/// Smaller plans are kept as they are.
const WORTH_PACKING: usize = 1024;
const MAX_PLAN_BYTES: u64 = 512 * 1024 * 1024;

/// Makes rows of plans, one after the other: to begin with a plan costs more than to pack a small one.
pub(super) struct Packer(Compressor<'static>);

impl Packer {
    pub fn new() -> Result<Self> {
        Compressor::new(1).map(Self).map_err(|error| Error::io("prepare to keep plans", error))
    }

    /// JSON, or JSON in a zstd frame; the first byte tells them apart.
    pub fn pack(&mut self, plan: &Plan) -> Result<Vec<u8>> {
        let doing = || format!("keep the plan of {}", plan.task);
        let json = serde_json::to_vec(plan).map_err(|error| Error::new(ErrorKind::Bug, doing(), error.to_string()))?;
        if json.len() < WORTH_PACKING {
            return Ok(json);
        }
        let packed = self.0.compress(&json).map_err(|error| Error::io(doing(), error))?;
        if packed.len() > MAX_ROW_BYTES {
            return Err(Error::new(ErrorKind::Invalid, doing(), "it is over 64 MiB packed")
                .next("narrow the step: several steps with a 'below' each"));
        }
        Ok(packed)
    }
}

/// The plan must be the one that `digest` names.
pub(super) fn unpack(digest: &Digest, row: &[u8]) -> Result<Plan> {
    let corrupt = |why: String| Error::new(ErrorKind::Corrupt, format!("read the plan {}", digest.short()), why);
    let mut json = Vec::new();
    if row.first() == Some(&b'{') {
        json.extend_from_slice(row);
    } else {
        zstd::stream::read::Decoder::new(row)
            .and_then(|frame| frame.take(MAX_PLAN_BYTES).read_to_end(&mut json))
            .map_err(|error| corrupt(error.to_string()))?;
    }
    let plan: Plan = serde_json::from_slice(&json).map_err(|error| corrupt(error.to_string()))?;
    if plan.digest(&Selection::all()) != *digest {
        return Err(corrupt("its content is that of another plan".to_owned()));
    }
    Ok(plan)
}
