"""The web edge and the dispatcher as functions of AWS Lambda."""
