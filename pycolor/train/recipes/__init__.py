"""The options of training runs, one TOML file each."""
