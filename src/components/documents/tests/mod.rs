mod component;
mod shelf;
mod source;
