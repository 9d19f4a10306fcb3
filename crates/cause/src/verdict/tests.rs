mod build;
mod collapse;
mod live;
mod order;
mod properties;
mod stages;
