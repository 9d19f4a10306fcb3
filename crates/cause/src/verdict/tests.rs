mod build;
mod collapse;
mod factors;
mod live;
mod order;
mod properties;
mod stages;
