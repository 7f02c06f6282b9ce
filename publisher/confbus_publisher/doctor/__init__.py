"""What `confbus doctor` looks at: facts are gathered first, and each check is a function of those alone."""
