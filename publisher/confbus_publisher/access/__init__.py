"""Who may do what on the server: the table of rights, the rules of the users, and the proof that they are in force."""
