"""The pages on which parents and children invite, agree, change and end."""
