mod damaged;
mod reading;
mod snapshots;
