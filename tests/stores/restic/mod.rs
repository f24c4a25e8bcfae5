mod damaged;
mod reading;
mod remote;
mod snapshots;
