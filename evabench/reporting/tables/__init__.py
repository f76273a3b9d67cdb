"""Tables of text: what a report says, put into words once."""
