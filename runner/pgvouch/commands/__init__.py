"""The commands, a module for each kind, imported when one of them is used."""
