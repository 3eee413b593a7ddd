"""A film in parts: a segment as a job, slices of workers on a shared folder, a cluster."""
