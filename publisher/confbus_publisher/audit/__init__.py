"""Reading the audit trail: which entries are meant, and what they changed."""
