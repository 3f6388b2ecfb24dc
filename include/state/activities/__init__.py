"""The ledger of activities: what the lake holds of each activity, and which worker is writing it."""
