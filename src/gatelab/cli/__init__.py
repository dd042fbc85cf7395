"""The command line: one file a verb; other rooms are imported when a verb needs them."""
