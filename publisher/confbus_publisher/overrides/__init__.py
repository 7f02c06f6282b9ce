"""What people put beside the releases: values that override every source for a while, and approvals of one document."""
