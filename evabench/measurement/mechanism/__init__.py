"""Whether the reason given for Eva holds."""
