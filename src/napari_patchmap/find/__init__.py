"""What is in the data: groups, duplicates, odd patches, representative ones, label mistakes."""
