"""What a gate leaves behind: files for programs, for services and for people. All are written before it exits."""
